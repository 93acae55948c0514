"""The comparison of two servers' answers, and the proxy that sends requests to both."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from mesh.loadtest import shadow_proxy
from mesh.loadtest.shadow import Answer, Times, compare
from mesh.loadtest.shadow_proxy import ShadowProxy

PREDICT = "/v1/model/tiny/predict"
INFER = "/v2/models/tiny/infer"

Handler = Callable[[Request], Awaitable[Response]]


def answer(status: int, body: Any) -> Answer:
    return Answer(status, body.encode() if isinstance(body, str) else json.dumps(body).encode(), 1)


def tensors(*responses: Any) -> Any:
    return {"model_name": "tiny", "outputs": [{"data": [json.dumps(one) for one in responses]}]}


@pytest.mark.parametrize(
    ("path", "of", "shadow", "verdict", "found"),
    [
        (PREDICT, answer(200, {"a": 0.5}), answer(200, {"a": 0.5004}), "equal", ""),
        (
            PREDICT,
            answer(200, {"a": [0.5]}),
            answer(200, {"a": [0.6]}),
            "different",
            "the response.a[0] is 0.6, not 0.5",
        ),
        (INFER, answer(200, tensors({"a": 0.5})), answer(200, tensors({"a": 0.5004})), "equal", ""),
        (
            INFER,
            answer(200, tensors({"a": 0.5})),
            answer(200, tensors({"a": 0.6})),
            "different",
            "the response.outputs[0].data[0].a is 0.6, not 0.5",
        ),
        (INFER, answer(200, tensors(1)), answer(200, {"outputs": [1]}), "different", "can't be"),
        (PREDICT, answer(200, {}), answer(200, "<html>"), "different", "can't be read"),
        (PREDICT, answer(200, {}), answer(404, {}), "different", "status 404, not 200"),
        (PREDICT, answer(422, {}), answer(200, {}), "different", "status 200, not 422"),
        (PREDICT, answer(422, {"id": 1}), answer(422, {"id": 2}), "equal", ""),
        (PREDICT, answer(200, {}), answer(503, {}), "unanswered", "status 503, not 200"),
        (PREDICT, answer(422, {}), answer(429, {}), "unanswered", "status 429, not 422"),
        (PREDICT, answer(200, {}), answer(0, "ConnectError"), "unanswered", "ConnectError"),
    ],
)
def test_verdicts(path: str, of: Answer, shadow: Answer, verdict: str, found: str) -> None:
    said, difference = compare(path, of, shadow)
    assert said == verdict
    assert found in difference
    assert bool(found) == bool(difference)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [((), (0, None, None, None)), ((0.003, 0.001, 0.002), (3, 2.0, 3.0, 3.0))],
)
def test_times_are_percentiles(seconds: tuple[float, ...], expected: tuple[Any, ...]) -> None:
    found = Times.of(seconds)
    assert (found.answers, found.p50, found.p95, found.p99) == expected


async def right(request: Request) -> Response:
    body = await request.body()
    named = {"x-request-id": request.headers["x-request-id"], "x-target": str(request.url.query)}
    return Response(body, headers={"content-type": "application/json", **named})


async def wrong(_request: Request) -> Response:
    return PlainTextResponse("2")


async def failing(_request: Request) -> Response:
    return PlainTextResponse("no", 503)


def client_of(handler: Handler) -> httpx.AsyncClient:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (await handler(Request(scope, receive)))(scope, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server")


def proxy_of(
    of: Handler, shadow: Handler, *, chosen: bool = True
) -> tuple[ShadowProxy, httpx.AsyncClient]:
    proxy = ShadowProxy(client_of(of), client_of(shadow), "tiny", lambda: chosen)
    transport = httpx.ASGITransport(proxy.app())
    return proxy, httpx.AsyncClient(transport=transport, base_url="http://proxy")


def counts(proxy: ShadowProxy) -> tuple[int, int, int]:
    return proxy.comparison.requests, proxy.comparison.failed, proxy.comparison.skipped


@pytest.mark.parametrize(
    ("of", "shadow", "status", "counted"),
    [
        (right, wrong, 200, (1, 0, 0)),
        (right, failing, 200, (1, 0, 0)),
        (failing, right, 503, (1, 1, 0)),
    ],
)
def test_clients_get_the_server_s_response(
    of: Handler, shadow: Handler, status: int, counted: tuple[int, int, int]
) -> None:
    async def run() -> None:
        proxy, client = proxy_of(of, shadow)
        response = await client.post(f"{PREDICT}?a=%2F", content=b"1")
        assert response.status_code == status
        if status == 200:
            assert response.content == b"1"
            assert response.headers["x-target"] == "a=%2F"
            assert response.headers["content-length"] == "1"
            assert len(response.headers["x-request-id"]) == 32
        await proxy.close()
        assert counts(proxy) == counted

    asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "path", "chosen", "requests", "sent"),
    [
        ("POST", PREDICT, True, 1, 1),
        ("POST", INFER, True, 1, 1),
        ("POST", PREDICT, False, 1, 0),
        ("GET", PREDICT, True, 0, 0),
        ("POST", "/v1/model/other/predict", True, 0, 0),
        ("GET", "/v1/model/tiny/bio", True, 0, 0),
    ],
)
def test_chosen_predictions_are_sent_to_the_shadow(
    method: str, path: str, chosen: bool, requests: int, sent: int
) -> None:
    got: list[str] = []

    async def shadow(request: Request) -> Response:
        got.append(request.headers["x-request-id"])
        return Response(await request.body())

    async def run() -> None:
        proxy, client = proxy_of(right, shadow, chosen=chosen)
        response = await client.request(method, path, content=b"1")
        await proxy.close()
        # The same id in both servers' logs.
        assert got == [response.headers["x-request-id"]] * sent
        assert counts(proxy) == (requests, 0, 0)

    asyncio.run(run())


def test_shadow_gets_the_id_that_the_server_has_given() -> None:
    got: list[str] = []

    async def of(_request: Request) -> Response:
        return Response(b"1", headers={"X-Request-ID": "its-own"})

    async def shadow(request: Request) -> Response:
        got.append(request.headers["x-request-id"])
        return Response(b"2")

    async def run() -> None:
        proxy, client = proxy_of(of, shadow)
        await client.post(PREDICT, content=b"1", headers={"X-Request-ID": "refused"})
        await proxy.close()
        assert got == ["its-own"]

    asyncio.run(run())


def test_slow_shadow_gets_no_more_than_it_can_take() -> None:
    async def run() -> None:
        go_on = asyncio.Event()

        async def slow(_request: Request) -> Response:
            await go_on.wait()
            return PlainTextResponse("1")

        proxy, client = proxy_of(right, slow)
        for _ in range(shadow_proxy.MOST_WAITING + 3):
            assert (await client.post(PREDICT, content=b"1")).content == b"1"
        go_on.set()
        await proxy.close()
        assert counts(proxy) == (shadow_proxy.MOST_WAITING + 3, 0, 3)

    asyncio.run(run())


def test_bodies_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_proxy, "MOST_BYTES", 10)

    async def run() -> None:
        proxy, client = proxy_of(right, right)
        assert (await client.post(PREDICT, content=b"1" * 10)).status_code == 200
        assert (await client.post(PREDICT, content=b"1" * 11)).status_code == 413
        await proxy.close()
        assert counts(proxy) == (1, 0, 0)

    asyncio.run(run())


@pytest.mark.parametrize(("times", "status"), [(1, 200), (2, 502)])
def test_closed_connection_is_opened_again_once(times: int, status: int) -> None:
    closed = iter(range(times))

    def handle(request: httpx.Request) -> httpx.Response:
        for _ in closed:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return httpx.Response(200, content=request.content)

    async def run() -> None:
        of = httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://server")
        proxy = ShadowProxy(of, client_of(right), "tiny", lambda: True)
        transport = httpx.ASGITransport(proxy.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
            response = await client.post(PREDICT, content=b"1")
        assert response.status_code == status
        assert ("disconnected" in response.text) is (status == 502)
        await proxy.close()

    asyncio.run(run())
