"""Questions to Pants."""

import ast
import os
import shlex
import subprocess
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from planning.changes import git
from planning.errors import PlanError
from planning.graph import Graph

_KEPT = 16
_FORMAT = 1


def read_graph(root: Path, environment: Mapping[str, str] | None = None) -> str:
    """Pants' description of the targets in a folder with the repository's files, as JSON.

    An import of a deleted module must not hide its effects, so the checks report it instead.

    Raises:
        PlanError: Pants fails, such as for a BUILD file or an import that breaks a rule.
    """
    command = [
        "./pants",
        "--no-dynamic-ui",
        "--python-infer-unowned-dependency-behavior=ignore",
        "peek",
        "::",
    ]
    result = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    if result.returncode:
        raise PlanError(f"`{shlex.join(command)}` failed:\n{result.stderr.strip()}")
    return result.stdout


def read_base_graph(root: Path, commit: str, files: Path) -> Graph:
    """The targets of a commit, whose files are in a folder; cached by content.

    Raises:
        PlanError: Pants fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mesh-build/plan"
    tree = git(root, "rev-parse", f"{commit}^{{tree}}").strip()
    remembered = cache / f"{_FORMAT}-{tree}.json"
    if remembered.is_file():
        return Graph.parse(remembered.read_text(encoding="utf-8"))
    # A daemon would outlive the folder, which is about to be removed.
    text = read_graph(files, {"PANTS_PANTSD": "false", "PANTS_CONCURRENT": "true"})
    cache.mkdir(parents=True, exist_ok=True)
    partial = cache / f".{tree}.{os.getpid()}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.rename(remembered)
    by_age = sorted(cache.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT:]:
        old.unlink(missing_ok=True)
    return Graph.parse(text)


def read_tools(root: Path) -> dict[str, str]:
    """The resolve that each tool is installed from, as pants.toml says."""
    sections = tomllib.loads((root / "pants.toml").read_text(encoding="utf-8"))
    return {
        name: section["install_from_resolve"]
        for name, section in sections.items()
        if "install_from_resolve" in section
    }


def may_be_owned(root: Path, file: str) -> bool:
    """Whether a BUILD file beside or above has a string that matches; doesn't call Pants."""
    for folder in PurePosixPath(file).parents:
        build_file = root / folder / "BUILD"
        if not build_file.is_file():
            continue
        try:
            tree = ast.parse(build_file.read_bytes())
        except (SyntaxError, ValueError):
            return True
        inside = str(PurePosixPath(file).relative_to(folder))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                pattern = node.value.replace("**/", "*")
                if fnmatchcase(inside, pattern):
                    return True
    return False
