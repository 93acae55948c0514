import json
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.lifecycle.base_model import resolve_base_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "1_Pooling/config.json").write_text('{"mean": true}')
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    (tmp_path / "modeling.py").write_text("raise SystemExit")
    return tmp_path


def test_folder_gives_configuration_and_weights_but_no_pickle_and_no_code(
    folder: Path, tmp_path: Path
) -> None:
    base = resolve_base_model(str(folder))
    assert base.files == ("1_Pooling/config.json", "config.json", "model.safetensors")
    target = tmp_path / "copy"
    target.mkdir()
    base.copy_to(target)
    assert json.loads((target / "1_Pooling/config.json").read_text()) == {"mean": True}
    assert sorted(path.name for path in target.rglob("*") if path.is_file()) == [
        "config.json",
        "config.json",
        "model.safetensors",
    ]


def test_links_to_files_are_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = resolve_base_model(str(folder))
    blobs = tmp_path_factory.mktemp("blobs")
    (folder / "model.safetensors").rename(blobs / "1")
    (folder / "model.safetensors").symlink_to(blobs / "1")
    (folder / "logs").symlink_to("/nowhere")
    assert resolve_base_model(str(folder)) == before


@pytest.mark.parametrize(
    ("name", "gone"), [("model.safetensors", True), ("1_Pooling", False)], ids=["gone", "folder"]
)
def test_links_that_hide_files_are_refused_by_name(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, name: str, gone: bool
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / name
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to("/nowhere" if gone else elsewhere)
    reason = "nothing" if gone else "a folder"
    with pytest.raises(MeshError, match=f"{name} is a link to .*, which is {reason}: "):
        resolve_base_model(str(folder))


def test_digest_depends_on_the_files_that_count_only(folder: Path) -> None:
    before = resolve_base_model(str(folder)).source.digest
    (folder / "pytorch_model.bin").write_bytes(b"another pickle")
    assert resolve_base_model(str(folder)).source.digest == before
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert resolve_base_model(str(folder)).source.digest != before


def test_package_gives_its_folder_and_its_version_without_being_imported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "site/weights_in_a_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    model = package / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    information = tmp_path / "site/weights_in_a_package-1.2.3.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: weights-in-a-package\nVersion: 1.2.3\n"
    )
    (information / "top_level.txt").write_text("weights_in_a_package\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    base = resolve_base_model("package://weights_in_a_package/model")

    assert base.folder == model
    assert base.source.revision == "1.2.3"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("s3://bucket/model", "is not the address of a base model"),
        ("hf://missing-organisation", "is malformed"),
        ("hf://org/name@rev ision", "is malformed"),
        ("package://", "is malformed"),
        ("package://no_such_package/model", "is not installed"),
        ("package://json/../secret", "without '..'"),
        ("no/such/folder", "isn't a folder"),
    ],
)
def test_address_that_leads_nowhere_is_a_sentence(address: str, sentence: str) -> None:
    with pytest.raises(MeshError, match=sentence):
        resolve_base_model(address)


def test_pickled_weights_alone_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(MeshError, match="safetensors"):
        resolve_base_model(str(folder))


def test_folder_without_configuration_is_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(MeshError, match=r"no config\.json"):
        resolve_base_model(str(folder))
