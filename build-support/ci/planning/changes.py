"""The files that differ between a revision and the working tree."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from planning.errors import PlanError

Kind = Literal["added", "modified", "deleted"]
_KINDS: Mapping[str, Kind] = {"A": "added", "D": "deleted"}


@dataclass(frozen=True, order=True)
class Change:
    """One changed file, by its path in the repository; a renamed file is a deleted and an added one."""

    file: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.file} {self.kind}"


def git(root: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """The output of a git command.

    Raises:
        PlanError: it failed.
    """
    command = ["git", "-C", str(root), *arguments]
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **(environment or {})}
    )
    if result.returncode:
        raise PlanError(f"`{' '.join(command)}` failed: {result.stderr.strip()}")
    return result.stdout


def find_base(root: Path, revision: str) -> str:
    """The commit at which the working tree branched off a revision.

    Raises:
        PlanError: git refuses the clone, there is no such revision, or no common history.
    """
    git(root, "rev-parse", "--git-dir")
    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
        return git(root, "merge-base", commit, "HEAD").strip()
    except PlanError as error:
        raise PlanError(
            f"The revision {revision!r} isn't in this clone, or has no commit in common with HEAD; "
            "fetch it with its whole history (`git fetch --unshallow`), or plan everything with --all."
        ) from error


def find_changes(root: Path, base: str) -> list[Change]:
    """The differences between a commit and the working tree, untracked files included, by path."""
    fields = git(root, "diff", "--name-status", "--no-renames", "-z", base, "--").split("\0")[:-1]
    changes = {
        Change(file, _KINDS.get(letter, "modified"))
        for letter, file in zip(fields[::2], fields[1::2], strict=True)
    }
    untracked = git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")[:-1]
    known = {change.file for change in changes}
    # A file may be deleted in the index and still exist; then its content decides.
    changes = {change for change in changes if change.file not in untracked}
    changes |= {Change(file, "modified" if file in known else "added") for file in untracked}
    return sorted(changes)


def write_tree(root: Path, commit: str, folder: Path) -> None:
    """Write the files of a commit into a folder, without touching the repository."""
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": f"{scratch}/index"}
        git(root, "read-tree", commit, environment=index)
        git(root, "checkout-index", "--all", f"--prefix={folder}/", environment=index)
