"""`./pants` on a machine whose pip is configured with what would change, or stop, an installation."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_support.functional.small_repository import SmallRepository, require_pants
from hostile_pip import write_hostile_file
from package_index import PackageIndex, pin

# A start of Pants each: those that are most likely on a company's machine.
HOSTILE = (
    "constraint",
    "no-binary",
    "no-index",
    "prefer-binary",
    "require-hashes",
    "require-virtualenv",
    "target",
    "user",
)
# Pex's pip reads the machine's own folders, so that a hostile one has to lie over one of them.
MACHINE = Path("/etc/xdg")
UNSHARE = ("unshare", "--mount", "--propagation", "private")


class Clone(SmallRepository):
    """A small repository with a resolve for each setting, in a mount namespace with the hostile configuration."""

    def __init__(self, folder: Path) -> None:
        self.etc = folder / "etc"
        self.index = PackageIndex(folder / "index")
        (folder / "clone").mkdir()
        lock = pin("tiny", "1.0", self.index.add_wheel("tiny", "1.0"))
        files, resolves, targets = {}, "", ""
        for name in HOSTILE:
            files[f"3rdparty/{name}.lock"] = lock
            resolves += f'{name} = "3rdparty/{name}.lock"\n'
            targets += (
                f'python_requirement(name="tiny-{name}", requirements=["tiny==1.0"], resolve="{name}")\n'
                f'pex_binary(name="{name}", entry_point="tiny", dependencies=[":tiny-{name}"], resolve="{name}")\n'
            )
        files["BUILD"] = targets
        files["pants.toml"] = (
            '[GLOBAL]\npants_version = "2.17.1"\nbackend_packages = ["pants.backend.python"]\n'
            "[anonymous-telemetry]\nenabled = false\n"
            '[python]\ninterpreter_constraints = ["CPython==3.11.*"]\nenable_resolves = true\n'
            f'default_resolve = "user"\nresolves_generate_lockfiles = false\n[python.resolves]\n{resolves}'
        )
        super().__init__(folder / "clone", files)

    def package(self, name: str) -> "subprocess.CompletedProcess[str]":
        script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
        command = [*UNSHARE, "bash", "-c", script, "bash", str(self.etc), str(MACHINE), "./pants"]
        return subprocess.run(
            [
                *command,
                f"--python-repos-indexes=+['{self.index.address}']",
                "package",
                f"//:{name}",
            ],
            cwd=self.folder,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    if not MACHINE.is_dir() or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode:
        pytest.skip(
            "only root, where mounts are allowed, can lay a configuration over the machine's own"
        )
    require_pants()
    clone = Clone(tmp_path_factory.mktemp("machine"))
    yield clone
    clone.stop()


@pytest.mark.parametrize("name", HOSTILE)
def test_wheel_is_installed_as_locked(clone: Clone, name: str) -> None:
    file = clone.etc / "pip" / "pip.conf"
    shutil.rmtree(file.parent, ignore_errors=True)
    write_hostile_file(name, clone.folder.parent, file)

    packaged = clone.package(name)

    assert packaged.returncode == 0, packaged.stderr
    pex = [str(clone.folder / f"dist/{name}.pex"), "-c", "import tiny; print(tiny.version)"]
    environment = {**os.environ, "PEX_INTERPRETER": "1"}
    installed = subprocess.run(pex, capture_output=True, text=True, check=True, env=environment)
    assert installed.stdout == "1.0\n"
