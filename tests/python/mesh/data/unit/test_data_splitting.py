from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mesh.data.splitting import SPLITS, TEST, TRAIN, Fractions, assign_splits

SHARES = Fractions(validation=0.1, test=0.1)
names = st.lists(st.text(max_size=4), unique=True, max_size=60)


def strata_of(units: list[str]) -> dict[str, str]:
    return {unit: str(len(unit) % 2) for unit in units}


@given(names, st.integers(), st.randoms())
def test_splits_depend_on_names_and_seed_and_not_on_the_order(
    units: list[str], seed: int, random: Random
) -> None:
    shuffled = random.sample(units, len(units))
    assigned = assign_splits(strata_of(units), SHARES, seed)
    assert assigned == assign_splits(strata_of(shuffled), SHARES, seed)
    assert set(assigned) == set(units)
    assert set(assigned.values()) <= set(SPLITS)


@given(names, st.integers(), st.floats(0.05, 0.4), st.floats(0.05, 0.4))
def test_every_stratum_has_the_shares_but_for_rounding(
    units: list[str], seed: int, validation: float, test: float
) -> None:
    strata = strata_of(units)
    assigned = assign_splits(strata, Fractions(validation, test), seed)
    for stratum, size in Counter(strata.values()).items():
        found = Counter(assigned[unit] for unit in units if strata[unit] == stratum)
        assert abs(found["test"] - size * test) < 1
        assert abs(found["validation"] - size * validation) < 1.000001


@given(names, st.text(min_size=5, max_size=5), st.integers())
def test_further_unit_moves_one_other_at_most_at_each_border(
    units: list[str], further: str, seed: int
) -> None:
    before = assign_splits(strata_of(units), SHARES, seed)
    after = assign_splits(strata_of([*units, further]), SHARES, seed)
    moved = [unit for unit in units if before[unit] != after[unit]]
    assert len(moved) <= 2
    assert not any(before[unit] == TRAIN and after[unit] == TEST for unit in moved)


def test_training_units_stay_out_of_the_test_split_while_the_data_grows_by_half() -> None:
    first = {f"unit {number}": "all" for number in range(2000)}
    second = {f"unit {number}": "all" for number in range(3000)}
    before = assign_splits(first, SHARES, 1)
    after = assign_splits(second, SHARES, 1)
    assert not [unit for unit in first if before[unit] == TRAIN and after[unit] == TEST]
    assert sum(before[unit] != after[unit] for unit in first) < 0.05 * len(first)


def test_another_seed_gives_other_splits() -> None:
    units = {f"unit {number}": "all" for number in range(200)}
    assert assign_splits(units, SHARES, 1) != assign_splits(units, SHARES, 2)


def test_small_strata_together_get_their_shares() -> None:
    units = {f"unit {number}": f"stratum {number // 3}" for number in range(3000)}
    found = Counter(assign_splits(units, SHARES, 1).values())
    assert 240 < found[TEST] < 360
