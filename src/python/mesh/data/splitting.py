"""Splits of a data set into training, validation and test rows."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Shares:
    """The shares of the validation and the test split; the rest is for training."""

    validation: float
    test: float


def assign_splits(strata: Mapping[str, str], shares: Shares, seed: int) -> dict[str, str]:
    """The split of each unit, so that every stratum has the given shares in every split, but for roundings.

    In each stratum the units are put in the order of their hashes; the first go to the test split, the next to the
    validation split. So the result depends on nothing but the names, and further units move few others: only those at
    the two borders, one at most for each unit that is added. With equal shares for validation and test, a training unit
    becomes a test unit only after its stratum has about doubled.

    Args:
        strata: the stratum of each unit by the unit's name.
        seed: another one gives another order.
    """
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name, stratum in strata.items():
        members[stratum].append(name)
    assigned = {}
    for stratum, names in members.items():
        # The share of a stratum is rarely a whole number; rounding it by chance keeps the sum over all strata right.
        chance = _uniform(f"{seed}/stratum/{stratum}")
        test = int(len(names) * shares.test + chance)
        validation = int(len(names) * (shares.test + shares.validation) + chance)
        for rank, name in enumerate(sorted(names, key=lambda name: _order(name, seed))):
            assigned[name] = TEST if rank < test else VALIDATION if rank < validation else TRAIN
    return assigned


def first_by_hash(names: Iterable[str], seed: int) -> str:
    """The name that stands for a group: it stays the same while others join, but for one that comes before it."""
    return min(names, key=lambda name: _order(name, seed))


def _order(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()


def _uniform(text: str) -> float:
    """A number from 0 to 1, exclusive, by the hash of a text."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 16**12
