import asyncio
import threading
import time

import httpx
import prometheus_client
import pytest
from pydantic import BaseModel

from mesh.serve.model import ServedModel
from mesh.serve.upstream import (
    CircuitBreaker,
    EventLoop,
    UpstreamError,
    parse_retry_after,
    retrying,
)


class Word(BaseModel):
    word: str = ""


class DependentModel(ServedModel):
    """Fails as its service does, and counts that."""

    name = "dependent"
    request_model = Word
    response_model = Word

    def __init__(self, error):
        self.error = error
        self.calls = prometheus_client.Counter("calls", "Calls.", registry=None)

    @property
    def collectors(self):
        return [self.calls]

    def predict_batch(self, requests):
        self.calls.inc(len(requests))
        return [self.error] * len(requests)

    def example_request(self, text):
        return Word(word=text)


@pytest.mark.parametrize(
    ("status", "retry_after", "header"),
    [(502, None, None), (503, None, "1"), (503, 2.5, "3"), (504, None, None)],
)
def test_failure_is_a_problem_that_names_the_service(serve, status, retry_after, header):
    async def ask() -> tuple[httpx.Response, str]:
        error = UpstreamError(status, "The oracle", "is silent.", retry_after=retry_after)
        async with serve(DependentModel(error)) as client:
            answer = await client.post("/v1/model/dependent/predict", json={})
            return answer, (await client.get("/metrics")).text

    response, metrics = asyncio.run(ask())
    assert response.status_code == status
    assert response.json()["detail"] == "The oracle is silent."
    assert response.headers.get("Retry-After") == header
    assert "calls_total 1.0" in metrics


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        ("-1", None),
        ("inf", None),
        ("9" * 5_000, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_nothing(header, seconds):
    assert parse_retry_after(header) == seconds


def call_until(errors, **policy):
    """Make calls that fail with the errors in turn, and then succeed; return their number."""

    async def call() -> int:
        calls = 0
        async for attempt in retrying(**policy):
            with attempt:
                calls += 1
                if calls <= len(errors):
                    raise errors[calls - 1]
        return calls

    return asyncio.run(call())


def transient(retry_after=0.0):
    return UpstreamError(503, "It", "is busy.", transient=True, retry_after=retry_after)


def test_transient_failures_are_tried_again():
    assert call_until([transient(), transient()], attempts=3, seconds=60) == 3


@pytest.mark.parametrize(
    ("errors", "attempts"),
    [
        ([transient(), transient()], 2),
        ([transient(retry_after=61.0)], 9),
        ([UpstreamError(502, "It", "fails.")], 9),
        ([ValueError("a defect")], 9),
    ],
)
def test_last_failure_is_raised(errors, attempts):
    with pytest.raises(type(errors[-1])) as caught:
        call_until(errors, attempts=attempts, seconds=60)
    assert caught.value is errors[-1]


def test_event_loop_runs_the_work_of_several_threads_together():
    loop = EventLoop()
    barrier = asyncio.Barrier(3)
    results = []

    async def meet() -> int:
        return await barrier.wait()

    threads = [threading.Thread(target=lambda: results.append(loop.run(meet()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == [0, 1, 2]


def test_event_loop_passes_failures_on():
    async def fail() -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        EventLoop().run(fail())


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_open_circuit_breaker_lets_one_trial_through(clock):
    breaker = CircuitBreaker("The service x", failures=2, seconds=10)
    breaker.check()
    breaker.failed()
    breaker.check()
    breaker.failed()
    clock[0] = 4
    with pytest.raises(UpstreamError, match="circuit breaker is open") as caught:
        breaker.check()
    assert (caught.value.status, caught.value.retry_after) == (503, 6)
    clock[0] = 10
    breaker.check()
    with pytest.raises(UpstreamError):
        breaker.check()
    breaker.succeeded()
    breaker.check()


def test_failed_trial_opens_the_circuit_breaker_again(clock):
    breaker = CircuitBreaker("The service x", failures=1, seconds=10)
    breaker.failed()
    clock[0] = 12
    breaker.check()
    breaker.failed()
    clock[0] = 21
    with pytest.raises(UpstreamError):
        breaker.check()


def test_success_resets_the_failures(clock):
    breaker = CircuitBreaker("The service x", failures=2, seconds=10)
    for _ in range(3):
        breaker.failed()
        breaker.succeeded()
        breaker.check()
