"""Threads that compute outlive every exception, or the process ends."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

import mesh.serve.workers
from echo_model import PREDICT, Answer, Echo, Question, Serve, body, check_problem, until
from mesh.serve.availability import Phase
from mesh.serve.upstream import EventLoop
from mesh.serve.workers import MAX_FAILED_CHECKS, Workers


class PanicException(BaseException):
    """As extensions in Rust raise it."""


ESCAPING = (PanicException, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)


@pytest.fixture(autouse=True)
def _checks_are_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh.serve.workers, "CHECK_SECONDS", 0.01)


class Panicking(Echo):
    """Panics for every document "panic", once its batch may be computed."""

    def __init__(self, error: type[BaseException]) -> None:
        super().__init__()
        self._error = error

    def predict_batch(self, requests: Sequence[Question]) -> list[Answer | Exception]:
        if any(item.document == "panic" for request in requests for item in request.inputs):
            raise self._error("a secret")
        return super().predict_batch(requests)


@pytest.mark.parametrize("error", ESCAPING)
def test_a_panic_is_the_failure_of_its_request_alone(
    serve: Serve, error: type[BaseException]
) -> None:
    async def scenario() -> None:
        model = Panicking(error)
        async with serve(model, threads=1) as client:
            held = asyncio.create_task(client.post(PREDICT, json=body("wait")))
            await until(lambda: model.computed == ["wait"])
            # Computed together.
            batch = [client.post(PREDICT, json=body(text)) for text in ("a", "panic", "b")]
            sent = asyncio.gather(*batch)
            dispatcher = client.app.state.dispatcher  # type: ignore[attr-defined]
            await until(lambda: len(dispatcher) == len(batch))
            model.gate.set()
            assert [response.status_code for response in await sent] == [200, 500, 200]
            assert (await held).status_code == 200
            for _ in range(3):
                failed = await client.post(PREDICT, json=body("panic"))
                detail = "The server failed to respond; its log says why, under this request id."
                check_problem(failed, 500, detail)
            assert (await client.post(PREDICT, json=body("c"))).status_code == 200
            assert (await client.get("/v1/ready")).status_code == 200
            assert "inference_threads 1.0" in (await client.get("/metrics")).text

    asyncio.run(scenario())


@pytest.mark.parametrize("error", ESCAPING)
def test_a_panic_in_loading_ends_the_process(serve: Serve, error: type[BaseException]) -> None:
    class Broken(Echo):
        def load(self) -> None:
            raise error("broken")

    async def scenario() -> None:
        async with serve(Broken()) as client:
            availability = client.app.state.availability  # type: ignore[attr-defined]
            await until(availability.failed.is_set)
            assert availability.failure == (
                f"The model echo can't be loaded: {error.__name__}: broken"
            )

    asyncio.run(scenario())


@pytest.mark.parametrize("error", sorted({*ESCAPING} - {GeneratorExit}, key=str))
def test_a_panic_outside_of_inference_is_the_failure_of_its_request(
    serve: Serve, error: type[BaseException]
) -> None:
    class Broken(Echo):
        def bio(self) -> dict[str, Any]:
            raise error

    async def scenario() -> None:
        async with serve(Broken()) as client:
            assert (await client.get("/v1/model/echo/bio")).status_code == 500
            assert (await client.get("/v1/live")).status_code == 200

    asyncio.run(scenario())


def test_a_thread_that_ends_is_replaced_and_the_server_is_not_ready_meanwhile(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with serve(Echo(), threads=2) as client:
            app = client.app  # type: ignore[attr-defined]
            observe = app.state.dispatcher._metrics.batch_size.observe
            may_start = threading.Event()
            start = threading.Thread.start

            def start_later(thread: threading.Thread) -> None:
                if not may_start.is_set():
                    raise RuntimeError("can't start new thread")
                start(thread)

            monkeypatch.setattr(mesh.serve.workers, "MAX_FAILED_CHECKS", 10**9)
            monkeypatch.setattr(threading.Thread, "start", start_later)
            monkeypatch.setattr(app.state.dispatcher._metrics.batch_size, "observe", _panic)
            failed = await client.post(PREDICT, json=body("a"))
            assert failed.status_code == 500
            monkeypatch.setattr(app.state.dispatcher._metrics.batch_size, "observe", observe)
            await until(lambda: not app.state.availability.is_ready)
            check_problem(
                await client.get("/v1/ready"), 503, "The model can't respond at the moment."
            )
            metrics = (await client.get("/metrics")).text
            assert "inference_threads 1.0" in metrics
            assert "model_ready 0.0" in metrics
            may_start.set()
            await until(lambda: app.state.availability.is_ready)
            assert "inference_threads 2.0" in (await client.get("/metrics")).text
            assert (await client.post(PREDICT, json=body("a"))).status_code == 200

    asyncio.run(scenario())


def _panic(*_: object) -> None:
    raise PanicException


def test_threads_that_end_again_and_again_are_given_up() -> None:
    started: list[None] = []

    def work() -> None:
        started.append(None)
        raise PanicException

    async def scenario() -> str:
        given_up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        workers = Workers(work, wanted=2, is_stuck=lambda: False)
        workers.start(given_up.set_result)
        return await given_up

    reason = asyncio.run(scenario())
    assert reason == "The threads that compute end again and again; the log says why."
    assert len(started) == 2 * MAX_FAILED_CHECKS


def test_threads_that_are_stuck_are_given_up(serve: Serve) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model, threads=1, deadline_seconds=0.05, stuck_seconds=0.1) as client:
            availability = client.app.state.availability  # type: ignore[attr-defined]
            assert (await client.post(PREDICT, json=body("wait"))).status_code == 504
            await until(availability.failed.is_set)
            assert availability.phase is Phase.FAILED
            assert availability.failure == (
                "The threads that compute are stuck in their computations."
            )
            for response in (
                await client.get("/v1/ready"),
                await client.post(PREDICT, json=body("a")),
            ):
                check_problem(response, 503, "The server failed, and ends.")
            model.gate.set()

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [PanicException, SystemExit, KeyboardInterrupt])
def test_the_loop_of_other_services_outlives_every_exception(error: type[BaseException]) -> None:
    async def fail() -> None:
        raise error

    async def succeed() -> int:
        return 1

    loop = EventLoop()
    for _ in range(2):
        with pytest.raises(error):
            loop.run(fail())
        assert loop.run(succeed()) == 1
