"""The layers of an image that is built again, on what could be another machine."""

import os
import shutil
import time
from pathlib import Path, PurePosixPath
from typing import Any

from containers.functional.compose_project import docker, image, inspect, needs_images, title

pytestmark = needs_images("keywords")

COMPONENT = PurePosixPath("src/python/keywords/serve")
MAKER = Path("build-support/docker/environment.py")
SETTINGS = [(0o022, 0), (0o077, 10**9)]
"""Umasks and times of the files that images are built from."""


def instructions() -> list[str]:
    """The lines of the Dockerfile that `component()` gives to the image."""
    names: dict[str, Any] = {"env": lambda _, default: default, "build_file_dir": lambda: COMPONENT}
    exec(Path("build-support/macros/images.py").read_text(), names)
    lines: list[str] = names["component_image"]("serve-base", ["serve"])["instructions"]
    return lines


def lay_out(context: Path, mask: int, age: int) -> None:
    """Copy what the image is built from, as a process of this umask writes it, so long ago."""
    before = os.umask(mask)
    try:
        for scope in ("deps", "srcs"):
            name = f"{str(COMPONENT).replace('/', '.')}/{scope}.pex"
            shutil.copytree(name, context / name, copy_function=shutil.copyfile)
        (context / MAKER).parent.mkdir(parents=True)
        shutil.copyfile(MAKER, context / MAKER)
        (context / "Dockerfile").write_text("\n".join(instructions()))
    finally:
        os.umask(before)
    then = time.time() - age
    for path in context.rglob("*"):
        os.utime(path, (then, then))


def layers(name: str) -> list[str]:
    found: list[str] = inspect(name)["RootFS"]["Layers"]
    return found


def test_equal_files_make_equal_layers_whatever_the_clock_the_umask_and_the_folder(
    tmp_path: Path,
) -> None:
    tested = image("keywords", "serve")
    base = tested.replace(f"{title(tested)}:", "serve-base:")
    made = []
    for mask, age in SETTINGS:
        context = tmp_path / f"folder of {mask:o}"
        lay_out(context, mask, age)
        options = ["--no-cache", "--quiet", "--force-rm", f"--build-arg=BASE={base}"]
        name = docker("build", *options, str(context)).split()[-1]
        made.append(layers(name))
        docker("image", "rm", "--force", name)

    assert made == [layers(tested)] * len(SETTINGS)
