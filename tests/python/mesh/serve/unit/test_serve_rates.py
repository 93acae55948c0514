"""How many requests a caller may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.serve.access import rates
from mesh.serve.access.rates import RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(per_minute=st.integers(1, 500))
def test_so_many_at_once_and_then_by_the_rate(per_minute: int) -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    waits = [limiter.wait("a", per_minute) for _ in range(per_minute)]
    assert waits == [0] * per_minute
    for _ in range(3):
        wait = limiter.wait("a", per_minute)
        assert 0 < wait <= 60 / per_minute * 1.001
        # The wait is the truth: a little less isn't enough.
        clock.now += wait * 0.99
        assert limiter.wait("a", per_minute) > 0
        clock.now += wait * 0.02
        assert limiter.wait("a", per_minute) == 0


@given(per_minute=st.integers(1, 20), pauses=st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_no_minute_has_more_than_twice_the_rate(per_minute: int, pauses: list[float]) -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    admitted = []
    for pause in pauses:
        clock.now += pause
        if limiter.wait("a", per_minute) == 0:
            admitted.append(clock.now)
    for start in admitted:
        within = [time for time in admitted if start <= time < start + 60]
        assert len(within) <= 2 * per_minute


def test_callers_do_not_share_a_rate() -> None:
    limiter = RateLimiter(Clock())
    assert limiter.wait("a", 1) == 0
    assert limiter.wait("a", 1) > 0
    assert limiter.wait("b", 1) == 0


def test_callers_without_end_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_CALLERS", 10)
    limiter = RateLimiter(Clock())
    for number in range(1000):
        limiter.wait(str(number), 1)
        # One that asks again and again is not forgotten meanwhile.
        limiter.wait("busy", 1)
    assert len(limiter._until) == 10
    assert limiter.wait("busy", 1) > 0
