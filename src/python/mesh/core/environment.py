"""The revision of the code, and the environment that it runs in."""

import importlib.metadata
import logging
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)

IMAGE_VARIABLE = "MESH_IMAGE"
"""Names the image of a container, with its digest where that is known."""


def code_revision() -> str:
    """`MESH_CODE_REVISION`, else git's commit (`-dirty` if changed), else `unknown`.

    If git refuses the folder, since another user owns it, a warning has git's advice.
    """
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
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "stderr", None) or ""
        if "ownership" in reason:
            logger.warning("the code's revision is unknown: %s", " ".join(reason.split()))
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
