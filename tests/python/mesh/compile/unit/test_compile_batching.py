import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.compile.batching import (
    MAX_PADDING,
    PASS_TOKENS,
    Batch,
    bucket_batches,
    dynamic_batches,
    pad,
    with_few_shapes,
)

lengths_up_to_64 = st.lists(st.integers(1, 64), max_size=60)
budgets = st.integers(1, 300)


def members(batches: list[Batch]) -> list[int]:
    return sorted(index for batch in batches for index in batch.indices)


@given(lengths_up_to_64, budgets)
def test_dynamic_batches_hold_every_sequence_once(lengths: list[int], budget: int) -> None:
    assert members(dynamic_batches(lengths, budget)) == list(range(len(lengths)))


@given(lengths_up_to_64, budgets)
def test_dynamic_batches_keep_to_the_budget_and_pad_little(lengths: list[int], budget: int) -> None:
    for batch in dynamic_batches(lengths, budget):
        inside = [lengths[index] for index in batch.indices]
        padded = batch.rows * batch.length
        assert batch.rows == len(inside)
        assert batch.length == max(inside)
        assert batch.rows == 1 or padded <= budget
        assert padded - sum(inside) <= max(PASS_TOKENS, MAX_PADDING * padded)


def test_one_long_text_does_not_pad_the_short_ones() -> None:
    batches = dynamic_batches([200, 4, 4, 4, 4], 1024)
    assert [(batch.rows, batch.length) for batch in batches] == [(4, 4), (1, 200)]


@given(lengths_up_to_64, budgets)
def test_bucket_batches_hold_every_sequence_once_in_its_bucket(
    lengths: list[int], budget: int
) -> None:
    batches = bucket_batches(lengths, (8, 16, 64), budget)
    assert members(batches) == list(range(len(lengths)))
    for batch in batches:
        assert 0 < len(batch.indices) <= batch.rows == max(1, budget // batch.length)
        smaller = max(bucket for bucket in (0, 8, 16) if bucket < batch.length)
        assert all(smaller < lengths[index] <= batch.length for index in batch.indices)


def test_a_sequence_longer_than_the_largest_bucket_is_an_error() -> None:
    with pytest.raises(ValueError, match="65 tokens"):
        bucket_batches([65], (8, 64), 100)


def test_padding_is_masked_and_spare_rows_repeat_the_last_sequence() -> None:
    ids, mask = pad([[9], [5, 6, 7]], Batch((1, 0), rows=3, length=4), pad_token_id=1)
    assert ids.tolist() == [[5, 6, 7, 1], [9, 1, 1, 1], [9, 1, 1, 1]]
    assert mask.tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert ids.dtype == mask.dtype == np.int64


@pytest.mark.parametrize(
    ("given_shape", "expected"),
    [
        ((1, 1), (1, 1)),
        ((8, 16), (8, 16)),
        ((2, 17), (2, 24)),
        ((9, 3), (12, 3)),
        ((9, 16), (12, 16)),
        # No longer than the longest, and no larger than a pass may be.
        ((1, 97), (1, 100)),
        ((15, 17), (15, 17)),
        ((10, 17), (10, 24)),
        ((1, 100), (1, 100)),
    ],
    ids=str,
)
def test_large_batches_have_few_shapes(
    given_shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    rows, length = given_shape
    [made] = with_few_shapes([Batch(tuple(range(rows)), rows, length)], 100, 256)
    assert made == Batch(tuple(range(rows)), *expected)


@given(lengths_up_to_64, budgets)
def test_few_shapes_keep_to_the_budget(lengths: list[int], budget: int) -> None:
    batches = dynamic_batches(lengths, budget)
    made = list(with_few_shapes(batches, 64, budget))
    assert [batch.indices for batch in made] == [batch.indices for batch in batches]
    for before, after in zip(batches, made, strict=True):
        assert after.rows >= before.rows
        assert before.length <= after.length <= 64
        assert len(before.indices) == 1 or after.rows * after.length <= budget
