"""The commit and the origin that images are labelled with."""

import subprocess
from pathlib import Path

import code_version
import pytest


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message=One")
    # A tag is not a commit.
    git(tmp_path, "tag", "v1")
    return tmp_path


@pytest.mark.parametrize("goal", ["package", "publish"])
def test_images_get_the_commit(repository: Path, goal: str) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    command = ["--no-pantsd", goal, "::"]

    assert code_version.code_variables(repository, command) == {"MESH_CODE_REVISION": commit}
    (repository / "file").write_text("two")
    assert code_version.code_variables(repository, command) == {
        "MESH_CODE_REVISION": f"{commit}-dirty"
    }


def test_other_goals_depend_on_no_commit(repository: Path) -> None:
    assert code_version.code_variables(repository, ["test", "package_of_tests::"]) == {}


def test_folder_without_a_repository_has_no_commit(tmp_path: Path) -> None:
    assert code_version.code_variables(tmp_path, ["package", "::"]) == {}


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("https://github.com/some/mesh.git", "https://github.com/some/mesh"),
        ("https://x:ghp_secret@github.com/some/mesh", "https://github.com/some/mesh"),
        ("git@github.com:some/mesh.git", "https://github.com/some/mesh"),
        ("ssh://git@git.example.com/some/mesh/", "https://git.example.com/some/mesh"),
        ("https://git.example.com:8443/some/mesh", "https://git.example.com:8443/some/mesh"),
        ("/home/someone/mesh", ""),
        ("../mesh.git", ""),
        ("file:///home/someone/mesh.git", ""),
        ("", ""),
    ],
)
def test_source_is_an_address_without_credentials(origin: str, address: str) -> None:
    assert code_version.source_address(origin) == address


def test_origin_is_the_source(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:word@example.com/some/mesh.git")

    found = code_version.code_variables(repository, ["package", "::"])

    assert found["MESH_CODE_SOURCE"] == "https://example.com/some/mesh"
