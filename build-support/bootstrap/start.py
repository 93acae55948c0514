"""Starts the installed Pants, or a program that it prepares: `start.py ROOT HOME [ARGUMENT ...]`.

Runs on the Python that Pants is installed with.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from code_version import code_variables
from follow import follow
from pants_run import run_here, start_program
from pip_settings import read_sources
from progress import BootstrapError, say

# Pants must not find these modules before its own.
del sys.path[0]
# Goals whose first success shows that the locked packages are installed.
_INSTALLING_GOALS = {"check", "package", "prepare-run", "run", "test"}


def main(root: Path, home: Path, arguments: list[str]) -> int:
    """Run Pants with arguments and return its exit code.

    This process becomes Pants, or the program that Pants runs, wherever it can.

    Raises:
        BootstrapError: Pants can't be started.
    """
    settings = json.loads((home / "settings.json").read_text())
    if not os.access(settings["code"], os.X_OK):
        raise BootstrapError(
            f"{settings['code']}, the Python that runs the code, is gone: delete {home} and run this again."
        )
    if not os.access(root, os.W_OK):
        raise BootstrapError(
            f"Pants writes into {root}, which is not writable; clone into another folder."
        )
    os.environ.update(_environment(root, home, settings, arguments))
    # These are meant for the caller's own Python, but would affect Pants' too.
    for name in ("PYTHONPATH", "PYTHONHOME"):
        os.environ.pop(name, None)
    pants = _Pants(root, home, "repl" not in arguments)
    arguments = start_program(arguments, pants.prepare)
    if not pants.is_followed:
        os.execv(sys.executable, [sys.executable, pants.script, *arguments])  # noqa: S606
    return pants.follow(arguments)


class _Pants:
    """The installed Pants.

    Pants draws its progress on a terminal. The first start, and every start without a terminal,
    prints lines instead.
    """

    def __init__(self, root: Path, home: Path, may_be_followed: bool) -> None:
        self.script = str(home / "venv" / "bin" / "pants")
        self._root = root
        self._ready = home / f"ready-{_checksum(root)}"
        is_explained = self._ready.exists() and sys.stderr.isatty()
        self.is_followed = may_be_followed and not is_explained
        if not self._ready.exists():
            os.environ.setdefault("PANTS_DYNAMIC_UI", "false")

    def prepare(self, arguments: list[str]) -> int:
        """Let Pants prepare a program without reading its standard input; return the exit code."""
        if self.is_followed:
            return self.follow(arguments, subprocess.DEVNULL)
        return run_here(self.script, arguments)

    def follow(self, arguments: list[str], stdin: int | None = None) -> int:
        """Run Pants, explain its output, and return its exit code."""
        exit_code = follow([sys.executable, self.script, *arguments], self._root, stdin)
        if exit_code == 0 and _INSTALLING_GOALS.intersection(arguments):
            self._ready.touch()
        return exit_code


def _environment(
    root: Path, home: Path, settings: dict[str, object], arguments: list[str]
) -> dict[str, str]:
    """Variables of Pants' options; the caller's own take precedence."""
    lock = (root / "build-support" / "pants.lock").read_text()
    found = re.search(r"^pex==([0-9.]+)", lock, re.MULTILINE)
    if not found:
        raise BootstrapError(
            "build-support/pants.lock has no line pex==...; run build-support/lock."
        )
    version = f"v{found.group(1)}"
    system = f"{platform.system()}_{platform.machine()}".lower()
    system = system.replace("aarch64", "arm64").replace("darwin", "macos")
    pex = f"{version}|{system}|{settings['pex_sha256']}|{settings['pex_size']}"
    environment = {
        **read_sources().pants_environment(),
        **code_variables(root, arguments),
        # One folder, not PATH: activating a virtual environment must not invalidate the cache.
        "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH": repr([os.path.dirname(str(settings["code"]))]),
    }
    environment = {name: os.environ.get(name, value) for name, value in environment.items()}
    environment["PANTS_PEX_CLI_VERSION"] = version
    environment["PANTS_PEX_CLI_URL_TEMPLATE"] = f"file://{quote(str(home / 'pex'))}"
    environment["PANTS_PEX_CLI_KNOWN_VERSIONS"] = repr([pex])
    # Pants recommends its launcher, which isn't a Python package, instead of a virtual environment.
    environment["NO_SCIE_WARNING"] = "1"
    tags = _unavailable_images(root, arguments)
    if tags:
        environment["PANTS_TAG"] = ",".join(filter(None, [os.environ.get("PANTS_TAG", ""), *tags]))
    return environment


def _unavailable_images(root: Path, arguments: list[str]) -> list[str]:
    """Tags that skip images that can't be built here, if everything below a folder is packaged."""
    if "package" not in arguments or not any(each.endswith("::") for each in arguments):
        return []
    script = str(root / "build-support" / "docker" / "unavailable")
    found = subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True)
    return [f"-{tag}" for tag in found.stdout.split()]


def _checksum(root: Path) -> str:
    """A name for the content of the locks."""
    sizes = [lock.stat().st_size for lock in sorted((root / "3rdparty" / "python").glob("*.lock"))]
    return "-".join(map(str, sizes))


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
    except BootstrapError as error:
        say(str(error))
        sys.exit(1)
    except OSError as error:
        say(f"{error.filename2 or error.filename or 'a file'} can't be used: {error.strerror}.")
        sys.exit(1)
