from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.data.splitting import SPLITS, TRAIN, Fractions, Unit, assign_splits

FRACTIONS = Fractions(validation=0.1, test=0.1)
UNITS = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from("abc")), min_size=30, max_size=200
).map(lambda drawn: [unit(f"{at}", rows, label) for at, (rows, label) in enumerate(drawn)])


def unit(name: str, rows: int = 1, label: str = "a", earlier: str | None = None) -> Unit:
    return Unit(name, rows, label, frozenset(label), earlier)


def fractions(units: list[Unit], splits: dict[str, str]) -> dict[str, float]:
    """The fraction of all rows that each split has."""
    rows = Counter[str]()
    for each in units:
        rows[splits[each.name]] += each.rows
    return {split: rows[split] / rows.total() for split in SPLITS}


@given(UNITS, st.integers(0, 99), st.randoms())
def test_the_order_of_the_units_does_not_matter(
    units: list[Unit], seed: int, random: Random
) -> None:
    splits = assign_splits(units, FRACTIONS, seed)
    assert splits == assign_splits(random.sample(units, len(units)), FRACTIONS, seed)
    assert set(splits) == {each.name for each in units}


@given(UNITS, st.integers(0, 99), st.sampled_from([(0.1, 0.1), (0.2, 0.1), (0.1, 0.3)]))
def test_fractions_are_those_of_rows(
    units: list[Unit], seed: int, wanted: tuple[float, float]
) -> None:
    found = fractions(units, assign_splits(units, Fractions(*wanted), seed))
    total = sum(each.rows for each in units)
    allowed = max(0.02, max(each.rows for each in units) / total)
    assert abs(found["validation"] - wanted[0]) <= allowed
    assert abs(found["test"] - wanted[1]) <= allowed


@pytest.mark.parametrize("seed", range(5))
def test_large_units_are_for_training(seed: int) -> None:
    templates = [unit(f"template {number}", 150, label) for number, label in enumerate("abc")]
    single = [unit(f"single {number}", 1, "abc"[number % 3]) for number in range(450)]
    splits = assign_splits([*templates, *single], FRACTIONS, seed)
    assert {splits[each.name] for each in templates} == {TRAIN}
    found = fractions([*templates, *single], splits)
    assert found == {"train": 0.8, "validation": 0.1, "test": 0.1}
    # Each label is as frequent in every split as the small units allow.
    for split in ("validation", "test"):
        labels = Counter(next(iter(each.labels)) for each in single if splits[each.name] == split)
        assert min(labels.values()) >= 15


def test_large_units_are_split_where_there_is_nothing_else() -> None:
    splits = assign_splits([unit(f"{number}", 50) for number in range(3)], FRACTIONS, 1)
    assert sorted(splits.values()) == sorted(SPLITS)


@given(st.integers(0, 99), st.integers(3, 12))
def test_rare_labels_are_in_every_split(seed: int, count: int) -> None:
    rare = [unit(f"rare {number}", label="r") for number in range(count)]
    common = [unit(f"common {number}") for number in range(300)]
    splits = assign_splits([*common, *rare], FRACTIONS, seed)
    assert {splits[each.name] for each in rare} == set(SPLITS)


@given(UNITS, st.integers(0, 99), st.integers(0, 60))
def test_earlier_splits_stay_when_data_is_added(units: list[Unit], seed: int, more: int) -> None:
    before = assign_splits(units, FRACTIONS, seed)
    kept = [
        unit(each.name, each.rows, next(iter(each.labels)), before[each.name]) for each in units
    ]
    added = [unit(f"new {number}", 1, "ab"[number % 2]) for number in range(more)]
    after = assign_splits([*kept, *added], FRACTIONS, seed)
    assert before.items() <= after.items()


def test_another_seed_gives_other_splits() -> None:
    units = [unit(str(number)) for number in range(200)]
    assert assign_splits(units, FRACTIONS, 1) != assign_splits(units, FRACTIONS, 2)
