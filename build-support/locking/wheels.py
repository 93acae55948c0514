"""Proves, from any platform, that a lock can be installed on another one from existing wheels."""

import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from locking.errors import LockError
from locking.exemptions import FILE, SOURCE_ONLY, find_elsewhere
from locking.pins import Pin
from locking.platforms import Platform
from locking.uv import Uv


@dataclass
class Proof:
    """The findings about some pins on one platform.

    Args:
        problems: sentences; without any, the pins can be installed.
        notes: sentences about failed look-ups.
        source_only: packages that have no wheels.
        sizes: bytes to download for each pin that the platform needs; None where an index doesn't say.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    source_only: set[str] = field(default_factory=set)
    sizes: dict[Pin, int | None] = field(default_factory=dict)


def prove(where: str, pins: Sequence[Pin], platform: Platform, python: str, uv: Uv) -> Proof:
    """Look up the wheels of pins for a platform and a version of Python.

    Args:
        where: the lock, for people.
    """
    proof = Proof()
    where = f"{where}, {platform.name}, Python {python}"
    try:
        packages = _look_up(
            [pin for pin in pins if not find_elsewhere(pin, platform)], platform, python, uv
        )
    except LockError as error:
        proof.problems.append(f"{where}: {error}")
        return proof
    for pin in pins:
        known = find_elsewhere(pin, platform)
        if known:
            try:
                packages += _look_up([pin], platform, python, uv)
            except LockError:
                proof.notes.append(f"{where}: {known.file}, which is on no index of this machine")
    for package in packages:
        _judge(package, pins, platform, where, proof)
    return proof


def _look_up(pins: Sequence[Pin], platform: Platform, python: str, uv: Uv) -> list[dict[str, Any]]:
    """The indexes' packages for pins, each with the wheels that fit the platform.

    Raises:
        LockError: a pin has neither such wheels nor sources.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pins.txt").write_text("".join(pin.text for pin in pins), encoding="utf-8")
        uv.compile(
            folder,
            [
                *("--no-deps", "--python-platform", platform.tag, "--python-version", python),
                *("--format", "pylock.toml", "--output-file", "pylock.toml", "pins.txt"),
            ],
        )
        found = tomllib.loads((folder / "pylock.toml").read_text(encoding="utf-8"))
    packages: list[dict[str, Any]] = found.get("packages", [])
    return packages


def _judge(
    package: dict[str, Any], pins: Iterable[Pin], platform: Platform, where: str, proof: Proof
) -> None:
    """Add the findings about one package to a proof."""
    [pin] = [
        pin for pin in pins if (pin.name, pin.version) == (package["name"], package["version"])
    ]
    wheels = {wheel["hashes"]["sha256"]: _size_of(wheel) for wheel in package.get("wheels", ())}
    known = find_elsewhere(pin, platform)
    if known and wheels and known.digest not in wheels:
        proof.problems.append(
            f"{where}: the index has another digest for {known.file} than {FILE}."
        )
    sizes = [size for digest, size in wheels.items() if digest in pin.digests]
    if sizes:
        proof.sizes[pin] = max((size for size in sizes if size), default=None)
    elif wheels:
        proof.problems.append(f"{where}: the lock lacks the digests of the wheels of {pin}.")
    elif pin.name not in SOURCE_ONLY:
        proof.problems.append(
            f"{where}: {pin} has no wheel, and would have to be built; pin a version that has one."
        )
    elif package["sdist"]["hashes"]["sha256"] not in pin.digests:
        proof.problems.append(f"{where}: the lock lacks the digest of the sources of {pin}.")
    else:
        proof.source_only.add(pin.name)


def _size_of(wheel: dict[str, Any]) -> int | None:
    if "size" in wheel:
        return int(wheel["size"])
    address = urlsplit(wheel.get("url", ""))
    return Path(unquote(address.path)).stat().st_size if address.scheme == "file" else None
