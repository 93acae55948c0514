"""Print the images with which each kind of project is tested: `kinds.py`, one target per line.

Projects are of one kind when they have the same components: their images differ only in code. The
projects with container tests of their own stand for their kind, or the first project if there is
none. The shared registry's image is a kind of its own.
"""

import subprocess
from collections.abc import Collection, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def one_of_each_kind(images: Iterable[str], tests: Collection[str]) -> list[str]:
    """The images of the projects that stand for all; `tests` are the targets of container tests."""
    projects: dict[str, list[str]] = {}
    for address in sorted(images):
        # src/python/PROJECT/COMPONENT:image
        projects.setdefault(address.split("/")[2], []).append(address)
    tested = {
        package
        for package in projects
        if any(f"/{package}/" in test or f"/test_{package}_" in test for test in tests)
    }
    chosen: dict[tuple[str, ...], list[str]] = {}
    for package in sorted(projects, key=lambda name: (name not in tested, name)):
        kind = tuple(address.split("/", 3)[3] for address in projects[package])
        if package in tested or kind not in chosen:
            chosen.setdefault(kind, []).append(package)
    standing = sorted(package for packages in chosen.values() for package in packages)
    return [address for package in standing for address in projects[package]]


def _listed(*arguments: str) -> list[str]:
    command = ["./pants", *arguments]
    result = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return result.stdout.split()


if __name__ == "__main__":
    images = _listed("--tag=docker", "--tag=-vendor", "list", "src/python::")
    print(
        *one_of_each_kind(images, _listed("--tag=containers", "list", "tests/python::")), sep="\n"
    )
