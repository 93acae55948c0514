"""The commit and the origin of the code, which images are labelled with."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

_PACKAGING_GOALS = {"package", "publish"}
# git@github.com:owner/name.git, https://token@github.com/owner/name
_ORIGIN = re.compile(
    r"(?:https?://|ssh://)?(?:[^@/]+@)?(\w[\w.-]*(?::\d+)?)[:/]([\w./~-]+?)(?:\.git)?/?"
)


def code_variables(root: Path, arguments: list[str]) -> dict[str, str]:
    """Variables with the code's commit, `-dirty` if changed, and address, for goals that make images."""
    if not _PACKAGING_GOALS.intersection(arguments):
        return {}
    commit = _git(root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    origin = source_address(_git(root, "remote", "get-url", "origin"))
    found = {"MESH_CODE_REVISION": commit, "MESH_CODE_SOURCE": origin}
    return {name: value for name, value in found.items() if value}


def source_address(origin: str) -> str:
    """The address of a repository for people, without credentials; empty for a folder."""
    match = _ORIGIN.fullmatch(origin)
    return f"https://{match[1]}/{match[2]}" if match and "." in match[1] else ""


def _git(root: Path, *arguments: str) -> str:
    """The output of git; empty where there is no git or no repository."""
    program = shutil.which("git")
    if program is None:
        return ""
    command = [program, "-C", str(root), *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.stdout.strip() if result.returncode == 0 else ""
