"""The version that a step uses, if nobody names one."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.results import chosen_reference, record_result
from mesh.registry.settings import RegistrySettings

PROJECT = Project(name="tiny", description="", port=1)
NAME = "TINY-TRAINED"


def versions(*numbers: int) -> list[Any]:
    card = SimpleNamespace(fingerprint="")
    return [
        SimpleNamespace(name=NAME, reference=f"{NAME}-{number}", card=card) for number in numbers
    ]


def unread() -> list[Any]:
    pytest.fail("the registry's versions are read although nothing depends on them")


@pytest.mark.parametrize(
    ("uri", "text", "here", "expected"),
    [
        ("sqlite:///a.db", "", (1, 2), f"{NAME}-1"),
        ("sqlite:///b/../a.db", "", (1, 2), f"{NAME}-1"),
        ("sqlite:///b.db", "", (1, 2), f"{NAME}:latest"),
        ("sqlite:///a.db", "", (2, 3), f"{NAME}:latest"),
        ("sqlite:///a.db", f"{NAME}:latest", (1, 2), f"{NAME}:latest"),
        ("sqlite:///a.db", f"{NAME}-2", (1, 2), f"{NAME}-2"),
    ],
)
def test_chosen_version(
    tmp_path: Path, uri: str, text: str, here: tuple[int, ...], expected: str
) -> None:
    workspace = WorkspaceSettings(workspace=tmp_path)
    [made] = versions(1)
    record_result(workspace, PROJECT, cast(Any, made), RegistrySettings(uri="sqlite:///a.db"))
    settings = RegistrySettings(uri=uri)
    found = chosen_reference(
        workspace, PROJECT, NAME, text, settings, unread if text else lambda: versions(*here)
    )
    assert found == expected


def test_workspace_without_results_takes_the_latest(tmp_path: Path) -> None:
    workspace = WorkspaceSettings(workspace=tmp_path)
    found = chosen_reference(workspace, PROJECT, NAME, "", RegistrySettings(), unread)
    assert found == f"{NAME}:latest"
    with pytest.raises(UsageError, match="is a version of NER-TRAINED"):
        chosen_reference(workspace, PROJECT, NAME, "NER-TRAINED-1", RegistrySettings(), unread)


def test_damaged_record(tmp_path: Path) -> None:
    workspace = WorkspaceSettings(workspace=tmp_path)
    folder = workspace.output(PROJECT, "results")
    folder.mkdir(parents=True)
    (folder / f"{NAME}.json").write_text("{")
    with pytest.raises(MeshError, match="run the step before again"):
        chosen_reference(workspace, PROJECT, NAME, "", RegistrySettings(), unread)
