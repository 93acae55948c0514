"""The caller's pip settings decide only where packages of benchmarks come from."""

import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

import hostile_pip
from benchmarks.peer_servers import make_environment
from mesh.core.errors import MeshError
from package_index import PackageIndex


class Machine:
    """A machine that has only an index, with tiny 0.1 and 1.0, and requirements of 1.0."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith(("PIP_", "XDG_"))]:
            monkeypatch.delenv(name)
        self.folder = folder
        self.home = folder / "home"
        monkeypatch.setenv("HOME", str(self.home))
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(self.home / "system"))
        index = PackageIndex(folder / "index")
        for version in ("0.1", "1.0"):
            index.add_wheel("tiny", version)
        monkeypatch.setenv("PIP_INDEX_URL", index.address)
        links = folder / "links"
        links.mkdir()
        # A link to torch, so that pip doesn't use PyTorch's index.
        (links / "torch-0.0-py3-none-any.whl").touch()
        monkeypatch.setenv("PIP_FIND_LINKS", str(links))
        self.requirements = folder / "peer.txt"
        self.requirements.write_text("tiny==1.0\n")

    def installed(self) -> str:
        """The version of tiny in the environment."""
        environment = make_environment(self.requirements, self.folder / "cache")
        command = [str(environment / "bin" / "python"), "-c", "import tiny; print(tiny.version)"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip alone; copying it is faster than making one."""
    folder = tmp_path_factory.mktemp("environment") / "empty"
    venv.create(folder, with_pip=True)
    return folder


@pytest.fixture
def quick_machine(
    machine: Machine, empty_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    """Like `machine`, but new environments are copies."""

    def copy(folder: Path, clear: bool, with_pip: bool) -> None:
        shutil.copytree(empty_environment, folder, symlinks=True)

    monkeypatch.setattr(venv, "create", copy)
    return machine


@pytest.mark.parametrize("name", ["constraint", "no-index", "target", "user"])
def test_variable_decides_nothing(
    name: str, quick_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*hostile_pip.hostile_variable(name, quick_machine.folder))

    assert quick_machine.installed() == "1.0"


@pytest.mark.parametrize("name", ["constraint", "no-index"])
def test_configuration_of_the_machine_decides_nothing(name: str, quick_machine: Machine) -> None:
    file = quick_machine.home / "system" / "pip" / "pip.conf"
    hostile_pip.write_hostile_file(name, quick_machine.folder, file)

    assert quick_machine.installed() == "1.0"


def test_environment_is_made_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.installed() == "1.0"
    monkeypatch.setenv("PIP_INDEX_URL", (machine.folder / "nothing").as_uri())

    assert machine.installed() == "1.0"


def test_requirement_that_can_not_be_installed(quick_machine: Machine) -> None:
    quick_machine.requirements.write_text("tiny==7\n")

    with pytest.raises(MeshError, match="peer.txt can't be installed"):
        quick_machine.installed()
