from collections.abc import Sequence

import pytest

from mesh.core.serving_defaults import ServingDefaults
from mesh.lifecycle.serving_measurement import BATCHES, LONGEST_WAIT_MS, choose, measure


class Network:
    """Takes a time for each call, one for each document, and one for the first document it sees."""

    def __init__(self, call: float, document: float) -> None:
        self.now = 0.0
        self.sizes: list[int] = []
        self._call, self._document, self._first = call, document, 1e6

    def predict(self, documents: Sequence[str]) -> None:
        self.sizes.append(len(documents))
        self.now += self._first + self._call + len(documents) * self._document
        self._first = 0.0

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("call", "document", "batch", "wait"),
    [
        # Nothing is gained by more at once.
        (0.0, 0.05, 1, 0.0),
        (0.0005, 0.05, 1, 0.0),
        # Half of the time is that of the call: not enough to wait for.
        (0.004, 0.004, 8, 0.0),
        (0.008, 0.002, 8, 3.5),
        (0.1, 0.001, 8, LONGEST_WAIT_MS),
        # Two save enough, and four no more.
        (0.008, 0.06, 2, 0.0),
    ],
)
@pytest.mark.parametrize("documents", [1, 3, 11])
def test_batch_and_wait_follow_from_the_times(
    call: float, document: float, batch: int, wait: float, documents: int
) -> None:
    network = Network(call, document)
    texts = [f"document {number}" for number in range(documents)]
    found = measure(network.predict, texts, network.clock)
    assert found == ServingDefaults(max_batch=batch, batch_wait_ms=wait)
    assert set(network.sizes) == set(BATCHES)


def test_a_larger_batch_that_takes_longer_is_not_chosen() -> None:
    chosen = choose({1: 1.0, 2: 0.5, 4: 0.6, 8: 0.7})
    assert chosen == ServingDefaults(max_batch=2, batch_wait_ms=LONGEST_WAIT_MS)
