"""The images of a plan, in parts that fit on a runner.

A part is a project: its images are built, tested and pushed on one machine. `mesh` is the part of the
core images and the shared registry. Images on a vendor's base or index are parts of their own.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

VENDOR = "vendor"
CONTAINERS = "containers"
"""The tag of tests that need images."""
LIBRARIES = "mesh"
"""The package beside the projects, which has the image of the shared registry."""

Plan = Mapping[str, Sequence[Mapping[str, Any]]]

_PACKAGE = re.compile(r"(?:src|tests)/python/(\w+)/")


def parts(root: Path, plan: Plan) -> dict[str, list[str]]:
    """The targets of the images that must be there, by part; none for a part with tests only."""
    found: dict[str, list[str]] = {name: [] for name in tested_projects(root, plan)}
    for address in _addresses(plan):
        found.setdefault(_package(address).replace("_", "-") or LIBRARIES, []).append(address)
    return dict(sorted(found.items()))


def vendor_parts(plan: Plan) -> dict[str, list[str]]:
    """The targets of the images on vendors' images and indexes, by part; one each."""
    targets = sorted(item["target"] for item in plan["images"] if VENDOR in item["tags"])
    return {_image_name(target): [target] for target in targets}


def tested_projects(root: Path, plan: Plan) -> list[str]:
    """The projects whose containers are tested, and `mesh` where it is the shared registry's."""
    packages = {path.parent.name for path in root.glob("src/python/*/project.py")}
    found = {_package(address) for address in _addresses(plan)} & {*packages, LIBRARIES}
    for item in plan["tests"]:
        if CONTAINERS not in item["tags"]:
            continue
        files = item["files"]
        found |= {_package(file) for file in files} & packages
        # A file outside of the projects concerns all of them.
        if not files or not all(_package(file) in packages for file in files):
            found |= {*packages, LIBRARIES}
    return sorted(package.replace("_", "-") for package in found)


def _addresses(plan: Plan) -> list[str]:
    """The targets of the images that the plan names, and of those that remake its models."""
    found = {item["target"] for item in plan["images"] if VENDOR not in item["tags"]}
    for item in plan["models"]:
        package = str(item["target"]).replace("-", "_")
        found |= {f"src/python/{package}/{component}:image" for component in ("train", "compile")}
    return sorted(found)


def _package(path: str) -> str:
    """The package of a path below src/python or tests/python; empty for others."""
    match = _PACKAGE.match(path)
    return match[1] if match else ""


def _image_name(address: str) -> str:
    """The name of a target's image: keywords-train-cuda for src/python/keywords/train:cuda."""
    folder, _, target = address.removeprefix("src/python/").removeprefix("docker/").partition(":")
    words = [*folder.split("/"), *([] if target == "image" else [target])]
    return "-".join(words).replace("_", "-")
