"""Settings of pip that would change what is installed, for tests that install `tiny` or `uv`."""

from collections.abc import Mapping
from pathlib import Path

SETTINGS: Mapping[str, str] = {
    "constraint": "{folder}/constraints.txt",
    "dry-run": "true",
    "ignore-installed": "true",
    "no-binary": ":all:",
    "no-deps": "true",
    "no-index": "true",
    "only-binary": ":none:",
    "prefer-binary": "true",
    "prefix": "{folder}/prefix",
    "python": "{folder}/no-python",
    "python-version": "2.7",
    "quiet": "3",
    "report": "{folder}/no-folder/report",
    "require-hashes": "true",
    "require-virtualenv": "true",
    "requirement": "{folder}/constraints.txt",
    "root": "{folder}/root",
    "target": "{folder}/target",
    "user": "true",
}


def hostile_value(name: str, folder: Path) -> str:
    """The value of a setting; files that it names are made in a folder."""
    (folder / "constraints.txt").write_text("tiny==0.1\nuv==0.1\n")
    return SETTINGS[name].format(folder=folder)


def hostile_variable(name: str, folder: Path) -> tuple[str, str]:
    """The environment variable of a setting, and its value."""
    return f"PIP_{name.upper().replace('-', '_')}", hostile_value(name, folder)


def write_hostile_file(name: str, folder: Path, file: Path) -> None:
    """Write a setting into a configuration file of pip."""
    file.parent.mkdir(parents=True)
    file.write_text(f"[install]\n{name} = {hostile_value(name, folder)}\n")
