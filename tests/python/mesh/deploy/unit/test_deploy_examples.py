"""The checked-in examples are what the command writes."""

from pathlib import Path

import pytest

from mesh.core.project import get_project
from mesh.deploy.emit import files_of, write
from mesh.deploy.release import Release, with_version
from mesh.registry.base import ModelRegistry

EXAMPLES = Path("deploy")


@pytest.mark.parametrize("name", ["keywords", "lsh"])
def test_examples_are_what_the_command_writes(
    name: str, measured_version: ModelRegistry, tmp_path: Path
) -> None:
    project = get_project(name)
    release = Release(
        project=project, name=name, image_registry="registry.example.com", image_tag="v1"
    )
    if project.kind == "trained":
        release = with_version(release, measured_version, f"{project.compiled_model}:prod")
    write(tmp_path / name, files_of(release))
    assert texts(EXAMPLES / name) == texts(tmp_path / name), f"copy {tmp_path / name} to deploy"


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}
