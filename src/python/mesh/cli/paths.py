"""Paths on the command line."""

import os
from pathlib import Path
from typing import Any

import click

CALLED_FROM = "MESH_CALLED_FROM"
"""The variable with the folder in which the user called the command.

`./mesh` and `./pants` set it, since they run the command in the repository's folder.
"""


class TypedPath(click.Path):
    """A path on the command line, relative to the user's folder."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Path:
        return typed_path(os.fsdecode(super().convert(value, parameter, context)))


def typed_path(path: str) -> Path:
    """The path that a user means: relative to the folder in which the command was called."""
    folder = os.environ.get(CALLED_FROM, "")
    return Path(path) if folder == os.getcwd() else Path(folder) / path
