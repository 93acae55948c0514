"""Splits of a dataset into training, validation and test rows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
SPLITS = (TRAIN, VALIDATION, TEST)

# A unit of more than this fraction of a split's rows would be most of what is measured there.
_LARGE = 0.1


@dataclass(frozen=True)
class Fractions:
    """The fractions of the validation and the test split; the rest is for training."""

    validation: float
    test: float


@dataclass(frozen=True)
class Unit:
    """Rows that stay together.

    Args:
        name: the same whenever the rows are.
        rows: their number.
        stratum: rows of one stratum are spread over the splits.
        labels: every label that occurs in the rows.
        earlier: the split that it had before, which it keeps.
    """

    name: str
    rows: int
    stratum: str
    labels: frozenset[str]
    earlier: str | None = None


def assign_splits(units: Sequence[Unit], fractions: Fractions, seed: int) -> dict[str, str]:
    """The split of each unit by its name; the fractions are those of rows.

    Units keep their earlier splits. The others are sorted by hashes of their names, large ones
    last, so that these are for training wherever the smaller ones suffice. Each label that occurs
    in three units is in every split. In every stratum the first units fill the test split, the next
    ones the validation split; what the whole splits then lack comes from all strata, of which
    training keeps half.
    """
    chosen = _Splits(units, fractions, seed)
    strata: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in chosen.order:
        strata[unit.stratum].append(unit)
    for label in sorted({label for unit in units for label in unit.labels}):
        chosen.spread([unit for unit in chosen.order if label in unit.labels])
    for split in (TEST, VALIDATION):
        for members in strata.values():
            chosen.fill(split, members)
    for split in (TEST, VALIDATION):
        chosen.complete(split)
    chosen.spread(chosen.order)
    return chosen.found


class _Splits:
    """The splits that are being filled."""

    def __init__(self, units: Sequence[Unit], fractions: Fractions, seed: int) -> None:
        self._fractions = {TEST: fractions.test, VALIDATION: fractions.validation}
        self._total = sum(unit.rows for unit in units)
        smallest = min(fractions.test, fractions.validation) * self._total
        self._large = max(1.0, _LARGE * smallest)
        self.found = {unit.name: unit.earlier or TRAIN for unit in units}
        self.order = sorted(
            units,
            key=lambda unit: (
                unit.rows > self._large,
                unit.rows if unit.rows > self._large else 0,
                _order(unit.name, seed),
            ),
        )

    def fill(self, split: str, members: Sequence[Unit]) -> None:
        """Move small units of a stratum from training to a split, up to its fraction of the rows."""
        wanted = self._fractions[split] * sum(unit.rows for unit in members)
        wanted -= self._rows(split, members)
        wanted = min(wanted, self._fractions[split] * self._total - self._rows(split, self.order))
        for unit in members:
            if self._is_free(unit) and unit.rows <= min(self._large, wanted):
                self.found[unit.name] = split
                wanted -= unit.rows

    def complete(self, split: str) -> None:
        """Move units of any stratum to a split, as near to its fraction of all rows as they allow.

        Training keeps half of each stratum's rows.
        """
        left = Counter[str]()
        for unit in self.order:
            left[unit.stratum] += unit.rows * (1 if self.found[unit.name] == TRAIN else -1)
        has = self._rows(split, self.order)
        wanted = self._fractions[split] * self._total
        for unit in self.order:
            fits = has + unit.rows / 2 <= wanted and left[unit.stratum] >= 2 * unit.rows
            if self._is_free(unit) and fits:
                self.found[unit.name] = split
                has += unit.rows
                left[unit.stratum] -= 2 * unit.rows

    def spread(self, members: Sequence[Unit]) -> None:
        """Give each split that has none of three or more units one of them."""
        if len(members) < len(SPLITS):
            return
        for split in (TEST, VALIDATION):
            counts = Counter(self.found[unit.name] for unit in members)
            free = [unit for unit in members if self._is_free(unit)]
            if not counts[split] and free and counts[TRAIN] > 1:
                self.found[free[0].name] = split

    def _rows(self, split: str, members: Sequence[Unit]) -> int:
        return sum(unit.rows for unit in members if self.found[unit.name] == split)

    def _is_free(self, unit: Unit) -> bool:
        return unit.earlier is None and self.found[unit.name] == TRAIN


def first_by_hash(names: Iterable[str], seed: int) -> str:
    """The name that stands for a group; it changes only when a name with a smaller hash joins."""
    return min(names, key=lambda name: _hash(f"{seed}/{name}"))


def _order(name: str, seed: int) -> str:
    # Not the hash that chose the name: it is the smaller, the more rows there are to choose from.
    return _hash(f"{seed}/order/{name}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
