from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings

PROJECT = Project(name="keywords", description="d", port=8080)


def test_places(tmp_path: Path) -> None:
    workspace = WorkspaceSettings(workspace=tmp_path)
    assert workspace.output(PROJECT, "compile") == tmp_path / "outputs/keywords/compile"
    assert workspace.models == tmp_path / "models"


def test_current_model_is_the_one_set_last(tmp_path: Path) -> None:
    workspace = WorkspaceSettings(workspace=tmp_path)
    for number in (1, 2):
        (tmp_path / f"models/KEYWORDS-COMPILED-{number}").mkdir(parents=True)
        workspace.set_current_model(PROJECT, f"KEYWORDS-COMPILED-{number}")
    assert workspace.current_model(PROJECT) == tmp_path / "models/KEYWORDS-COMPILED-2"


def test_no_current_model(tmp_path: Path) -> None:
    workspace = WorkspaceSettings(workspace=tmp_path)
    with pytest.raises(MeshError, match="No model of keywords is in"):
        workspace.current_model(PROJECT)
    workspace.set_current_model(PROJECT, "KEYWORDS-COMPILED-1")
    with pytest.raises(MeshError, match="KEYWORDS-COMPILED-1 was removed"):
        workspace.current_model(PROJECT)


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"reference": 1}'])
def test_malformed_record(tmp_path: Path, content: str) -> None:
    workspace = WorkspaceSettings(workspace=tmp_path)
    workspace.models.mkdir()
    (workspace.models / "KEYWORDS-COMPILED.json").write_text(content)
    with pytest.raises(MeshError, match=r"KEYWORDS-COMPILED\.json"):
        workspace.current_model(PROJECT)
