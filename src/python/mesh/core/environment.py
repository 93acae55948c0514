"""The revision of the code, and the environment that it runs in."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

IMAGE_VARIABLE = "MESH_IMAGE"
"""Names the image of a container, with its digest where that is known."""


def code_revision() -> str:
    """`MESH_CODE_REVISION`, else git's commit (`-dirty` if changed), else `unknown`."""
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
    """Versions of Python, platform and installed distributions, and `MESH_IMAGE`."""
    environment = {"python": platform.python_version(), "platform": platform.platform()}
    if image := os.environ.get(IMAGE_VARIABLE):
        environment["image"] = image
    for package in packages:
        try:
            environment[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return environment
