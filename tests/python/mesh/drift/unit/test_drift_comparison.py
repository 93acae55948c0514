"""What is drift, and what is chance, or too small, or too little to tell."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.drift.comparison import FEWEST, RARE, compare
from mesh.drift.sample import Sample, StoredSample
from prediction_logs import records


def numbers(*values: float) -> Sample:
    return Sample(numbers={"x": values}, predictions=len(values))


def labels(**counts: int) -> Sample:
    return Sample(labels={"y": Counter(counts)}, predictions=sum(counts.values()))


def gauss(count: int, mean: float = 0, seed: int = 0) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(mean, 1) for _ in range(count)]


@pytest.mark.parametrize(
    ("reference", "current", "verdict"),
    [
        # Numbers.
        (numbers(*gauss(500)), numbers(*gauss(500, seed=1)), "no drift"),
        (numbers(*gauss(500)), numbers(*gauss(500, mean=1)), "drift"),
        (numbers(*gauss(40)), numbers(*gauss(40, mean=3)), "drift"),
        # Of many values, a small difference is significant, and yet no drift.
        (numbers(*gauss(50_000)), numbers(*gauss(50_000, mean=0.1)), "no drift"),
        # Of few values, a difference may be chance.
        (numbers(*gauss(FEWEST)), numbers(*gauss(FEWEST, mean=0.3)), "no drift"),
        (numbers(*gauss(FEWEST - 1)), numbers(*gauss(500, mean=9)), "undecided"),
        (numbers(*gauss(500)), numbers(*gauss(FEWEST - 1, mean=9)), "undecided"),
        # Values that are often the same: on either side of the one that all had.
        (numbers(*[5] * 100), numbers(*[5] * 100), "no drift"),
        (numbers(*[5] * 100), numbers(*[4] * 100), "drift"),
        (numbers(*[5] * 100), numbers(*gauss(100)), "drift"),
        (numbers(*[0] * 300, *gauss(300, 9)), numbers(*[-1] * 300, *gauss(300, 9)), "drift"),
        (numbers(*[0] * 300, *gauss(300, 9)), numbers(*[0] * 300, *gauss(300, 9, 1)), "no drift"),
        # Labels.
        (labels(a=500, b=500), labels(a=495, b=505), "no drift"),
        (labels(a=500, b=500), labels(a=200, b=800), "drift"),
        (labels(a=50_000, b=50_000), labels(a=52_000, b=48_000), "no drift"),
        (labels(a=500), labels(a=500), "no drift"),
        (labels(a=500), labels(b=500), "drift"),
        (labels(a=20, b=20), labels(a=23, b=17), "no drift"),
        (labels(a=FEWEST - 1), labels(b=500), "undecided"),
        # Many labels of which each is rare.
        (
            labels(**{f"r{number}": 1 for number in range(100)}),
            labels(**{f"s{number}": 1 for number in range(100)}),
            "no drift",
        ),
        # Nothing in common.
        (numbers(*gauss(500)), labels(a=500), "undecided"),
        (Sample(), Sample(), "undecided"),
    ],
)
def test_verdicts(reference: Sample, current: Sample, verdict: str) -> None:
    drift = compare(reference, current)
    assert drift.verdict == verdict
    assert bool(drift.drifted) == (verdict == "drift")


def sample_of(count: int, **changes: float) -> Sample:
    sample = Sample()
    for record in records(count, **changes):  # type: ignore[arg-type]
        sample.add(record.facts, record.characters, record.language)
    return sample


def test_the_facts_that_drift_are_named_first() -> None:
    drift = compare(sample_of(400), sample_of(300, seed=1, good=0.9, length=160))
    assert {one.name for one in drift.drifted} == {"document.characters", "label"}
    assert {one.name for one in drift.facts[:2]} == {"document.characters", "label"}
    label = next(one for one in drift.facts if one.name == "label")
    assert (label.kind, label.reference, label.current) == ("label", 400, 300)
    assert [one.name for one in label.bins] == ["bad", "good"]
    assert sum(one.current for one in label.bins) == pytest.approx(1)
    assert (drift.reference, drift.current) == (400, 300)


def test_facts_of_one_side_are_not_compared() -> None:
    both = compare(numbers(*gauss(100)), Sample(labels={"z": Counter(a=100)}, predictions=100))
    assert both.missing == ("x", "z")
    assert both.facts == ()


def test_rare_labels_count_together() -> None:
    [fact] = compare(labels(a=100, b=3, c=4), labels(a=100, d=7)).facts
    assert [one.name for one in fact.bins] == ["a", RARE]
    assert [one.reference for one in fact.bins] == pytest.approx([100 / 107, 7 / 107])


@settings(max_examples=50)
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=FEWEST, max_size=100),
    st.lists(st.floats(-1e9, 1e9), min_size=FEWEST, max_size=100),
)
def test_any_numbers(before: list[float], after: list[float]) -> None:
    [fact] = compare(numbers(*before), numbers(*after)).facts
    assert fact.psi is not None
    assert fact.psi >= 0
    assert fact.p is not None
    assert 0 <= fact.p <= 1
    for side in ("reference", "current"):
        assert sum(getattr(one, side) for one in fact.bins) == pytest.approx(1)
    [same] = compare(numbers(*before), numbers(*before)).facts
    assert same.psi == pytest.approx(0)
    assert same.drifted is False


def test_chance_is_seldom_taken_for_drift() -> None:
    reference = sample_of(300)
    found = [compare(reference, sample_of(60, seed=1 + seed)).verdict for seed in range(40)]
    assert found.count("drift") == 0


def test_a_stored_sample_keeps_the_distribution() -> None:
    values = gauss(10_000)
    stored = StoredSample.of(numbers(*values), 100)
    assert len(stored.numbers["x"]) == 100
    assert stored.predictions == 10_000
    assert compare(stored.sample(), numbers(*values)).verdict == "no drift"
    assert compare(stored.sample(), numbers(*gauss(500, mean=1))).verdict == "drift"
    assert StoredSample.model_validate_json(stored.model_dump_json()) == stored
