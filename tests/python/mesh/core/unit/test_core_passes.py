import contextlib

import pytest

from mesh.core.errors import UsageError
from mesh.core.passes import AbandonedError, checkpoint, require_time, watched


class Patience:
    """Waits for a number of checkpoints, and for computations of a length."""

    def __init__(self, checkpoints: int, longest_seconds: float = 10) -> None:
        self.longest_seconds = longest_seconds
        self._left = checkpoints

    def checkpoint(self, *, idle: bool) -> None:
        assert not idle
        if not self._left:
            raise AbandonedError
        self._left -= 1


def test_without_a_watch_nothing_ends_or_is_refused() -> None:
    checkpoint()
    require_time(1e9, "1 token")


def test_a_computation_ends_at_the_checkpoint_where_nobody_waits() -> None:
    passed = []

    def compute() -> None:
        for number in range(10):
            # As models do, which go on with their next document.
            with contextlib.suppress(Exception):
                checkpoint()
                passed.append(number)

    with watched(Patience(2)), pytest.raises(AbandonedError):
        compute()
    assert passed == [0, 1]
    checkpoint()


def test_the_inner_watch_counts() -> None:
    with watched(Patience(0)):
        with watched(Patience(1)):
            checkpoint()
        with pytest.raises(AbandonedError):
            checkpoint()


def test_work_that_takes_too_long_is_refused_with_its_extent() -> None:
    with watched(Patience(0, longest_seconds=15)):
        require_time(15, "46,000 tokens")
        require_time(60, "180,000 tokens", tolerance=4)
        with pytest.raises(UsageError) as caught:
            require_time(58.4, "180,000 tokens")
    assert str(caught.value) == (
        "This server needs about 58 seconds for 180,000 tokens, more than the 15 that a request "
        "may take: send fewer or shorter documents."
    )
