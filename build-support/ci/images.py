"""Build, test, save and push the images of a part of a plan, on two machines.

    images.py build PLAN PART          builds the part's images with Pants
    images.py test PLAN PART           tests their containers: build-support/docker/test
    images.py save PLAN PART FOLDER    writes the very images that were built last
    images.py push FOLDER              pushes the saved images, and builds nothing
    images.py sign FOLDER              signs the pushed images and what they are made of, by cosign

A part is a project, `mesh`, or an image on a vendor's base (image_parts.py). Tests run without
credentials on one machine; another one, which can push, gets the tested images as files. FOLDER has
images.tar, images.json (names and ids), what each is made of (*.cdx.json, sbom.py) and, after push,
pushed.json (names and digests) and checksums.txt, the same as lines of sha256sum. IMAGE_REGISTRY is
where images are pushed.
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

from image_parts import parts, tested_projects, vendor_parts
from sbom import SbomError, of_image

_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")


class ImagesError(Exception):
    """Images that can't be built or pushed; the message is for people."""


def build(root: Path, targets: Sequence[str]) -> int:
    """Build images with Pants, and return its exit code."""
    if not targets:
        print("images.py: the part has no images")
        return 0
    # Leftovers of an earlier run could be pushed by mistake.
    for info in (root / "dist").glob("*/*.docker-info.json"):
        info.unlink()
    return subprocess.run(["./pants", "package", *targets], cwd=root, check=False).returncode


def test(root: Path, part: str, tested: Sequence[str]) -> int:
    """Test the containers of a part, and return the exit code."""
    if part not in tested:
        print("images.py: the part has no containers to test")
        return 0
    command = [str(root / "build-support/docker/test"), part]
    return subprocess.run(command, cwd=root, check=False).returncode


def save(root: Path, targets: Sequence[str], folder: Path, registry: str) -> None:
    """Write the built images under their names; nothing if one is missing."""
    names = [name for target in targets for name in _built_names(root / "dist", target)]
    for name in names:
        if not name.startswith(f"{registry}/"):
            raise ImagesError(f"{name} was not built for {registry}.")
    folder.mkdir(parents=True, exist_ok=True)
    ids = {name: _id(name) for name in names}
    if names:
        _docker("save", "--output", str(folder / "images.tar"), *names)
    for name in names:
        _write(_sbom(folder, name), of_image(name))
    _write(folder / "images.json", ids)


def push(folder: Path, registry: str) -> None:
    """Push the saved images; nothing if one isn't the one that was saved."""
    ids = _read(folder / "images.json", "save")
    for name in ids:
        if not name.startswith(f"{registry}/"):
            raise ImagesError(f"{name} was not built for {registry}.")
    if ids:
        _docker("load", "--input", str(folder / "images.tar"))
    for name, expected in ids.items():
        if _id(name) != expected:
            raise ImagesError(f"{name} isn't the image that was tested.")
    digests = {name: _pushed(name) for name in ids}
    _write(folder / "pushed.json", digests)
    lines = [
        f"{digest.removeprefix('sha256:')}  {_without_tag(name)}\n"
        for name, digest in digests.items()
    ]
    if lines:
        (folder / "checksums.txt").write_text("".join(lines))


def sign(folder: Path) -> None:
    """Sign the pushed images by their digests, with the job's identity, and attach their SBOMs."""
    digests = _read(folder / "pushed.json", "push")
    for name, digest in digests.items():
        image = f"{_without_tag(name)}@{digest}"
        _run("cosign", "sign", "--yes", image)
        contents = ("--type", "cyclonedx", "--predicate", str(_sbom(folder, name)))
        _run("cosign", "attest", "--yes", *contents, image)


def _built_names(dist: Path, address: str) -> list[str]:
    """The names, with registry and tag, that Pants gave to an image."""
    folder, _, target = address.partition(":")
    info = dist / folder.replace("/", ".") / f"{target}.docker-info.json"
    if not info.exists():
        raise ImagesError(f"not built: {address}; run build first.")
    registries = json.loads(info.read_text())["registries"]
    return [tag["name"] for registry in registries for tag in registry["tags"]]


def _pushed(name: str) -> str:
    """Push an image, and return the digest that the registry knows it by."""
    found = _DIGEST.search(_docker("push", name))
    if not found:
        raise ImagesError(f"{name} was pushed, but docker didn't say its digest.")
    return found[1]


def _id(name: str) -> str:
    return _docker("image", "inspect", "--format", "{{.Id}}", name).strip()


def _docker(*arguments: str) -> str:
    return _run("docker", *arguments)


def _run(*command: str) -> str:
    """The output of a command; what it says of a failure is on standard error."""
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise ImagesError(f"{command[0]} {command[1]} failed, see above: {command[-1]}")
    return result.stdout


def _sbom(folder: Path, name: str) -> Path:
    """The file that says what an image is made of."""
    return folder / f"{re.sub(r'[^A-Za-z0-9.]+', '-', name)}.cdx.json"


def _without_tag(name: str) -> str:
    """A name without its tag; a colon before the last slash is a port's."""
    path, slash, last = name.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def _read(file: Path, verb: str) -> dict[str, str]:
    """What an earlier verb has written."""
    if not file.exists():
        raise ImagesError(f"{file} is missing; run {verb} first.")
    content: dict[str, str] = json.loads(file.read_text())
    return content


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("build", "test", "save"):
        of_plan = verbs.add_parser(verb)
        of_plan.add_argument("plan", type=Path, metavar="PLAN", help="written by plan --json")
        of_plan.add_argument("part", metavar="PART")
        if verb == "save":
            of_plan.add_argument("folder", type=Path, metavar="FOLDER")
    for verb in ("push", "sign"):
        verbs.add_parser(verb).add_argument("folder", type=Path, metavar="FOLDER")
    return parser.parse_args()


def _registry() -> str:
    registry = os.environ.get("IMAGE_REGISTRY")
    if not registry:
        print("images.py: set IMAGE_REGISTRY to where images are pushed.", file=sys.stderr)
        sys.exit(2)
    return registry


def main() -> int:
    """Do what the command line says."""
    options = _arguments()
    root = Path.cwd()
    if options.verb == "push":
        push(options.folder, _registry())
        return 0
    if options.verb == "sign":
        sign(options.folder)
        return 0
    plan = json.loads(options.plan.read_text())
    known = parts(root, plan) | vendor_parts(plan)
    if options.part not in known:
        raise ImagesError(
            f"the plan has no part {options.part!r}, but {', '.join(known) or 'none'}."
        )
    targets = known[options.part]
    if options.verb == "build":
        return build(root, targets)
    if options.verb == "test":
        return test(root, options.part, tested_projects(root, plan))
    save(root, targets, options.folder, _registry())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ImagesError, SbomError) as error:
        sys.exit(f"images.py: {error}")
