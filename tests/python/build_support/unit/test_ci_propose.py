"""A pull request with newer locks, with a real clone and a `gh` that only says what it is asked."""

import os
import subprocess
from pathlib import Path

import pytest

PROPOSE = Path("build-support/ci/propose").resolve()
TOKEN = "token-of-the-job"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    command = ["git", *identity, *arguments]
    result = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return result.stdout.strip()


class Clone:
    """A clone of main with a lock, and its origin."""

    def __init__(self, folder: Path) -> None:
        self.origin, self.folder = folder / "origin.git", folder / "clone"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        git(folder, "clone", "--quiet", str(self.origin), str(self.folder))
        git(self.folder, "checkout", "--quiet", "-B", "main")
        for name in ("one.lock", "code.py"):
            (self.folder / name).write_text("old\n")
        git(self.folder, "add", ".")
        git(self.folder, "commit", "--quiet", "--message=One")
        git(self.folder, "push", "--quiet", "origin", "main")
        self.programs = folder / "bin"
        self.programs.mkdir()
        gh = self.programs / "gh"
        gh.write_text(f"""#!/bin/bash
echo "$1 $2 $3 $4" >>{folder}/asked
[[ $2 != list ]] || cat {folder}/open
""")
        gh.chmod(0o755)
        self.asked = folder / "asked"
        (folder / "open").write_text("0\n")
        self.open = folder / "open"
        self.patch = folder / "locks.patch"

    def change(self, *names: str) -> None:
        for name in names:
            (self.folder / name).write_text("new\n")
        self.patch.write_text(git(self.folder, "diff") + "\n" if names else "")
        git(self.folder, "checkout", "--quiet", "--", ".")

    def propose(self, patch: Path | None = None) -> subprocess.CompletedProcess[str]:
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [str(PROPOSE), str(patch or self.patch)],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "GH_TOKEN": TOKEN},
            capture_output=True,
            text=True,
            check=False,
        )

    def branches(self) -> list[str]:
        return git(self.origin, "branch", "--format=%(refname:short)").split()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_newer_locks_become_a_pull_request(clone: Clone) -> None:
    clone.change("one.lock")

    process = clone.propose()

    assert process.returncode == 0, process.stderr
    assert clone.branches() == ["main", "upgrade-locks"]
    assert git(clone.origin, "show", "upgrade-locks:one.lock") == "new"
    assert git(clone.origin, "show", "main:one.lock") == "old"
    assert clone.asked.read_text().splitlines() == [
        "pr list --head upgrade-locks",
        "pr create --head upgrade-locks",
    ]
    kept = git(clone.folder, "config", "--list") + process.stdout + process.stderr
    assert TOKEN not in kept


def test_open_pull_request_is_renewed(clone: Clone) -> None:
    git(clone.folder, "push", "--quiet", "origin", "main:refs/heads/upgrade-locks")
    clone.open.write_text("1\n")
    clone.change("one.lock")

    assert clone.propose().returncode == 0
    assert git(clone.origin, "show", "upgrade-locks:one.lock") == "new"
    assert clone.asked.read_text() == "pr list --head upgrade-locks\n"


def test_nothing_newer_proposes_nothing(clone: Clone) -> None:
    clone.change()

    process = clone.propose()

    assert (process.returncode, process.stdout) == (
        0,
        "propose: the locks have the newest versions\n",
    )
    assert clone.branches() == ["main"]
    assert not clone.asked.exists()


@pytest.mark.parametrize("names", [("code.py",), ("code.py", "one.lock")])
def test_patch_of_anything_else_is_refused(clone: Clone, names: tuple[str, ...]) -> None:
    clone.change(*names)

    process = clone.propose()

    assert process.returncode == 1
    assert process.stderr == "propose: the patch changes more than locks: code.py\n"
    assert clone.branches() == ["main"]


def test_missing_patch(clone: Clone) -> None:
    process = clone.propose(clone.folder / "none.patch")

    assert process.returncode == 2
    assert "none.patch' isn't a patch" in process.stderr
