"""Whether two samples of predictions differ: by a test, and by the size of the difference.

Numbers are compared by the Kolmogorov-Smirnov test, shares of labels by the chi-square test, with
Bonferroni's correction for the number of facts. Of many predictions, the tests find differences
that nobody cares about. So a fact has drifted only if the population stability index (PSI) is
large, too.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from mesh.drift.sample import Sample

FEWEST = 30
"""Predictions that are needed on both sides, and values of a fact; fewer tell nothing."""
LARGE_PSI = 0.2
"""By convention, a PSI from here on is a major shift, below 0.1 none."""
SIGNIFICANT = 0.01
"""A difference that chance makes more seldom than this, in any of the facts, is one."""

_BINS = 10
_FEW_VALUES = 10
_RARE = 10
"""A label that is seen less often, on both sides together, counts as one of the rare ones."""
RARE = "(rare)"

COLUMNS = ("fact", "kind", "reference", "now", "PSI", "p", "")

Verdict = Literal["drift", "no drift", "undecided"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bin(_Frozen):
    """A part of a fact's values, with its share on either side.

    Args:
        name: a label, or a range of numbers.
    """

    name: str
    reference: float
    current: float


class FactDrift(_Frozen):
    """A fact on both sides.

    Args:
        kind: what its values are.
        reference: how many values there are.
        current: how many values there are.
        psi: population stability index; None where there are too few values.
        p: of the test, corrected for the number of facts; None likewise.
        drifted: None likewise.
        bins: of its values.
    """

    name: str
    kind: Literal["number", "label"]
    reference: int
    current: int
    psi: float | None = None
    p: float | None = None
    drifted: bool | None = None
    bins: tuple[Bin, ...] = ()

    @property
    def row(self) -> tuple[str, ...]:
        """It as a row of a table, by `COLUMNS`."""
        return (
            self.name,
            self.kind,
            f"{self.reference:,}",
            f"{self.current:,}",
            "-" if self.psi is None else f"{self.psi:.3f}",
            "-" if self.p is None else f"{self.p:.2g}",
            {None: "too few", True: "drifted", False: "same"}[self.drifted],
        )


class Drift(_Frozen):
    """The comparison of two samples.

    Args:
        reference: number of predictions.
        current: number of predictions.
        facts: those of the largest PSI first.
        missing: facts that only one side has.
    """

    verdict: Verdict
    reference: int
    current: int
    facts: tuple[FactDrift, ...]
    missing: tuple[str, ...]

    @property
    def drifted(self) -> list[FactDrift]:
        """The facts that have drifted."""
        return [fact for fact in self.facts if fact.drifted]


def compare(reference: Sample, current: Sample) -> Drift:
    """Compare the facts that two samples have in common."""
    numbers = sorted(reference.numbers.keys() & current.numbers.keys())
    labels = sorted(reference.labels.keys() & current.labels.keys())
    # A prediction may have many labels.
    is_enough = min(reference.predictions, current.predictions) >= FEWEST
    found = [
        *(_numbers(name, reference.numbers[name], current.numbers[name]) for name in numbers),
        *(
            _labels(name, reference.labels[name], current.labels[name], is_enough=is_enough)
            for name in labels
        ),
    ]
    tested = sum(one.p is not None for one in found)
    facts = sorted((_judged(one, tested) for one in found), key=lambda one: -(one.psi or 0))
    return Drift(
        verdict=_verdict(facts),
        reference=reference.predictions,
        current=current.predictions,
        facts=tuple(facts),
        missing=tuple(sorted(_names(reference) ^ _names(current))),
    )


def _names(sample: Sample) -> set[str]:
    return {*sample.numbers, *sample.labels}


def _verdict(facts: Sequence[FactDrift]) -> Verdict:
    if any(one.drifted for one in facts):
        return "drift"
    return "no drift" if any(one.drifted is False for one in facts) else "undecided"


def _judged(fact: FactDrift, tested: int) -> FactDrift:
    if fact.p is None or fact.psi is None:
        return fact
    p = min(1.0, fact.p * tested)
    drifted = p < SIGNIFICANT and fact.psi >= LARGE_PSI
    return fact.model_copy(update={"p": p, "drifted": drifted})


def _numbers(name: str, reference: Sequence[float], current: Sequence[float]) -> FactDrift:
    before, after = np.asarray(reference, float), np.asarray(current, float)
    counts = {"reference": len(before), "current": len(after)}
    if min(counts.values()) < FEWEST:
        return FactDrift(name=name, kind="number", **counts)
    from scipy.stats import ks_2samp

    names, (one, other) = _binned(before, after)
    return FactDrift(
        name=name,
        kind="number",
        **counts,
        p=float(ks_2samp(before, after, method="asymp").pvalue),
        **_shift(names, one, other),
    )


def _labels(
    name: str, reference: Mapping[str, int], current: Mapping[str, int], *, is_enough: bool
) -> FactDrift:
    counts = {"reference": sum(reference.values()), "current": sum(current.values())}
    if not is_enough or min(counts.values()) < FEWEST:
        return FactDrift(name=name, kind="label", **counts)
    names, (one, other) = _common(reference, current)
    return FactDrift(
        name=name, kind="label", **counts, p=_chi_square(one, other), **_shift(names, one, other)
    )


def _chi_square(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    from scipy.stats import chi2_contingency

    return float(chi2_contingency([one, other]).pvalue) if len(one) > 1 else 1.0


def _common(
    reference: Mapping[str, int], current: Mapping[str, int]
) -> tuple[list[str], NDArray[np.int64]]:
    """The labels with their counts on either side, the rare ones together."""
    both = Counter(reference) + Counter(current)
    names = sorted(name for name, count in both.items() if count >= _RARE)
    counts = [[side.get(name, 0) for name in names] for side in (reference, current)]
    if len(names) < len(both):
        names.append(RARE)
        for row, side in zip(counts, (reference, current), strict=True):
            row.append(sum(side.values()) - sum(row))
    return names, np.array(counts)


def _binned(
    before: NDArray[np.float64], after: NDArray[np.float64]
) -> tuple[list[str], NDArray[np.int64]]:
    """Ranges of numbers with their counts on either side.

    Each has a tenth of the reference, as far as its values allow. A value that makes up more than
    a tenth has a range of its own, and so has each of a few values.
    """
    values = np.unique(np.concatenate((before, after)))
    if len(values) <= _FEW_VALUES:
        counts = [(side[:, None] == values).sum(axis=0) for side in (before, after)]
        return [f"{value:g}" for value in values], np.array(counts)
    cuts = np.quantile(before, np.linspace(0, 1, _BINS + 1)[1:-1])
    found, times = np.unique(cuts, return_counts=True)
    edges = np.unique(np.concatenate((found, np.nextafter(found[times > 1], -np.inf))))
    counts = [
        np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1)
        for side in (before, after)
    ]
    return _ranges(edges), np.array(counts)


def _ranges(edges: NDArray[np.float64]) -> list[str]:
    said = [f"{edge:.4g}" for edge in edges]
    inner = [
        one if one == other else f"{one} to {other}" for one, other in itertools.pairwise(said)
    ]
    return [f"to {said[0]}", *inner, f"over {said[-1]}"]


def _shift(
    names: Sequence[str], one: NDArray[np.int64], other: NDArray[np.int64]
) -> dict[str, Any]:
    """PSI and shares. Half a value is added everywhere, since an empty bin has no logarithm."""
    smooth = [(side + 0.5) / (side.sum() + 0.5 * len(side)) for side in (one, other)]
    psi = float(np.sum((smooth[1] - smooth[0]) * np.log(smooth[1] / smooth[0])))
    shares = zip(names, one / one.sum(), other / other.sum(), strict=True)
    return {
        "psi": psi,
        "bins": tuple(
            Bin(name=name, reference=float(before), current=float(after))
            for name, before, after in shares
        ),
    }
