"""Finds Python interpreters on this machine, and lets uv install those that are missing.

Runs on any Python from 3.7 on.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pip_settings import clean_environment, read_sources
from progress import BootstrapError, run, say

# Pants is installed into a virtual environment. Debian's own Python may lack these modules.
FOR_PANTS = "import ensurepip, venv"
# An interpreter that was built without a library's headers lacks the module for it.
FOR_CODE = "import bz2, ctypes, lzma, sqlite3, ssl"
_REPORT = (
    "import os, sys; print('%d.%d' % sys.version_info[:2]);"
    " print(os.path.join(sys.base_exec_prefix, 'bin', 'python%d.%d' % sys.version_info[:2]))"
)
_REMEDY = (
    "Install uv, which brings Python {version} where GitHub can be reached (on macOS `brew install uv`, on Fedora"
    " `dnf install uv`, on Debian and Ubuntu `apt-get install pipx && pipx install uv`), or Python {version} itself"
    " (on Fedora `dnf install python{version}`, on macOS `brew install python@{version}`, on Debian and Ubuntu with"
    " pyenv), and run this again."
)


def need_python(purpose: str, needs: str, versions: list[str], cache: Path, root: Path) -> str:
    """The path of an interpreter of one of the versions; uv installs the first when there is none.

    Args:
        purpose: completes the sentence "Python 3.11 is needed ...".
        needs: statements that must run in it.
        versions: major and minor numbers, the preferred one first.
        cache: the folder of `./pants`, where uv and its interpreters go.
        root: the repository.

    Raises:
        BootstrapError: there is none, and it can't be installed.
    """
    for version in versions:
        found = find_python(version, needs, cache)
        if found:
            return found
    first = versions[0]
    missing = f"Python {' or '.join(versions)} is needed {purpose}, and none was found"
    try:
        uv = _find_uv(cache, root)
        say(f"{missing}; uv installs Python {first} into {cache / 'python'}")
        command = [uv, "python", "install", "--no-progress", "--no-bin", first]
        run(command, f"installing Python {first}", env=_uv_environment(cache))
    except BootstrapError as error:
        remedy = _REMEDY.format(version=first)
        raise BootstrapError(f"{missing}. {error} {remedy}") from error
    found = find_python(first, needs, cache)
    if not found:
        raise BootstrapError(f"{missing}: the one that uv installed does not work ({needs}).")
    return found


def find_python(version: str, needs: str, cache: Path) -> str | None:
    """The path of a working interpreter of a version, such as 3.11: on PATH, of pyenv, or of uv."""
    for candidate in _candidates(version, cache):
        # A shim of pyenv may have the name without an interpreter, so each one is tried.
        try:
            tried = subprocess.run(
                [candidate, "-I", "-c", f"{needs}\n{_REPORT}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError:
            continue
        answer = tried.stdout.splitlines()
        if tried.returncode == 0 and answer[0] == version:
            return answer[1] if os.access(answer[1], os.X_OK) else candidate
    return None


def _candidates(version: str, cache: Path) -> Iterator[str]:
    for name in (f"python{version}", "python3", "python"):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            found = shutil.which(name, path=folder or os.curdir)
            if found:
                yield os.path.abspath(found)
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    yield from sorted(glob.glob(f"{glob.escape(pyenv)}/versions/{version}.*/bin/python"))
    yield from sorted(glob.glob(f"{glob.escape(str(cache))}/python/*-{version}.*/bin/python3"))
    uv = shutil.which("uv")
    if uv:
        command = [uv, "python", "find", "--no-project", "--no-python-downloads", version]
        found_by_uv = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        yield from found_by_uv.stdout.split("\n")[:1] if found_by_uv.returncode == 0 else ()


def _find_uv(cache: Path, root: Path) -> str:
    """The path of uv: the caller's own, or else the pinned one."""
    return shutil.which("uv") or pinned_uv(cache, root)


def pinned_uv(cache: Path, root: Path) -> str:
    """The path of the uv that build-support/uv.lock pins; the first call installs it from the package index.

    Raises:
        BootstrapError: it can't be installed.
    """
    requirements = root / "build-support" / "uv.lock"
    pin = next(line for line in requirements.read_text().splitlines() if line.startswith("uv=="))
    folder = cache / pin.split()[0].replace("==", "-")
    if not folder.exists():
        say("uv isn't on this machine; it is installed from the package index")
        building = cache / f"building.uv.{os.getpid()}"
        python = _python_with_pip(building / "pip")
        sources = read_sources()
        # Unlike an environment, every pip can write a target folder, even a managed system's.
        run(
            [
                *(python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"),
                *("--only-binary", ":all:", "--target", str(building / "uv")),
                *("--requirement", str(requirements), *sources.pip_flags()),
            ],
            "installing uv",
            env=clean_environment(sources),
        )
        (building / "uv").rename(folder)
        shutil.rmtree(str(building))
    return str(folder / "bin" / "uv")


def _python_with_pip(folder: Path) -> str:
    if importlib.util.find_spec("pip"):
        return sys.executable
    if not importlib.util.find_spec("ensurepip"):
        raise BootstrapError(
            f"uv can't be installed: {sys.executable} has neither pip nor ensurepip"
            " (on Debian and Ubuntu: `apt-get install python3-pip`)."
        )
    run([sys.executable, "-I", "-m", "venv", str(folder)], "making an environment for pip")
    return str(folder / "bin" / "python")


def _uv_environment(cache: Path) -> dict[str, str]:
    environment = clean_environment(read_sources())
    environment["UV_PYTHON_INSTALL_DIR"] = str(cache / "python")
    return environment
