"""Splits of a dataset into training, validation and test rows."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Fractions:
    """The fractions of the validation and the test split; the rest is for training."""

    validation: float
    test: float


def assign_splits(strata: Mapping[str, str], fractions: Fractions, seed: int) -> dict[str, str]:
    """The split of each unit, with the given fractions, rounded, in every stratum.

    In each stratum the units are sorted by their hashes; the first go to the test split, the next
    to the validation split. So the result depends on the names alone, and each unit that is added
    moves at most one other at each of the two borders. With equal fractions for validation and
    test, a training unit becomes a test unit only after its stratum has about doubled.

    Args:
        strata: the stratum of each unit by the unit's name.
        seed: another seed gives another order.
    """
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name, stratum in strata.items():
        members[stratum].append(name)
    assigned = {}
    for stratum, names in members.items():
        # A fraction of a stratum is rarely a whole number; rounding it at random keeps the sum over
        # all strata right.
        chance = _uniform(f"{seed}/stratum/{stratum}")
        test = int(len(names) * fractions.test + chance)
        validation = int(len(names) * (fractions.test + fractions.validation) + chance)
        for rank, name in enumerate(sorted(names, key=lambda name: _order(name, seed))):
            assigned[name] = TEST if rank < test else VALIDATION if rank < validation else TRAIN
    return assigned


def first_by_hash(names: Iterable[str], seed: int) -> str:
    """The name that stands for a group; it changes only when a name with a smaller hash joins."""
    return min(names, key=lambda name: _order(name, seed))


def _order(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()


def _uniform(text: str) -> float:
    """A number from 0 to 1, exclusive, from the hash of a text."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 16**12
