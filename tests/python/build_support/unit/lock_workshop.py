"""A folder in which locks are made by a real uv, of packages in an index of its own."""

import os
import shutil
import sysconfig
from pathlib import Path

import pytest
from locking.compiling import compile_lock
from locking.locks import Lock
from locking.uv import Uv
from pip_settings import read_sources

from package_index import PackageIndex

LOCK = Lock("some.lock", ("some.txt",))


def find_uv() -> Path:
    """The program of the package uv."""
    found = shutil.which("uv", path=sysconfig.get_path("scripts"))
    assert found, "the package uv brings the program"
    return Path(found)


class Workshop:
    """A repository with one requirements file, on a machine with nothing configured but the index.

    The index has tiny 1.0 and 2.0, the latter with a dependency, small 1.0.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.index = PackageIndex(folder / "index")
        self.home = folder / "home"
        self.root = folder / "repository"
        self.work = folder / "work"
        for made in (self.home, self.root, self.work, folder / "links"):
            made.mkdir()
        for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "XDG_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(self.home))
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(self.home / "system"))
        monkeypatch.setenv("PIP_INDEX_URL", self.index.address)
        # Where torch may be, PyTorch's index is not asked.
        (folder / "links" / "torch-0.0-py3-none-any.whl").touch()
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder / "links"))
        self.index.add_wheel("tiny", "1.0")
        self.index.add_wheel("tiny", "2.0", requires=["small"])
        self.index.add_wheel("small", "1.0")

    @property
    def uv(self) -> Uv:
        """uv, with what is configured now."""
        return Uv(find_uv(), read_sources())

    def lock(self, requirements: str, *, upgrade: bool = False) -> str:
        """The lock of the requirements."""
        (self.root / "some.txt").write_text(requirements)
        return compile_lock(LOCK, self.root, self.work, self.uv, upgrade=upgrade)
