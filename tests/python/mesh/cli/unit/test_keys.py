"""`mesh keys`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mesh.cli.keys import group
from mesh.core.errors import MeshError
from mesh.serve.access.keys import read_keys


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(group, arguments)
    if isinstance(result.exception, MeshError):
        raise result.exception
    return result


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "made" / "keys.json"
    monkeypatch.setenv("SERVE_API_KEYS_FILE", str(file))
    return file


def test_a_key_from_its_making_to_its_end(file: Path) -> None:
    made = run("new", "web", "--scope", "predict", "--scope", "inspect", "--days", "30")
    text = made.stdout.strip()
    found = read_keys(file).find(text)
    assert found is not None
    assert found.expires is not None
    assert (found.name, (found.expires - found.created).days) == ("web", 30)
    assert text not in made.stderr
    assert "web" in run("list").output
    [listed] = json.loads(run("list", "--json").output)
    assert sorted(listed["scopes"]) == ["inspect", "predict"]
    assert "sha256" not in listed
    run("new", "batch", "--requests-per-minute", "7")
    assert "7" in run("list").output
    run("revoke", listed["id"])
    assert read_keys(file).find(text) is None
    run("revoke", "batch")
    assert json.loads(file.read_text()) == {"keys": []}


def test_a_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVE_API_KEYS_FILE", raising=False)
    other = tmp_path / "other.json"
    assert run("new", "a", "--file", str(other)).stdout.startswith("mesh_")
    assert other.exists()
    with pytest.raises(MeshError, match=r"--file, or set SERVE_API_KEYS_FILE"):
        run("list")


@pytest.mark.parametrize("name", ["", "a b", "../a", "-a", "a" * 65, "é", "a\n"])
def test_names_that_are_none(file: Path, name: str) -> None:
    with pytest.raises(MeshError, match="is not a name of a caller"):
        run("new", "--", name)
    assert not file.exists()


def test_a_name_is_given_once(file: Path) -> None:
    run("new", "a")
    before = file.read_bytes()
    with pytest.raises(MeshError, match=r"has a key of a already.*a-2"):
        run("new", "a")
    with pytest.raises(MeshError, match="has no key 'b'"):
        run("revoke", "b")
    assert file.read_bytes() == before


def test_a_damaged_file_stays_as_it_is(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{")
    for arguments in (["new", "a"], ["revoke", "a"], ["list"]):
        with pytest.raises(MeshError, match=f"{file} is not valid JSON"):
            run(*arguments)
    assert file.read_text() == "{"


def test_keys_that_have_expired_are_marked(file: Path) -> None:
    run("new", "a")
    document = json.loads(file.read_text())
    document["keys"][0]["expires"] = "2026-01-01T00:00:00Z"
    file.write_text(json.dumps(document))
    assert "(expired)" in run("list").output
