"""`mesh data` and `mesh lineage` with a real data store and a real registry."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from mesh.cli.mesh import cli
from mesh.core.card import BaseModelSource, ModelCard
from mesh.core.errors import MeshError, UsageError
from mesh.core.project import get_project
from mesh.data.manifest import DataManifest, Kind, describe_schema
from mesh.data.settings import DataSettings
from mesh.data.shards import write_shards
from mesh.data.store import DataStore
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

SCHEMA = pa.schema([pa.field("text", pa.string(), nullable=False)])


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MESH_REGISTRY_URI", f"sqlite:///{tmp_path}/registry.db")
    monkeypatch.setenv("MESH_REGISTRY_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("DATA_ROOT", str(tmp_path / "data"))


def store_data(kind: Kind, texts: list[str], source: dict[str, Any]) -> DataManifest:
    folder = Path(f"made-{kind}-{len(texts)}")
    folder.mkdir()
    part = "all" if kind == "raw" else "train"
    shards = write_shards(({"text": text} for text in texts), SCHEMA, folder, part)
    store = DataStore(get_project("sentiment"), kind, DataSettings())
    return store.publish(
        folder,
        DataManifest(
            project="sentiment",
            kind=kind,
            row_schema=describe_schema(SCHEMA),
            shards=tuple(shards),
            inputs=folder.name,
            source=source,
        ),
    )


def publish(registry: ModelRegistry, name: str, **card: Any) -> str:
    folder = Path(f"made-{name}")
    folder.mkdir()
    (folder / "weights").write_text(name)
    made = ModelCard(project="sentiment", code_revision="c0de", fingerprint=name * 3, **card)
    return registry.publish(name, folder, made).reference


def mesh(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=True)


@pytest.fixture
def compiled() -> str:
    """A compiled version with all its origins, in the registry and the store."""
    raw = store_data("raw", ["one", "two"], {"files": ["reviews.jsonl"]})
    features = store_data("features", ["one", "two"], {"raw_version": raw.version})
    assert mesh("data", "tag", "sentiment", "dataset_v22").exit_code == 0
    registry = open_registry(RegistrySettings())
    trained = publish(
        registry,
        "SENTIMENT-TRAINED",
        model_type="trained",
        data_version=features.version,
        base_model=BaseModelSource(uri="package://tiny/model", revision="1", digest="b" * 64),
        environment={"python": "3.11.2", "image": "sentiment-train:7@sha256:1234"},
    )
    reference = publish(
        registry,
        "SENTIMENT-COMPILED",
        model_type="compiled",
        trained_version=trained,
        data_version=features.version,
        settings={"compile": {"backend": "onnx"}, "source": {}},
    )
    Path("report.json").write_text("{}")
    registry.attach(reference, "test_results/7/report.json", Path("report.json"))
    return reference


def test_lineage_leads_back_to_the_raw_data(compiled: str) -> None:
    lineage = json.loads(mesh("lineage", compiled, "--json").output)
    assert (lineage["name"], lineage["kind"], lineage["code"]) == (compiled, "compiled", "c0de")
    assert lineage["settings"] == {"backend": "onnx"}
    assert lineage["served_as_image"] == ["7"]
    [trained] = lineage["made_from"]
    assert trained["name"] == "SENTIMENT-TRAINED-1"
    assert trained["image"] == "sentiment-train:7@sha256:1234"
    features, base = trained["made_from"]
    assert (features["tags"], features["rows"]) == (["dataset_v22"], 2)
    assert base["digest"] == "b" * 64
    [raw] = features["made_from"]
    assert raw["source"] == {"files": ["reviews.jsonl"]}


def test_tree_shows_every_origin(compiled: str) -> None:
    shown = mesh("lineage", "SENTIMENT-COMPILED:latest").output
    for fact in ("SENTIMENT-TRAINED-1", "package://tiny/model", "dataset_v22", "reviews.jsonl"):
        assert fact in shown


def test_deleted_origin_is_shown_as_missing(compiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "elsewhere")
    lineage = json.loads(mesh("lineage", compiled, "--json").output)
    [features, _] = lineage["made_from"][0]["made_from"]
    assert "0 versions in" in features["missing"]


def test_unknown_version_is_an_error(compiled: str) -> None:
    result = mesh("lineage", "SENTIMENT-COMPILED-9")
    assert isinstance(result.exception, MeshError)


def test_data_is_listed_shown_fetched_and_compared(compiled: str) -> None:
    listed = json.loads(mesh("data", "list", "sentiment", "--json").output)
    assert [(version["kind"], version["tags"]) for version in listed] == [
        ("features", ["dataset_v22"]),
        ("raw", []),
    ]
    assert "dataset_v22" in mesh("data", "list").output
    shown = json.loads(mesh("data", "show", "sentiment", "dataset_v22").output)
    assert shown["manifest"]["source"]["raw_version"] == listed[1]["version"]

    store_data("features", ["one", "two", "new"], {})
    difference = json.loads(mesh("data", "diff", "sentiment", "dataset_v22", "--json").output)
    assert (difference["parts"], difference["added"]) == ({"train": [2, 3]}, 1)
    assert "0 rows removed, 1 added" in mesh("data", "diff", "sentiment", "dataset_v22").output

    assert mesh("data", "fetch", "sentiment", "dataset_v22", "here").exit_code == 0
    assert Path("here/train-00000.parquet").exists()
    again = mesh("data", "fetch", "sentiment", "dataset_v22", "here")
    assert isinstance(again.exception, MeshError)


def test_damaged_data_is_found_repaired_from_its_tag_and_untagged() -> None:
    def run(command: str) -> tuple[Any, list[str]]:
        arguments = ("data", command, "sentiment")
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
        return result.return_value, result.output.splitlines()

    store_data("raw", ["one", "two"], {})
    store_data("features", ["one", "two"], {})
    mesh("data", "tag", "sentiment", "dataset_v22")
    code, lines = run("verify")
    assert (code, len(lines)) == (0, 3)
    assert all(line.endswith(": intact") for line in lines)
    [shard] = Path("data/sentiment/features").glob("*/train-00000.parquet")
    shard.unlink()
    code, lines = run("verify")
    assert code == 1
    assert [line for line in lines if not line.endswith(": intact")] == [
        f"{shard.parent.absolute()}: train-00000.parquet is missing or changed"
    ]
    code, lines = run("repair")
    assert (code, lines[0]) == (0, f"{shard.parent.absolute()} is whole again")
    shutil.rmtree("data/sentiment/dvc")
    assert run("verify")[0] == 1
    again = mesh("data", "tag", "sentiment", "dataset_v22")
    assert "has its files in the DVC remote again and names" in again.output
    assert run("verify")[0] == 0
    assert mesh("data", "untag", "sentiment", "dataset_v22").output == "dataset_v22 is removed\n"
    refused = mesh("data", "tag", "sentiment", "latest")
    assert isinstance(refused.exception, UsageError)
    assert [version["tags"] for version in json.loads(mesh("data", "list", "--json").output)] == [
        [],
        [],
    ]
