"""The way from a backfill's output to its model and input, by the manifest."""

import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from mesh.backfill.manifest import (
    BackfillManifest,
    InputEntry,
    ModelEntry,
    ShardRecord,
    model_folder,
)
from mesh.core.card import ModelCard
from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import FileEntry, Manifest
from mesh.data.settings import DataSettings
from mesh.lifecycle.output_lineage import trace_output
from mesh.registry.base import ModelRegistry, ModelVersion

REFERENCE = "MOODS-COMPILED-3"


class Registry:
    """A registry with one version."""

    def get(self, reference: str) -> ModelVersion:
        if reference != REFERENCE:
            raise MeshError(f"There is no {reference}.")
        return ModelVersion(
            name="MOODS-COMPILED",
            version=3,
            card=ModelCard(
                project="moods", model_type="compiled", code_revision="made", fingerprint="f3"
            ),
            manifest=Manifest(files=()),
            created=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
            aliases=(),
            attachments={},
        )


def write(folder: Path, version: str | None = REFERENCE, version_fingerprint: str = "f3") -> Path:
    """The results of a model with one shard; return their folder."""
    results = folder / model_folder("ab" * 32)
    for name in ("data/a-0.parquet", "rejected/a-0.parquet"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(name)
    shard = ShardRecord(
        name="a-0",
        key="k",
        input="a.csv",
        shard=0,
        first_row=5,
        rows=90,
        rejected=2,
        reasons={"empty": 2},
        data=FileEntry.of(results / "data/a-0.parquet", "data/a-0.parquet"),
        rejects=FileEntry.of(results / "rejected/a-0.parquet", "rejected/a-0.parquet"),
    )
    manifest = BackfillManifest(
        project="moods",
        model=ModelEntry(
            name="moods",
            version=version,
            fingerprint="ab" * 32,
            made_from={"version": version_fingerprint} if version else {},
        ),
        code_revision="ran",
        settings={"text": "body"},
        columns={"id": "string"},
        inputs=(InputEntry(name="a.csv", url="s3://in/a.csv", size=7, version="ETag:1"),),
        rows=90,
        rejected=2,
        shards=(shard,),
    )
    (results / "manifest.json").write_text(manifest.model_dump_json())
    return results


def trace(path: Path | str) -> dict[str, Any]:
    return trace_output(lambda: cast("ModelRegistry", Registry()), DataSettings(), str(path))


@pytest.mark.parametrize(("name", "rows"), [("data/a-0.parquet", 90), ("rejected/a-0.parquet", 2)])
def test_file_leads_to_its_model_and_its_input(tmp_path: Path, name: str, rows: int) -> None:
    found = trace(write(tmp_path) / name)
    model, source = found.pop("made_from")
    assert found["rows"] == rows
    assert found["first row"] == 5
    assert found["code"] == "ran"
    assert found["settings"] == {"text": "body"}
    assert (model["name"], model["kind"], model["code"]) == (REFERENCE, "compiled", "made")
    assert source == {
        "name": "s3://in/a.csv",
        "kind": "input",
        "size": 7,
        "version": "ETag:1",
        "made_from": [],
    }


@pytest.mark.parametrize("of_model", [True, False])
def test_folder_of_a_model_or_of_the_output_leads_to_the_model(
    tmp_path: Path, of_model: bool
) -> None:
    results = write(tmp_path)
    found = trace(f"{results if of_model else tmp_path}/")
    assert (found["rows"], found["rejected"], found["inputs"]) == (90, 2, 1)
    assert [origin["name"] for origin in found["made_from"]] == [REFERENCE]


def test_code_is_a_model_too(tmp_path: Path) -> None:
    write(tmp_path, version=None)
    [model] = trace(tmp_path)["made_from"]
    assert (model["name"], model["kind"], model["code"]) == ("moods", "code", "ran")


@pytest.mark.parametrize(
    ("version", "fingerprint", "reason"),
    [
        (REFERENCE, "other", "The registry has another version of this name."),
        ("MOODS-COMPILED-9", "f9", "There is no MOODS-COMPILED-9."),
    ],
)
def test_version_that_the_registry_does_not_have_is_named_as_missing(
    tmp_path: Path, version: str, fingerprint: str, reason: str
) -> None:
    write(tmp_path, version, fingerprint)
    [model] = trace(tmp_path)["made_from"]
    assert (model["name"], model["missing"]) == (version, reason)
    assert model["fingerprint"] == "ab" * 32


def test_changed_file_is_not_traced(tmp_path: Path) -> None:
    file = write(tmp_path) / "data/a-0.parquet"
    file.write_text("other")
    with pytest.raises(MeshError, match="has changed since it was made"):
        trace(file)
    file.unlink()
    with pytest.raises(MeshError, match="does not exist, although the manifest.json lists it"):
        trace(file)


def test_other_files_and_folders_are_refused(tmp_path: Path) -> None:
    results = write(tmp_path)
    with pytest.raises(UsageError, match="data/b.parquet is no file of predictions"):
        trace(results / "data/b.parquet")
    (tmp_path / "else").mkdir()
    with pytest.raises(UsageError, match="is no output of a backfill"):
        trace(tmp_path / "else")
    with pytest.raises(UsageError, match="is no output of a backfill"):
        trace("/a")


def test_results_of_several_models_are_not_mixed(tmp_path: Path) -> None:
    other = model_folder("cd" * 32)
    write(tmp_path).rename(tmp_path / other)
    write(tmp_path)
    names = f"{model_folder('ab' * 32)}, {other}"
    with pytest.raises(UsageError, match=f"has the results of 2 models; name one of {names}"):
        trace(tmp_path)
    assert trace(tmp_path / other)["rows"] == 90


def test_unfinished_or_damaged_output_is_a_sentence(tmp_path: Path) -> None:
    results = write(tmp_path)
    (results / "manifest.json").write_text('{"schema_version": 1}')
    with pytest.raises(MeshError, match=r"manifest.json is malformed: "):
        trace(results)
    (results / "manifest.json").unlink()
    with pytest.raises(MeshError, match="the backfill isn't complete"):
        trace(tmp_path)
