"""How many requests a server of a compiled model best computes together, by a short measurement."""

import time
from collections.abc import Callable, Sequence

from mesh.core.serving_defaults import ServingDefaults

BATCHES = (1, 2, 4, 8)
"""Requests computed together."""
WORTH_MORE = 0.95
"""More requests together must take less than this fraction of the time of fewer ones."""
WORTH_WAITING = 2
"""How many times as fast as one alone they must be, so that the first one waits for the others.

Under load they wait for each other anyway; without it, the first one waits in vain.
"""
LONGEST_WAIT_MS = 5.0
_TRIALS = 3
"""Of each size; the fastest one counts."""

Batch = Callable[[Sequence[str]], object]


def measure(
    predict: Batch, documents: Sequence[str], clock: Callable[[], float] = time.process_time
) -> ServingDefaults:
    """Predict the documents in batches of each size, and choose from the times.

    Args:
        documents: at least one; up to `BATCHES[-1]` are used.
        clock: counts seconds.
    """
    texts = [documents[number % len(documents)] for number in range(BATCHES[-1])]
    # What is made once, such as a cache, is not a batch's.
    predict(texts)
    seconds = {size: _fastest(predict, texts, size, clock) / len(texts) for size in BATCHES}
    return choose(seconds)


def choose(seconds: dict[int, float]) -> ServingDefaults:
    """Choose from the seconds of one document in batches of each size, the smallest size first.

    A larger batch delays its first result, so it must be faster. Waiting for one must cost a
    document less than the batch saves it, and it must save much.
    """
    alone = chosen = next(iter(seconds))
    for size, took in seconds.items():
        if took < WORTH_MORE * seconds[chosen]:
            chosen = size
    saved_ms = (seconds[alone] - seconds[chosen]) * 1e3
    is_worth_waiting = seconds[alone] >= WORTH_WAITING * seconds[chosen]
    wait_ms = min(saved_ms / 2, LONGEST_WAIT_MS) if is_worth_waiting else 0.0
    return ServingDefaults(max_batch=chosen, batch_wait_ms=round(wait_ms, 2))


def _fastest(predict: Batch, texts: Sequence[str], size: int, clock: Callable[[], float]) -> float:
    times = []
    for _ in range(_TRIALS):
        started = clock()
        for start in range(0, len(texts), size):
            predict(texts[start : start + size])
        times.append(clock() - started)
    return min(times)
