import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx
import prometheus_client
import pytest
from pydantic import BaseModel

from echo_model import Serve
from mesh.core.passes import AbandonedError, checkpoint, require_time, watched
from mesh.serve.model import ServedModel
from mesh.serve.problems import ProblemError
from mesh.serve.upstream import (
    CircuitBreaker,
    EventLoop,
    Failures,
    UpstreamError,
    parse_retry_after,
    retrying,
    settle,
)


class Word(BaseModel):
    word: str = ""


class DependentModel(ServedModel):
    """Fails as its service does, and counts that."""

    name = "dependent"
    request_model = Word
    response_model = Word

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = prometheus_client.Counter("calls", "Calls.", registry=None)

    @property
    def collectors(self) -> list[prometheus_client.Counter]:
        return [self.calls]

    def predict_batch(self, requests: Sequence[Word]) -> list[Exception]:
        self.calls.inc(len(requests))
        return [self.error] * len(requests)

    def example_request(self, text: str) -> Word:
        return Word(word=text)


@pytest.mark.parametrize(
    ("status", "retry_after", "header"),
    [(502, None, None), (503, None, "1"), (503, 2.5, "3"), (504, None, None)],
)
def test_failure_is_a_problem_that_names_the_service(
    serve: Serve, status: Any, retry_after: float | None, header: str | None
) -> None:
    async def call() -> tuple[httpx.Response, str]:
        error = UpstreamError(status, "The oracle", "is silent.", retry_after=retry_after)
        async with serve(DependentModel(error)) as client:
            response = await client.post("/v1/model/dependent/predict", json={})
            return response, (await client.get("/metrics")).text

    response, metrics = asyncio.run(call())
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
def test_retry_after_is_seconds_or_nothing(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds


def call_until(errors: Sequence[Exception], **policy: Any) -> int:
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


def transient(retry_after: float = 0.0) -> UpstreamError:
    return UpstreamError(503, "It", "is busy.", transient=True, retry_after=retry_after)


def test_transient_failures_are_tried_again() -> None:
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
def test_last_failure_is_raised(errors: Sequence[Exception], attempts: int) -> None:
    with pytest.raises(type(errors[-1])) as caught:
        call_until(errors, attempts=attempts, seconds=60)
    assert caught.value is errors[-1]


def test_event_loop_runs_the_work_of_several_threads_together() -> None:
    loop = EventLoop()
    barrier = asyncio.Barrier(3)
    results: list[int] = []

    async def meet() -> int:
        return await barrier.wait()

    threads = [threading.Thread(target=lambda: results.append(loop.run(meet()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == [0, 1, 2]


def test_event_loop_passes_failures_on() -> None:
    async def fail() -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        EventLoop().run(fail())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_open_circuit_breaker_lets_one_trial_through(clock: list[float]) -> None:
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


def test_failed_trial_opens_the_circuit_breaker_again(clock: list[float]) -> None:
    breaker = CircuitBreaker("The service x", failures=1, seconds=10)
    breaker.failed()
    clock[0] = 12
    breaker.check()
    breaker.failed()
    clock[0] = 21
    with pytest.raises(UpstreamError):
        breaker.check()


def test_success_resets_the_failures(clock: list[float]) -> None:
    breaker = CircuitBreaker("The service x", failures=2, seconds=10)
    for _ in range(3):
        breaker.failed()
        breaker.succeeded()
        breaker.check()


def test_only_server_errors_and_refusals_for_now_are_transient() -> None:
    failures = Failures("The oracle")
    expected = {
        400: (502, False),
        404: (502, False),
        429: (503, True),
        500: (502, True),
        503: (503, True),
    }
    errors = {status: failures.status(status, "7") for status in expected}
    assert {key: (error.status, error.transient) for key, error in errors.items()} == expected
    assert errors[503].retry_after == 7
    assert errors[500].retry_after is None
    assert errors[404].detail == "The oracle failed with status 404."


def test_one_failure_leaves_the_other_results() -> None:
    async def half(number: int) -> int:
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number // 2

    first, second, third = asyncio.run(settle(map(half, [2, 3, 4])))
    assert (first, str(second), third) == (1, "3 is odd", 2)


def test_cancellation_is_not_a_result() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def scenario() -> None:
        await settle([cancelled()])

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(scenario())


def test_a_call_whose_client_left_is_cancelled() -> None:
    cancelled = threading.Event()

    class Gone:
        longest_seconds = 30.0

        def checkpoint(self, *, idle: bool) -> None:
            assert idle
            raise AbandonedError

    async def call() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with watched(Gone()), pytest.raises(AbandonedError):
        EventLoop().run(call())
    assert cancelled.wait(30)


def test_no_problem_shows_the_password_of_a_url() -> None:
    errors = (
        ProblemError(502, "http://me:s3cret@host/v1 failed."),
        UpstreamError(503, "The service at http://me:s3cret@host", "can't be reached."),
    )
    for error in errors:
        assert "http://me:***@host" in error.detail
        assert "s3cret" not in f"{error} {error.detail}"


def test_what_runs_on_the_event_loop_is_not_watched() -> None:
    class Waiting:
        longest_seconds = 0.0

        def checkpoint(self, *, idle: bool) -> None:
            assert idle

    async def call() -> str:
        await asyncio.sleep(0)
        checkpoint()
        require_time(60, "1 token")
        return "done"

    with watched(Waiting()):
        assert EventLoop().run(call()) == "done"
