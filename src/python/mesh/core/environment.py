"""What code runs, and on what."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

IMAGE_VARIABLE = "MESH_IMAGE"
"""The image that a container was started from, which an image can't know of itself: name, and digest where known."""


def code_revision() -> str:
    """The code's revision: `MESH_CODE_REVISION`, else git's commit (`-dirty` when changed), else `unknown`."""
    if revision := os.environ.get("MESH_CODE_REVISION"):
        return revision
    command = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return result.stdout.strip()


def describe_environment(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python, the platform and the named distributions, and `MESH_IMAGE`; absent ones are left out."""
    environment = {"python": platform.python_version(), "platform": platform.platform()}
    if image := os.environ.get(IMAGE_VARIABLE):
        environment["image"] = image
    for package in packages:
        try:
            environment[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return environment
