"""The pins that are exempt from the look-up of wheels, each with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass

from locking.pins import Pin, read_pins
from locking.platforms import LINUX_ARM, Platform

FILE = "build-support/locking/exemptions.py"

SOURCE_ONLY = {
    "antlr4-python3-runtime": "there are wheels from 4.10 on, but omegaconf requires 4.9",
    "kfp-server-api": "its publishers provide no wheels",
    "seqeval": "its publishers provide no wheels",
}
"""Packages without wheels, and why. They are pure Python: machines build them without a compiler."""


@dataclass(frozen=True)
class Elsewhere:
    """A wheel on an index that not every machine can reach.

    Args:
        name: of the package.
        version: the pinned one.
        platform: the wheel's platform.
        file: its name.
        digest: its SHA-256, from that index.
    """

    name: str
    version: str
    platform: Platform
    file: str
    digest: str


ELSEWHERE = (
    # For Linux on arm64 the package index has torch with CUDA only; this is PyTorch's own build for CPUs.
    Elsewhere(
        "torch",
        "2.13.0+cpu",
        LINUX_ARM,
        "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_aarch64.whl",
        "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
    ),
)


def find_elsewhere(pin: Pin, platform: Platform | None = None) -> Elsewhere | None:
    """The wheel of a pin on another index, for a platform or for any."""
    for known in ELSEWHERE:
        same = (known.name, known.version) == (pin.name, pin.version)
        if same and platform in (None, known.platform):
            return known
    return None


def add_digests(lock: str) -> str:
    """The text of a lock with the digests of wheels that this machine's indexes may not have."""
    for pin in read_pins(lock):
        known = find_elsewhere(pin)
        if known and known.digest not in pin.digests:
            first, rest = pin.text.split("\n", 1)
            added = f"{first}\n    --hash=sha256:{known.digest} \\\n{rest}"
            lock = lock.replace(pin.text, added)
    return lock


def find_stale(pins: Iterable[Pin], source_only: set[str]) -> list[str]:
    """The entries above that aren't true, or no longer.

    Args:
        pins: those of all locks.
        source_only: the packages that were found to have no wheels.
    """
    pinned = {find_elsewhere(pin) for pin in pins}
    return [
        f"{name} has wheels, or is in no lock: remove it from SOURCE_ONLY in {FILE}."
        for name in sorted(SOURCE_ONLY.keys() - source_only)
    ] + [
        f"no lock pins {known.name} {known.version}: replace or remove {known.file} in ELSEWHERE in {FILE}."
        for known in ELSEWHERE
        if known not in pinned
    ]
