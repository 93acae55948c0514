"""Installs Pants from the package index: `python install.py ROOT CACHE HOME`.

Runs on any Python from 3.7 on. HOME is complete if it exists: it gets its name at the end, so the
installation can be interrupted at any moment, and started several times at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from interpreters import FOR_CODE, FOR_PANTS, need_python
from pip_settings import clean_environment, read_sources
from progress import BootstrapError, reporting, run, say


def main(root: Path, cache: Path, home: Path) -> None:
    """Install Pants for the repository `root` as the folder `home` of `cache`, unless it is there.

    Raises:
        BootstrapError: something is missing or failed.
        OSError: a folder can't be written.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _lock(cache / "lock"):
        if home.exists():
            return
        for unfinished in cache.glob("building.*"):
            shutil.rmtree(str(unfinished))
        _announce(root, home)
        pants_python = need_python("to run Pants", FOR_PANTS, ["3.9", "3.8", "3.7"], cache, root)
        code_python = need_python("to run the code", FOR_CODE, ["3.11"], cache, root)
        building = cache / f"building.{os.getpid()}"
        building.mkdir()
        _install_pants(root / "build-support" / "pants.lock", pants_python, building)
        pex = _make_pex(root / "build-support" / "pants.lock", building)
        settings = {
            "code": code_python,
            "pex_sha256": hashlib.sha256(pex).hexdigest(),
            "pex_size": len(pex),
        }
        (building / "settings.json").write_text(json.dumps(settings))
        building.rename(home)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("a") as opened:
        # Inherited by the processes that this one starts; see `progress.run`.
        os.set_inheritable(opened.fileno(), True)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another ./pants, which is installing")
            with reporting("waiting for another ./pants, which is installing"):
                fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _announce(root: Path, home: Path) -> None:
    size = download_size(root / "build-support" / "pants.lock")
    say(
        f"this first start installs Pants{size} into {home}, and then the locked packages that a"
        " command needs:"
    )
    for name in ("models", "serving"):
        lock = root / "3rdparty" / "python" / f"{name}.lock"
        say(f"  {name}: {count_pins(lock)} packages{download_size(lock)}")


def count_pins(lock: Path) -> int:
    """How many packages a lock file pins."""
    return sum("==" in line for line in lock.read_text().splitlines() if line[:1].isalnum())


def download_size(lock: Path) -> str:
    """The size in the head of a lock file, such as ` (9 MB to download)`, or nothing."""
    for line in lock.read_text().splitlines():
        if line.startswith("# Download: "):
            return f" ({line[len('# Download: '):]} to download)"
    return ""


def _install_pants(lock: Path, python: str, building: Path) -> None:
    venv = building / "venv"
    run([python, "-I", "-m", "venv", str(venv)], "making an environment for Pants")
    sources = read_sources()
    total = count_pins(lock)

    def how_far() -> str:
        done = len(list(venv.glob("lib/python*/site-packages/*.dist-info")))
        return f"{done} of {total} packages" if done > 3 else "downloading"

    run(
        [
            *(
                *_pip(building),
                "install",
                "--require-hashes",
                "--no-deps",
                "--requirement",
                str(lock),
            ),
            *sources.pip_flags(),
        ],
        "installing Pants",
        env=clean_environment(sources),
        how_far=how_far,
    )


def _make_pex(lock: Path, building: Path) -> bytes:
    """Make Pex a single file of the package on the index; Pants would download the same from GitHub."""
    requirement = building / "pex.txt"
    requirement.write_text(_pex_requirement(lock))
    sources = read_sources()
    environment = dict(clean_environment(sources), PEX_ROOT=str(building / "pex_root"))
    run(
        [
            *(*_pip(building), "download", "--no-deps", "--require-hashes"),
            *("--dest", str(building / "wheels"), "--requirement", str(requirement)),
            *sources.pip_flags(),
        ],
        "downloading Pex",
        env=environment,
    )
    [wheel] = (building / "wheels").glob("pex-*.whl")
    pex = building / "pex"
    # Without --no-strip-pex-env, it would ignore Pants' PEX_ROOT and do all work twice.
    run(
        [
            *(_python(building), "-m", "pex", str(wheel), "--console-script", "pex", "--no-pypi"),
            *("--no-compile", "--no-strip-pex-env", "--interpreter-constraint", ">=3.7,<3.13"),
            *("--output-file", str(pex)),
        ],
        "making Pex one file",
        env=environment,
    )
    for rest in ("wheels", "pex_root"):
        shutil.rmtree(str(building / rest))
    return pex.read_bytes()


def _pex_requirement(lock: Path) -> str:
    lines = iter(lock.read_text().splitlines(keepends=True))
    pin = next(line for line in lines if line.startswith("pex=="))
    return pin + "".join(itertools.takewhile(lambda line: line.strip().startswith("--hash"), lines))


def _python(building: Path) -> str:
    return str(building / "venv" / "bin" / "python")


def _pip(building: Path) -> list[str]:
    return [_python(building), "-m", "pip", "-qq"]


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except BootstrapError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted; the next start begins again")
        sys.exit(130)
    except OSError as error:
        say(
            f"{error.filename or sys.argv[2]} can't be written ({error.strerror}): make it writable or free space,"
            " or set XDG_CACHE_HOME to another folder."
        )
        sys.exit(1)
