import time

import pytest

from entity_fishing.circuit_breaker import CircuitBreaker
from mesh.serve.upstream import UpstreamError


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_service_is_left_alone_then_tried_once(clock):
    breaker = CircuitBreaker("The service x", failures=2, seconds=10)
    breaker.check()
    breaker.failed()
    breaker.check()
    breaker.failed()
    clock[0] = 4
    with pytest.raises(UpstreamError, match="left alone") as caught:
        breaker.check()
    assert (caught.value.status, caught.value.retry_after) == (503, 6)
    clock[0] = 10
    breaker.check()
    with pytest.raises(UpstreamError):
        breaker.check()
    breaker.succeeded()
    breaker.check()


def test_failed_trial_starts_the_time_anew(clock):
    breaker = CircuitBreaker("The service x", failures=1, seconds=10)
    breaker.failed()
    clock[0] = 12
    breaker.check()
    breaker.failed()
    clock[0] = 21
    with pytest.raises(UpstreamError):
        breaker.check()


def test_success_forgets_failures(clock):
    breaker = CircuitBreaker("The service x", failures=2, seconds=10)
    for _ in range(3):
        breaker.failed()
        breaker.succeeded()
        breaker.check()
