"""Runs uv. Of this machine's configuration of pip and uv, it gets only the sources of packages."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pip_settings import Sources, clean_environment

from locking.errors import LockError
from locking.platforms import MACOS_VERSION


class Uv:
    """uv on this machine.

    Args:
        program: its path.
        sources: where pip installs from.
    """

    def __init__(self, program: Path, sources: Sources) -> None:
        own = os.environ.get
        index = own("UV_DEFAULT_INDEX") or own("UV_INDEX_URL") or sources.index
        more = f"{own('UV_INDEX', '')} {own('UV_EXTRA_INDEX_URL', '')}".split()
        links = [*sources.find_links, *filter(None, own("UV_FIND_LINKS", "").split(","))]
        # The locks are for Linux too, wherever they are written.
        links += replace(sources, find_links=links).torch_links()
        self._program = program
        self._more_indexes = " ".join([*more, *sources.extra_indexes])
        self._flags = [
            "--quiet",
            "--no-config",
            "--no-python-downloads",
            "--python",
            sys.executable,
        ]
        for link in links:
            self._flags += ["--find-links", link]
        self._environment = {
            **clean_environment(sources),
            "MACOSX_DEPLOYMENT_TARGET": MACOS_VERSION,
            **({"UV_DEFAULT_INDEX": index} if index else {}),
        }

    def compile(self, folder: Path, arguments: Sequence[str]) -> None:
        """Run `uv pip compile` in a folder.

        Raises:
            LockError: there is no solution; the message is uv's.
        """
        done = self._with_more_indexes(["compile", *arguments], folder)
        if done.returncode:
            raise LockError(done.stderr.strip())

    def install(self, lock: Path, folder: Path) -> None:
        """Install the packages of a lock into a folder.

        Raises:
            LockError: a package can't be had; the message is uv's.
        """
        arguments = ["--no-deps", "--require-hashes", "--target", str(folder)]
        done = self._with_more_indexes(
            ["install", *arguments, "--requirement", str(lock.resolve())], folder
        )
        if done.returncode:
            raise LockError(f"{lock.name} can't be installed: {done.stderr.strip()}")

    def _with_more_indexes(
        self, arguments: Sequence[str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        verb, *rest = arguments
        command = [str(self._program), "pip", verb, *self._flags, *rest]
        done = self._run(command, folder, self._environment)
        if done.returncode and self._more_indexes:
            # Only for packages that the main index lacks: if both have a version, a mirror may have
            # wheels for one platform only, and the lock would have only their digests.
            more = ["--index-strategy", "unsafe-best-match"]
            environment = {**self._environment, "UV_INDEX": self._more_indexes}
            done = self._run([*command, *more], folder, environment)
        return done

    def _run(
        self, command: Sequence[str], folder: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True
        )
