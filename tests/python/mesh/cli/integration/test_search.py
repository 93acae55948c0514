"""`mesh search` with a tiny project: its output, the winner's version, and bad input."""

import sys
from pathlib import Path

import pytest

from mesh.cli import search as command
from mesh_in_process import Mesh, make_mesh
from tiny_training import OPINION_ROWS, OPINIONS, TINY, Tiny, write_recipe


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    tiny = Tiny(tmp_path / "tiny", OPINIONS)
    tiny.prepare(OPINION_ROWS)
    return tiny


@pytest.fixture
def mesh(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Mesh:
    """Runs `mesh search`."""
    monkeypatch.syspath_prepend(tmp_path / "code")
    for name in [name for name in list(sys.modules) if name.partition(".")[0] == "tiny"]:
        monkeypatch.delitem(sys.modules, name)
    write_recipe(tmp_path / "code")
    monkeypatch.setattr(command, "get_project", lambda _: TINY)
    monkeypatch.chdir(tiny.workspace.workspace)
    for name, value in tiny.settings(epochs=1).items():
        monkeypatch.setenv(f"TRAIN_{name.upper()}", str(value))
    monkeypatch.setenv("DATA_ROOT", tiny.data.root)
    monkeypatch.setenv("MESH_REGISTRY_URI", tiny.registry_settings.uri)
    monkeypatch.setenv("MESH_REGISTRY_ARTIFACTS", tiny.registry_settings.artifacts)
    Path("space.toml").write_text("[parameters]\nlearning_rate = [0.01]")
    capsys.readouterr()
    return make_mesh("search", monkeypatch, capsys)


def test_command_searches_in_processes_and_registers_on_request(mesh: Mesh, tiny: Tiny) -> None:
    arguments = ("tiny", "--space", "space.toml", "--trials", "2")
    code, output, errors = mesh(*arguments)
    assert code == 0, errors
    assert "export TRAIN_LEARNING_RATE=0.01" in output
    assert "trial 1 is the same as trial 0" in errors
    assert tiny.registry.list() == []
    code, output, errors = mesh(*arguments, "--register")
    assert code == 0, errors
    assert "the training has ended before" in errors
    assert [version.reference for version in tiny.registry.list()] == ["TINY-TRAINED-1"]
    code, output, errors = mesh(*arguments, "--retrain")
    assert code == 0, errors
    assert "epoch 1: validation score" in errors
    assert [version.version for version in tiny.registry.list()] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--space", "none.toml"), "error: The search space none.toml can't be read: No such"),
        (("--space", "space.toml", "--trials", "0"), "Invalid value for '--trials'"),
        (("--space", "space.toml", "--ray", "ray://a:1"), "error: --ray ray://a:1 isn't the addr"),
        (("--space", "space.toml", "--cpus", "2"), "error: --cpus and --gpus are for --ray; tri"),
        (("--trials", "3"), "Missing option '--space'"),
        (("--space", "."), "error: The search space . can't be read: Is a directory"),
    ],
)
def test_bad_input_is_a_sentence(mesh: Mesh, arguments: tuple[str, ...], expected: str) -> None:
    code, output, errors = mesh("tiny", *arguments)
    assert (code, output) == (2, "")
    assert expected in errors
    assert "Traceback" not in errors


def test_search_without_features_is_a_sentence(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "nothing")
    code, _, errors = mesh("tiny", "--space", "space.toml")
    assert code == 1
    [said] = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "features" in said
