"""Bodies in flight, and those that make others too large."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

import mesh.serve.predict
from echo_model import PREDICT, Echo, Question, Serve, body, check_problem, until
from mesh.serve.bodies import SMALL_BYTES, Body, BytesInFlight
from mesh.serve.inference_schemas import InferRequest
from mesh.serve.problems import ProblemError
from mesh.serve.request_limits import Extent, largest_request

INFER = "/v2/models/echo/infer"
LIMITS = Extent(10**9, 10**9)
NO_ROOM = "The server holds as many bytes of requests as it accepts; try again later."
COUNT = 30_000


class Sender:
    """The ASGI channel of a client that sends piece by piece."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(self, size: int, *, is_last: bool = False) -> None:
        self.messages.put_nowait(
            {"type": "http.request", "body": b" " * size, "more_body": not is_last}
        )

    async def receive(self) -> dict[str, Any]:
        return await self.messages.get()


def reading(flight: BytesInFlight, sender: Sender) -> "asyncio.Task[int]":
    async def read() -> int:
        with Body(flight, LIMITS) as body:
            return len(await body.read({}, sender.receive))

    return asyncio.create_task(read())


def test_bytes_count_until_the_end_of_the_block() -> None:
    async def scenario() -> None:
        flight = BytesInFlight(100, 30)
        sender = Sender()
        with Body(flight, LIMITS) as body:
            sender.send(40)
            sender.send(20, is_last=True)
            assert len(await body.read({}, sender.receive)) == 60
            assert flight.count == 60
            other = Sender()
            other.send(41, is_last=True)
            with pytest.raises(ProblemError, match=NO_ROOM):
                await reading(flight, other)
            other.send(40, is_last=True)
            assert await reading(flight, other) == 40
            assert flight.count == 60
        assert flight.count == 0

    asyncio.run(scenario())


def test_the_largest_body_that_still_arrives_gives_way() -> None:
    async def scenario() -> None:
        flight = BytesInFlight(100, 30)
        slow, slower, small = Sender(), Sender(), Sender()
        tasks = [reading(flight, sender) for sender in (slow, slower)]
        slow.send(50)
        slower.send(45)
        await until(lambda: flight.count == 95)
        small.send(10, is_last=True)
        assert await reading(flight, small) == 10
        with pytest.raises(ProblemError, match=NO_ROOM):
            await tasks[0]
        assert flight.count == 45
        slower.send(50, is_last=True)
        assert await tasks[1] == 95
        assert flight.count == 0

    asyncio.run(scenario())


def test_a_part_is_kept_for_small_bodies() -> None:
    async def scenario() -> None:
        flight = BytesInFlight(16 * 2 * SMALL_BYTES, 30)
        assert flight.largest == 15 * 2 * SMALL_BYTES
        large, more, small = Sender(), Sender(), Sender()
        with Body(flight, LIMITS) as body:
            large.send(flight.largest, is_last=True)
            await body.read({}, large.receive)
            more.send(SMALL_BYTES + 1, is_last=True)
            with pytest.raises(ProblemError, match=NO_ROOM):
                await reading(flight, more)
            small.send(SMALL_BYTES, is_last=True)
            assert await reading(flight, small) == SMALL_BYTES

    asyncio.run(scenario())


def test_all_connections_share_the_bytes_in_flight(serve: Serve) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model, threads=1, max_bytes_in_flight=200) as client:
            accepted_content = json.dumps(body("wait", "x" * 50))
            accepted = asyncio.create_task(client.post(PREDICT, content=accepted_content))
            await until(lambda: len(model.computed) == 2)
            size = float(len(accepted_content))
            metrics = (await client.get("/metrics")).text
            assert f"http_request_bytes_in_flight {size}" in metrics
            refused = await client.post(PREDICT, json=body("x" * 80))
            check_problem(refused, 503, NO_ROOM)
            assert refused.headers["retry-after"] == "1"
            model.gate.set()
            assert (await accepted).status_code == 200
            assert (await client.post(PREDICT, json=body("x" * 80))).status_code == 200
            too_large = await client.post(PREDICT, json=body("x" * 200))
            check_problem(too_large, 413, "The body is larger than 200 bytes; send less at once.")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "content",
    [
        [[]] * COUNT,
        {"inputs": [[]] * COUNT},
        {"inputs": [{"document": "a", "x": [[]] * COUNT}]},
        {"x": {str(number): {} for number in range(COUNT)}},
        {str(number): 0 for number in range(COUNT)},
        {"inputs": [{"document": ""}] * COUNT},
        [0] * COUNT,
        [""] * COUNT,
        [[0]] * COUNT,
    ],
)
@pytest.mark.parametrize("path", [PREDICT, INFER])
def test_bodies_with_too_many_elements_are_refused_before_they_have_arrived(
    serve: Serve, path: str, content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is left of a body in flight is never asked for.
    async def endless() -> AsyncIterator[bytes]:
        text = json.dumps(content).encode() * 10
        for start in range(0, len(text), 1000):
            yield text[start : start + 1000]
        pytest.fail("All of the body was read.")

    async def scenario() -> None:
        async with serve(Echo(), max_bytes_in_flight=10**9) as client:
            monkeypatch.setattr("mesh.serve.lingering.LINGER_SECONDS", 0)
            response = await client.post(path, content=endless())
            limit = largest_request(Question if path == PREDICT else InferRequest).elements
            assert limit < COUNT
            detail = (
                f"The body has more than {limit:,} elements, as many as the largest request that "
                "is accepted."
            )
            check_problem(response, 422, detail)

    asyncio.run(scenario())


def test_big_bodies_are_validated_one_at_a_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, most = 0, 0
    lock = threading.Lock()

    class Slow(Question):
        @classmethod
        def model_validate_json(cls, *args: Any, **options: Any) -> Any:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            # Long enough for another thread to begin.
            time.sleep(0.005)
            parsed = Question.model_validate_json(*args, **options)
            with lock:
                now -= 1
            return parsed

    class SlowEcho(Echo):
        request_model = Slow

    async def scenario() -> None:
        monkeypatch.setattr(mesh.serve.predict, "INLINE_BYTES", 0)
        async with serve(SlowEcho()) as client:
            sent = [client.post(PREDICT, json=body("x" * 100_000)) for _ in range(20)]
            for response in await asyncio.gather(*sent):
                assert response.status_code == 200

    asyncio.run(scenario())
    assert most == 1
