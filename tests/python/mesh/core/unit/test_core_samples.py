import json
import sys
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.core.samples import read_samples


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sampled_project"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sampled_project", raising=False)
    return folder


def test_samples_of_a_package_and_of_a_path(package: Path) -> None:
    path = package / "samples.json"
    path.write_text('["one", "zwölf"]', encoding="utf-8")

    assert read_samples("sampled_project:samples.json") == ["one", "zwölf"]
    assert read_samples(path) == ["one", "zwölf"]


@pytest.mark.parametrize("value", [[], {}, "text", [""], [1], ["one", None], ["\ud800"]])
def test_anything_but_a_list_of_texts_is_refused(package: Path, value: object) -> None:
    (package / "samples.json").write_text(json.dumps(value))

    with pytest.raises(MeshError, match="^sampled_project:samples.json must hold a JSON list"):
        read_samples("sampled_project:samples.json")


def test_missing_file_is_one_sentence(package: Path) -> None:
    with pytest.raises(MeshError, match="does not exist"):
        read_samples("sampled_project:none.json")
    with pytest.raises(MeshError, match="does not exist"):
        read_samples(package / "none.json")
