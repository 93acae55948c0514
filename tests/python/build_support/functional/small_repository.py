"""Small repositories of the mesh's kind for real Pants to work on."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest


class SmallRepository:
    """A folder with ./pants and ./mesh, what they need of build-support, and files of its own."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        for script in ("mesh", "pants"):
            shutil.copy(script, folder)
        # Of it there is here what the test depends on.
        ignored = shutil.ignore_patterns("__pycache__", "BUILD")
        shutil.copytree("build-support", folder / "build-support", ignore=ignored)
        for path, content in files.items():
            self.write(path, content)
        # Nor here does the machine's pip decide what is installed.
        self.append("pants.toml", f"\n{_section_of('subprocess-environment')}")

    def write(self, path: str, content: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

    def append(self, path: str, content: str = "\n# changed\n") -> None:
        self.write(path, (self.folder / path).read_text(encoding="utf-8") + content)

    def start(self, *command: str, folder: str = "", **environment: str) -> "subprocess.Popen[str]":
        """Start a command of the repository in one of its folders, with pipes for standard input and output."""
        return subprocess.Popen(
            [self.folder / command[0], *command[1:]],
            cwd=self.folder / folder,
            # Without what the environment of this test is made of.
            env={name: os.environ[name] for name in os.environ if "PEX_" not in name} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *command: str, folder: str = "", text: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of the repository to its end, with a text as standard input."""
        with self.start(*command, folder=folder, **environment) as process:
            out, err = process.communicate(text)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def stop(self) -> None:
        """Stop the daemon of Pants that works on this folder."""
        for file in (self.folder / ".pids").rglob("pantsd/pid"):
            with contextlib.suppress(psutil.NoSuchProcess):
                daemon = psutil.Process(int(file.read_text()))
                daemon.terminate()
                daemon.wait(timeout=60)


def _section_of(name: str) -> str:
    """A section of the repository's own pants.toml: what keeps the configuration away."""
    text = Path("pants.toml").read_text()
    return f"[{name}]" + text.partition(f"[{name}]")[2].partition("\n[")[0] + "\n"


def require_pants() -> None:
    """Skip the test where Pants would have to be installed first."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mesh-build"
    if not list(cache.glob("pants-*")):
        pytest.skip(f"Pants is not installed in {cache}; ./pants installs it")
