"""Build, test or push the images of a plan: `images.py build|test|push|vendors PLAN`.

These are the images that the plan names, and those that it needs to remake models. `test` runs
build-support/docker/test for their projects, and for those with container tests in the plan. `push`
sends the very images that were built last, as Pants recorded in dist/, and builds nothing, so the
pushed images are the tested ones. Images on a vendor's base or index are apart: `vendors` builds and
pushes each on its own, so that one that can't be built stops nothing. IMAGE_REGISTRY and IMAGE_TAG
are the images' registry and tag.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

VENDOR = "vendor"
CONTAINERS = "containers"
"""The tag of tests that need images."""
LIBRARIES = "mesh"
"""The package beside the projects, which has the image of the shared registry."""

_PACKAGE = re.compile(r"(?:src|tests)/python/(\w+)/")


def addresses(plan: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The targets of the images that must be there."""
    found = {item["target"] for item in plan["images"] if VENDOR not in item["tags"]}
    for item in plan["models"]:
        package = str(item["target"]).replace("-", "_")
        found |= {f"src/python/{package}/{component}:image" for component in ("train", "compile")}
    return sorted(found)


def vendor_addresses(plan: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The targets of the images on vendors' images and indexes."""
    return sorted(item["target"] for item in plan["images"] if VENDOR in item["tags"])


def tested_projects(root: Path, plan: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The projects whose containers are tested, and `mesh` where it is the shared registry's."""
    packages = {path.parent.name for path in root.glob("src/python/*/project.py")}
    found = {_package(address) for address in addresses(plan)} & {*packages, LIBRARIES}
    for item in containers_tests(plan):
        files = item["files"]
        found |= {_package(file) for file in files} & packages
        # A file outside of the projects concerns all of them.
        if not files or not all(_package(file) in packages for file in files):
            found |= {*packages, LIBRARIES}
    return sorted(package.replace("_", "-") for package in found)


def containers_tests(plan: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """The plan's tests that need images."""
    return [item for item in plan["tests"] if CONTAINERS in item["tags"]]


def _package(path: str) -> str:
    """The package of a path below src/python or tests/python; empty for others."""
    match = _PACKAGE.match(path)
    return match[1] if match else ""


def built_names(dist: Path, address: str) -> list[str]:
    """The names, with registry and tag, that Pants gave to an image; none if it wasn't built."""
    folder, _, target = address.partition(":")
    info = dist / folder.replace("/", ".") / f"{target}.docker-info.json"
    if not info.exists():
        return []
    registries = json.loads(info.read_text())["registries"]
    return [tag["name"] for registry in registries for tag in registry["tags"]]


def build(root: Path, targets: Sequence[str]) -> int:
    """Build images with Pants, and return its exit code."""
    # Leftovers of an earlier run could be pushed by mistake.
    for info in (root / "dist").glob("*/*.docker-info.json"):
        info.unlink()
    return subprocess.run(["./pants", "package", *targets], cwd=root, check=False).returncode


def test(root: Path, projects: Sequence[str]) -> int:
    """Test the containers of projects, and return the exit code."""
    if not projects:
        print("images.py: the plan has no containers to test")
        return 0
    command = [str(root / "build-support/docker/test"), *projects]
    return subprocess.run(command, cwd=root, check=False).returncode


def push(root: Path, targets: Sequence[str], registry: str) -> int:
    """Push the built images under their names; push nothing if one is missing."""
    names = {address: built_names(root / "dist", address) for address in targets}
    missing = [address for address in targets if not names[address]]
    if missing:
        print(f"images.py: not built: {', '.join(missing)}; run build first.", file=sys.stderr)
        return 1
    for name in (name for image in names.values() for name in image):
        if not name.startswith(f"{registry}/"):
            print(f"images.py: {name} was not built for {registry}.", file=sys.stderr)
            return 1
    for name in (name for image in names.values() for name in image):
        command = ["docker", "push", "--quiet", name]
        if code := subprocess.run(command, check=False).returncode:
            return code
    return 0


def build_and_push_each(root: Path, targets: Sequence[str], registry: str) -> None:
    """Build and push images one by one, and go on where one fails."""
    for target in targets:
        if build(root, [target]) or push(root, [target], registry):
            print(f"images.py: went on without {target}, which failed.", file=sys.stderr)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["build", "test", "push", "vendors"])
    parser.add_argument("plan", type=Path, metavar="PLAN", help="written by plan --json")
    options = parser.parse_args()
    plan = json.loads(options.plan.read_text())
    if options.verb == "test":
        return test(Path.cwd(), tested_projects(Path.cwd(), plan))
    targets = vendor_addresses(plan) if options.verb == "vendors" else addresses(plan)
    if not targets:
        print("images.py: the plan has no images")
        return 0
    if options.verb == "build":
        return build(Path.cwd(), targets)
    registry = os.environ.get("IMAGE_REGISTRY")
    if not registry:
        print("images.py: set IMAGE_REGISTRY to where images are pushed.", file=sys.stderr)
        return 2
    if options.verb == "vendors":
        build_and_push_each(Path.cwd(), targets, registry)
        return 0
    return push(Path.cwd(), targets, registry)


if __name__ == "__main__":
    sys.exit(main())
