"""Requests and their responses."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo_model import PREDICT, Echo, Serve, body, check_problem, until
from mesh.serve.app import create_app
from mesh.serve.availability import Phase
from mesh.serve.settings import ServeSettings


def test_probes_bio_and_index(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            assert (await client.get("/v1/live")).json() == {"live": True}
            assert (await client.get("/v1/ready")).json() == {"ready": True}
            bio = (await client.get("/v1/model/echo/bio")).json()
            assert bio == {"model_name": "echo", "model_card": {}, "runs_on": [], "precision": None}
            assert (await client.get("/")).json()["predict"] == PREDICT

    asyncio.run(scenario())


def test_predict(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.post(PREDICT, json=body("a", "日本 😀"))
            assert response.status_code == 200
            assert response.headers["content-type"] == "application/json"
            assert response.json() == {"outputs": ["a", "日本 😀"]}

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [1_000, 500_000])
def test_small_and_big_bodies_are_validated_alike(serve: Serve, size: int) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.post(PREDICT, json=body("x" * size))
            assert response.json() == {"outputs": ["x" * size]}
            broken = await client.post(
                PREDICT,
                content=b'{"inputs": ["' + b"x" * size,
                headers={"content-type": "application/json"},
            )
            assert broken.status_code == 400

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "The body is not JSON: EOF while parsing a value at line 1 column 0."),
        (b"{", "The body is not JSON: EOF while parsing an object at line 1 column 1."),
        (b"[" * 1000, "The body is not JSON: recursion limit exceeded at line 1 column 202."),
        (
            b'{"inputs": "\xff"}',
            "The body is not JSON: invalid unicode code point at line 1 column 13.",
        ),
    ],
)
def test_a_body_that_is_not_json_is_malformed(serve: Serve, content: bytes, detail: str) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.post(
                PREDICT, content=content, headers={"content-type": "application/json"}
            )
            check_problem(response, 400, detail)

    asyncio.run(scenario())


def test_invalid_fields_are_named_and_their_values_are_not_repeated(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            invalid = {"inputs": [{"document": 1}, {"document": "a", "k" * 1000: "v" * 1000}]}
            response = await client.post(PREDICT, json=invalid)
            problem = check_problem(response, 422, "The request has 2 errors, see `errors`.")
            assert problem["errors"] == [
                {
                    "loc": ["body", "inputs", 0, "document"],
                    "msg": "Input should be a valid string",
                    "type": "string_type",
                },
                {
                    "loc": ["body", "inputs", 1, "k" * 300 + "..."],
                    "msg": "Extra inputs are not permitted",
                    "type": "extra_forbidden",
                },
            ]
            quoted = await client.post(PREDICT, json=body("\t" * 100_000))
            problem = check_problem(quoted, 422, "The request has 1 error, see `errors`.")
            assert len(problem["errors"][0]["msg"]) < 310
            many = await client.post(PREDICT, json={"inputs": [{}] * 100})
            problem = check_problem(many, 422, "The request has 100 errors, see `errors`.")
            assert len(problem["errors"]) == 20

    asyncio.run(scenario())


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("inputs"), inner),
    )
)
def test_any_json_gets_a_response_or_is_refused_with_locations(value: Any) -> None:
    async def scenario() -> None:
        app = create_app(Echo(), ServeSettings())
        async with app.router.lifespan_context(app):
            await until(lambda: app.state.availability.phase is Phase.SERVING)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                response = await client.post(PREDICT, content=json.dumps(value).encode())
        assert response.status_code in (200, 422)
        if response.status_code == 422:
            assert all(error["loc"][0] == "body" for error in response.json()["errors"])

    asyncio.run(scenario())


def test_a_model_that_begins_to_load_before_the_app_starts_is_loaded_once() -> None:
    loads: list[str] = []

    class Loads(Echo):
        def load(self) -> None:
            loads.append(self.name)

    async def scenario() -> None:
        app = create_app(Loads(), ServeSettings())
        app.state.availability.start_loading()
        await until(lambda: app.state.availability.phase is Phase.SERVING)
        async with app.router.lifespan_context(app):
            assert app.state.availability.is_ready
        assert loads == ["echo"]

    asyncio.run(scenario())


def test_bodies_above_the_limit_are_refused_with_and_without_a_declared_length(
    serve: Serve,
) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 50

    async def scenario() -> None:
        detail = "The body is larger than 200 bytes; send less at once."
        headers = {"content-type": "application/json"}
        async with serve(Echo(), max_body_bytes=200) as client:
            response = await client.post(PREDICT, content=b" " * 201, headers=headers)
            check_problem(response, 413, detail)
            assert response.headers["connection"] == "close"
            response = await client.post(PREDICT, content=chunks(1000), headers=headers)
            assert "content-length" not in response.request.headers
            check_problem(response, 413, detail)
            assert (
                await client.post(PREDICT, content=chunks(4), headers=headers)
            ).status_code == 400
            wrong = await client.post(PREDICT, content=b"", headers={b"content-length": b"\xb2"})
            check_problem(wrong, 400, "The header Content-Length is not a number.")
            huge = await client.post(PREDICT, content=b"", headers={"content-length": "9" * 10_000})
            check_problem(huge, 413, detail)

    asyncio.run(scenario())


def test_unknown_paths_methods_and_models(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.get("/v1/nothing")
            check_problem(response, 404, "There is nothing at /v1/nothing; see /docs.")
            response = await client.get(PREDICT)
            check_problem(response, 405, f"{PREDICT} takes POST, not GET.")
            assert response.headers["allow"] == "POST"
            response = await client.post("/v1/model/other/predict", json=body("a"))
            check_problem(response, 404, "The model 'other' is not served here; 'echo' is.")
            slash = await client.get("/v1/live/", headers={"host": "evil.example"})
            assert slash.status_code == 404

    asyncio.run(scenario())


def test_exceptions_of_the_model(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.post(PREDICT, json=body("usage"))
            check_problem(response, 422, "The document has too many candidates.")
            response = await client.post(PREDICT, json=body("problem"))
            check_problem(response, 502, "The other service does not respond.")
            response = await client.post(
                PREDICT, json=body("crash"), headers={"x-request-id": "id-of-the-crash"}
            )
            detail = "The server failed to respond; its log says why, under this request id."
            check_problem(response, 500, detail)
            assert "secret" not in response.text

    asyncio.run(scenario())
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "Request id-of-the-crash failed"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)
