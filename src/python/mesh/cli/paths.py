"""Paths that a user types."""

import os
from pathlib import Path
from typing import Any

import click

CALLED_FROM = "MESH_CALLED_FROM"
"""Where the command was called, as `./mesh` and `./pants` say it; they run it in the repository's folder."""


class TypedPath(click.Path):
    """A path of the command line, relative to where the user is."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Path:
        return typed_path(os.fsdecode(super().convert(value, parameter, context)))


def typed_path(path: str) -> Path:
    """What a user means by a path: relative to where the command was called."""
    folder = os.environ.get(CALLED_FROM, "")
    return Path(path) if folder == os.getcwd() else Path(folder) / path
