"""More requests than the model can compute, late ones, and the server's end."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from echo_model import PREDICT, Answer, Echo, Question, Serve, body, check_problem, until
from mesh.core.passes import checkpoint
from mesh.serve.app import create_app
from mesh.serve.availability import Phase
from mesh.serve.settings import ServeSettings


def test_a_full_queue_refuses_and_recovers(serve: Serve) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model, threads=1, queue_size=1, max_batch=1) as client:
            dispatcher = client.app.state.dispatcher  # type: ignore[attr-defined]
            computing = asyncio.create_task(client.post(PREDICT, json=body("wait")))
            await until(lambda: model.computed == ["wait"])
            waiting = asyncio.create_task(client.post(PREDICT, json=body("b")))
            await until(lambda: len(dispatcher) == 1)
            response = await client.post(PREDICT, json=body("c"))
            detail = "The server has as many requests waiting as it accepts; try again later."
            check_problem(response, 503, detail)
            assert response.headers["retry-after"] == "1"
            model.gate.set()
            assert (await computing).json() == {"outputs": ["wait"]}
            assert (await waiting).json() == {"outputs": ["b"]}
            assert (await client.post(PREDICT, json=body("d"))).status_code == 200
        assert model.computed == ["wait", "b", "d"]

    asyncio.run(scenario())


def test_past_the_deadline_a_waiting_request_is_not_computed(serve: Serve) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model, threads=1, max_batch=1, deadline_seconds=0.1) as client:
            requests = [client.post(PREDICT, json=body(text)) for text in ("wait", "late")]
            detail = "No response was ready within 0.1 seconds; send less text, or try again later."
            for response in await asyncio.gather(*requests):
                check_problem(response, 504, detail)
            model.gate.set()
            assert (await client.post(PREDICT, json=body("next"))).status_code == 200
        assert model.computed == ["wait", "next"]

    asyncio.run(scenario())


class Passing(Echo):
    """Computes documents that begin with "long" in passes, until the gate is open.

    Attributes:
        begun: how many computations began.
        ended: how many of them ended.
    """

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.ended = 0

    def passes(self, request: Question) -> float:
        return 2.0 * request.inputs[0].document.startswith("long")

    def predict_batch(self, requests: Sequence[Question]) -> list[Answer | Exception]:
        self.begun += 1
        try:
            while self.passes(requests[0]) and not self.gate.wait(0.01):
                checkpoint()
        finally:
            self.ended += 1
        return super().predict_batch(requests)


def test_short_requests_are_computed_beside_long_ones(serve: Serve) -> None:
    async def scenario() -> None:
        model = Passing()
        async with serve(model, threads=2) as client:
            dispatcher = client.app.state.dispatcher  # type: ignore[attr-defined]
            long = [asyncio.create_task(client.post(PREDICT, json=body("long"))) for _ in range(3)]
            await until(lambda: not dispatcher.free_threads)
            for text in ("a", "b", "c"):
                assert (await client.post(PREDICT, json=body(text))).json() == {"outputs": [text]}
            model.gate.set()
            assert [(await task).status_code for task in long] == [200] * 3

    asyncio.run(scenario())


def test_a_long_request_gives_way_to_a_short_one_in_a_full_queue(serve: Serve) -> None:
    async def scenario() -> None:
        model = Passing()
        async with serve(model, threads=1, queue_size=2) as client:
            dispatcher = client.app.state.dispatcher  # type: ignore[attr-defined]
            long = [asyncio.create_task(client.post(PREDICT, json=body("long")))]
            await until(lambda: model.begun == 1)
            long.append(asyncio.create_task(client.post(PREDICT, json=body("long"))))
            await until(lambda: len(dispatcher) == 1)
            long.append(asyncio.create_task(client.post(PREDICT, json=body("long"))))
            await until(lambda: len(dispatcher) == 2)
            assert (await client.post(PREDICT, json=body("a"))).json() == {"outputs": ["a"]}
            gave_way = await long.pop()
            detail = "The server has as many requests waiting as it accepts; try again later."
            check_problem(gave_way, 503, detail)
            assert gave_way.headers["retry-after"] == "1"
            metrics = (await client.get("/metrics")).text
            assert 'inference_rejections_total{reason="queue_full"} 1.0' in metrics
            model.gate.set()
            assert [(await task).status_code for task in long] == [200] * 2

    asyncio.run(scenario())


def test_a_computation_ends_when_its_deadline_passes(serve: Serve) -> None:
    async def scenario() -> None:
        model = Passing()
        async with serve(model, threads=1, deadline_seconds=0.2) as client:
            assert (await client.post(PREDICT, json=body("long"))).status_code == 504
            await until(lambda: model.ended == 1)
            availability = client.app.state.availability  # type: ignore[attr-defined]
            await until(lambda: availability.is_ready)
        assert model.computed == []

    asyncio.run(scenario())


def test_the_server_is_not_ready_while_no_thread_ends_anything_for_the_deadline(
    serve: Serve,
) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model, threads=1, deadline_seconds=0.1) as client:
            assert (await client.get("/v1/ready")).status_code == 200
            late = await client.post(PREDICT, json=body("wait"))
            assert late.status_code == 504
            availability = client.app.state.availability  # type: ignore[attr-defined]
            await until(lambda: not availability.is_ready)
            response = await client.get("/v1/ready")
            check_problem(response, 503, "The model can't respond at the moment.")
            assert (await client.get("/v1/live")).status_code == 200
            model.gate.set()
            await until(lambda: availability.is_ready)
            assert (await client.post(PREDICT, json=body("a"))).status_code == 200

    asyncio.run(scenario())


def test_a_request_whose_client_left_is_not_computed(serve: Serve) -> None:
    async def leave(app: Any) -> list[Any]:
        messages: list[Any] = [
            {
                "type": "http.request",
                "body": b'{"inputs": [{"document": "left"}]}',
                "more_body": False,
            },
            {"type": "http.disconnect"},
        ]
        sent: list[Any] = []
        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": PREDICT,
            "http_version": "1.1",
            "headers": [(b"host", b"test")],
            "query_string": b"",
            "client": None,
        }

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)
        return sent

    async def scenario() -> None:
        model = Echo()
        async with serve(model, threads=1, max_batch=1) as client:
            app = client.app  # type: ignore[attr-defined]
            computing = asyncio.create_task(client.post(PREDICT, json=body("wait")))
            await until(lambda: model.computed == ["wait"])
            assert await leave(app) == []
            assert len(app.state.dispatcher) == 0
            model.gate.set()
            assert (await computing).status_code == 200
            metrics = (await client.get("/metrics")).text
        assert model.computed == ["wait"]
        route = "/v1/model/{name}/predict"
        assert f'http_requests_total{{method="POST",route="{route}",status="499"}} 1.0' in metrics
        assert 'inference_rejections_total{reason="client_left"} 1.0' in metrics

    asyncio.run(scenario())


def test_requests_while_the_model_is_unavailable_and_while_the_server_ends(
    serve: Serve,
) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model) as client:
            availability = client.app.state.availability  # type: ignore[attr-defined]
            model.ready = False
            for response in (
                await client.get("/v1/ready"),
                await client.post(PREDICT, json=body("a")),
            ):
                check_problem(response, 503, "The model can't respond at the moment.")
                assert response.headers["retry-after"] == "1"
            assert (await client.get("/v1/live")).status_code == 200
            model.ready = True
            availability.drain()
            check_problem(await client.get("/v1/ready"), 503, "The server is shutting down.")
            accepted = await client.post(PREDICT, json=body("a"))
            assert accepted.status_code == 200
            assert accepted.headers["connection"] == "close"
            availability.refuse()
            refused = await client.post(PREDICT, json=body("b"))
            check_problem(refused, 503, "The server is shutting down.")

    asyncio.run(scenario())


def test_the_app_ends_when_all_requests_are_complete() -> None:
    async def scenario() -> None:
        model = Echo()
        app = create_app(model, ServeSettings())
        transport = httpx.ASGITransport(app)
        stop = asyncio.Event()

        async def live() -> None:
            async with app.router.lifespan_context(app):
                await stop.wait()

        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            life = asyncio.create_task(live())
            await until(lambda: app.state.availability.phase is Phase.SERVING)
            accepted = asyncio.create_task(client.post(PREDICT, json=body("wait")))
            await until(lambda: model.computed == ["wait"])
            stop.set()
            await asyncio.wait({life}, timeout=0.05)
            assert not life.done()
            assert (await client.post(PREDICT, json=body("a"))).status_code == 503
            model.gate.set()
            assert (await accepted).status_code == 200
            await life

    asyncio.run(scenario())
