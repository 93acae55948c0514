"""The script `build-support/lock`, run in a small repository with an index of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from locking.exemptions import ELSEWHERE, SOURCE_ONLY
from locking.locks import LOCKS

from build_support.unit.lock_workshop import find_uv
from package_index import PackageIndex

MODELS = "3rdparty/python/models"


class Repository:
    """What the script needs; each requirements file asks for tiny."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "clone, é #1"
        self.home = folder / "home"
        self.index = PackageIndex(folder / "index")
        for name in ("bootstrap", "locking"):
            shutil.copytree(f"build-support/{name}", self.root / "build-support" / name)
        for lock in LOCKS:
            for file in (*lock.requirements, *lock.overrides):
                self.write(file, "tiny\n")
        for name in ("lock", "with-python", "uv.txt"):
            shutil.copy(f"build-support/{name}", self.root / "build-support")
        self.write("build-support/pants-overrides.txt", "tiny<2\n")
        self.write(f"{MODELS}.txt", "".join(f"{name}==1.0\n" for name in SOURCE_ONLY) + "native\n")
        for name in SOURCE_ONLY:
            self.index.add_sources(name, "1.0")
        for known in ELSEWHERE:
            self.add(f"{MODELS}.txt", f"{known.name}=={known.version} ; sys_platform == 'linux'\n")
            self.index.add_wheel(known.name, known.version, tag="cp311-cp311-manylinux_2_28_x86_64")
        for tag in ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "macosx_14_0_arm64"):
            self.index.add_wheel("native", "1.0", tag=f"cp311-cp311-{tag}")
        for version in ("1.0", "2.0"):
            self.index.add_wheel("tiny", version)
        self._add_machine(folder / "bin")

    def _add_machine(self, folder: Path) -> None:
        folder.mkdir()
        # The interpreter of the tests has pip.
        (folder / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (folder / "python3").chmod(0o755)
        version = self.read("build-support/uv.txt").strip().removeprefix("uv==")
        digest = self.index.add_wheel("uv", version)
        self.write("build-support/uv.lock", f"uv=={version} \\\n    --hash=sha256:{digest}\n")
        installed = self.home / f".cache/mesh-build/uv-{version}/bin"
        installed.mkdir(parents=True)
        (installed / "uv").symlink_to(find_uv())
        links = self.home / "links"
        links.mkdir()
        # Where torch may be, PyTorch's index is not asked.
        (links / "torch-0.0-py3-none-any.whl").touch()
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PIP_FIND_LINKS": str(links),
            "PIP_INDEX_URL": self.index.address,
            "XDG_CONFIG_DIRS": str(self.home / "system"),
        }

    def write(self, path: str, text: str) -> None:
        """Write a file of the repository."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def add(self, path: str, line: str) -> None:
        """Add a line to a file of the repository."""
        self.write(path, self.read(path) + line)

    def read(self, path: str) -> str:
        """The text of a file of the repository."""
        return (self.root / path).read_text()

    def lock(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run the script; its exit code and what it said."""
        process = subprocess.run(
            [str(self.root / "build-support/lock"), *arguments],
            cwd=self.home,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return process.returncode, process.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_locks_are_written_and_hold_until_something_changes(repository: Repository) -> None:
    code, out = repository.lock("--check")
    assert code == 1
    assert all(f"{lock.path} is out of step" in out for lock in LOCKS)

    code, out = repository.lock(
        UV_CONSTRAINT="/nowhere", PIP_NO_INDEX="1", PIP_CONSTRAINT="/nowhere"
    )

    assert code == 0, out
    written = {lock.path: repository.read(lock.path) for lock in LOCKS}
    assert "# Download: 0 MB\n" in written[f"{MODELS}.lock"]
    for name in (*SOURCE_ONLY, "native", *(known.name for known in ELSEWHERE)):
        assert f"\n{name}==" in written[f"{MODELS}.lock"]
    for known in ELSEWHERE:
        assert known.digest in written[f"{MODELS}.lock"]
        assert (
            f"not looked up: {MODELS}.lock, {known.platform.name}, Python 3.11: {known.file}" in out
        )
    assert "tiny==2.0 \\" in written["3rdparty/python/serving.lock"]
    assert "tiny==1.0 \\" in written["build-support/pants.lock"]
    assert not any(
        "://" in text or str(repository.home.parent) in text for text in written.values()
    )

    assert repository.lock("--check")[0] == 0
    repository.write("3rdparty/python/tools/ruff.txt", "tiny<2\n")
    # Tools share the versions of the models.
    assert "3rdparty/python/tools/ruff.lock can't be made" in repository.lock("--check")[1]
    repository.write("3rdparty/python/tools/ruff.txt", "native\n")
    code, out = repository.lock("--check")
    assert code == 1
    assert out.splitlines()[-1].endswith(
        "3rdparty/python/tools/ruff.lock is out of step: run build-support/lock"
    )
    assert {lock.path: repository.read(lock.path) for lock in LOCKS} == written


def test_package_that_a_platform_lacks_is_named(repository: Repository) -> None:
    repository.index.add_wheel("linux-only", "1.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    repository.index.add_sources("linux-only", "1.0")
    repository.add(f"{MODELS}.txt", "linux-only\n")

    code, out = repository.lock()

    assert code == 1
    problems = [line for line in out.splitlines() if "linux-only" in line]
    assert len(problems) == 2
    for platform in ("Linux arm64", "macOS arm64"):
        where = f"{MODELS}.lock, {platform}, Python 3.11: linux-only 1.0"
        assert any(f"{where} has no wheel" in problem for problem in problems)


def test_unknown_argument(repository: Repository) -> None:
    code, out = repository.lock("--chekc")

    assert code == 2
    assert "unrecognized arguments: --chekc" in out
