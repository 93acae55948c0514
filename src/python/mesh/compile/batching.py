"""Batches of sequences of different lengths with little padding."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The overhead of a pass, in tokens (MiniLM-L6 on one core: 1.5 ms).
PASS_TOKENS = 16
MAX_PADDING = 0.1

# Above these numbers of rows, and of tokens in each, few shapes differ by a step.
ALL_ROWS, ROW_STEP = 8, 4
ALL_LENGTHS, LENGTH_STEP = 16, 8


@dataclass(frozen=True)
class Batch:
    """One pass through the network.

    Args:
        indices: the sequences in it, at most `rows`.
        rows, length: the shape it is padded to.
    """

    indices: tuple[int, ...]
    rows: int
    length: int


def dynamic_batches(lengths: Sequence[int], max_batch_tokens: int) -> list[Batch]:
    """Group sequences for a network that takes any shape; every sequence is in exactly one batch.

    A batch of more than one sequence holds at most `max_batch_tokens` tokens, padding included. Its
    padding is at most a tenth of them, or 16 tokens, which cost less than another pass.
    """
    batches = []
    current: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[index]
        padded = (len(current) + 1) * length
        padding = padded - tokens - length
        if current and (
            padded > max_batch_tokens or padding > max(PASS_TOKENS, MAX_PADDING * padded)
        ):
            batches.append(Batch(tuple(current), len(current), lengths[current[-1]]))
            current, tokens = [], 0
        current.append(index)
        tokens += length
    if current:
        batches.append(Batch(tuple(current), len(current), lengths[current[-1]]))
    return batches


def with_few_shapes(
    batches: Iterable[Batch], max_length: int, max_batch_tokens: int
) -> Iterator[Batch]:
    """The batches with more rows and longer ones, so that few of them differ in shape.

    It is for a network that prepares each new shape, which takes longer than some more tokens.
    Small shapes stay as they are: words, of 3 tokens, would take half as long again with 8. No
    batch of several rows gets more than `max_batch_tokens` by it, and no row more than
    `max_length`.
    """
    for batch in batches:
        length, rows = batch.length, batch.rows
        if length > ALL_LENGTHS:
            length = min(max_length, length + -length % LENGTH_STEP)
        if rows > 1 and rows * length > max_batch_tokens:
            length = batch.length
        if rows > ALL_ROWS:
            rows += -rows % ROW_STEP
        if rows * length > max_batch_tokens:
            rows = batch.rows
        yield Batch(batch.indices, rows, length)


def bucket_rows(bucket: int, max_batch_tokens: int) -> int:
    """The number of sequences in one pass of a program of fixed shape."""
    return max(1, max_batch_tokens // bucket)


def bucket_batches(
    lengths: Sequence[int], buckets: Sequence[int], max_batch_tokens: int
) -> list[Batch]:
    """Group sequences for programs of fixed shapes: each goes to the smallest bucket that holds it.

    Raises:
        ValueError: a sequence is longer than the largest bucket.
    """
    members: dict[int, list[int]] = {bucket: [] for bucket in buckets}
    for index, length in enumerate(lengths):
        bucket = next((bucket for bucket in buckets if bucket >= length), None)
        if bucket is None:
            raise ValueError(
                f"a sequence of {length} tokens fits into none of the buckets {tuple(buckets)}"
            )
        members[bucket].append(index)
    batches = []
    for bucket, indices in members.items():
        rows = bucket_rows(bucket, max_batch_tokens)
        for start in range(0, len(indices), rows):
            batches.append(Batch(tuple(indices[start : start + rows]), rows, bucket))
    return batches


def pad(
    sequences: Sequence[Sequence[int]], batch: Batch, pad_token_id: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Make the network's inputs, token ids and attention mask, both int64 (rows, length).

    Rows without a sequence repeat the last one: attention isn't defined for a row of padding alone.
    """
    ids = np.full((batch.rows, batch.length), pad_token_id, dtype=np.int64)
    mask = np.zeros((batch.rows, batch.length), dtype=np.int64)
    for row in range(batch.rows):
        sequence = sequences[batch.indices[min(row, len(batch.indices) - 1)]]
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask
