"""A machine for tests of the bootstrap: its own tools, interpreters and package index, the rest is real."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from package_index import PackageIndex, pin

TOOLS = "bash cksum dirname env tr"
# Any Python passes for another version: it answers what the bootstrap asks, and otherwise is itself.
DISGUISE = """#!/bin/bash
case "$*" in
    *"sys.version_info[:2]"*) echo {version}; echo "$0" ;;
    *) exec {python} "$@" ;;
esac
"""
PANTS = """
import os, sys
def main():
    print("started", *sys.argv[1:])
    for name, value in os.environ.items():
        if name.startswith("PANTS_"):
            print(f"{name}={value}")
    print(os.environ.get("SAY", ""), file=sys.stderr, end="")
    return int(os.environ.get("EXIT_CODE", "0"))
"""
# GATE is a named pipe: the installation goes on when somebody writes a line there.
PEX = """
import os, sys
if os.environ.get("GATE"):
    print("at the gate", file=sys.stderr, flush=True)
    open(os.environ["GATE"]).readline()
os.makedirs(os.environ["PEX_ROOT"], exist_ok=True)
with open(sys.argv[sys.argv.index("--output-file") + 1], "w") as file:
    file.write("pex")
"""


class Machine:
    """A home folder, a PATH, a package index and a clone of what the bootstrap needs."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.bin = folder / "bin"
        self.root = folder / "clone"
        self.cache = self.home / ".cache" / "mesh-build"
        self.index = PackageIndex(folder / "index")
        self.home.mkdir()
        self.bin.mkdir()
        for tool in TOOLS.split():
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        self._clone()

    def _clone(self) -> None:
        (self.root / "3rdparty/python").mkdir(parents=True)
        shutil.copytree("build-support/bootstrap", self.root / "build-support/bootstrap")
        shutil.copy("build-support/uv.lock", self.root / "build-support")
        shutil.copy("pants", self.root)
        entry_points = "pantsbuild_pants-2.17.1.dist-info/entry_points.txt"
        script = "[console_scripts]\npants = fake_pants:main\n"
        pins = [
            self.publish(
                "pantsbuild-pants", "2.17.1", {"fake_pants.py": PANTS, entry_points: script}
            ),
            self.publish("pex", "2.1.137", {"pex/__init__.py": "", "pex/__main__.py": PEX}),
        ]
        (self.root / "build-support/pants.lock").write_text("# Download: 98 MB\n" + "".join(pins))
        for name in ("models", "serving"):
            (self.root / f"3rdparty/python/{name}.lock").write_text("numpy==2.4.6\ntorch==2.13.0\n")

    def publish(self, name: str, version: str, files: dict[str, str]) -> str:
        """Put a package on the index; its line for a lock file."""
        return pin(name, version, self.index.add_wheel(name, version, files=files))

    def add(self, path: Path, content: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o755)

    def add_python(self, version: str, path: Path | None = None) -> None:
        disguise = DISGUISE.format(version=version, python=os.path.realpath(sys.executable))
        self.add(path or self.bin / f"python{version}", disguise)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": str(self.bin),
            "PIP_INDEX_URL": self.index.address,
            # Nothing of this machine's own configuration.
            "XDG_CONFIG_DIRS": str(self.home / "no-configuration"),
        }

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["bash", str(self.root / "pants"), *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err
