import asyncio
import json
import logging
import re
import threading
from collections.abc import AsyncIterator
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import field_validator

from mesh.core.errors import UsageError
from mesh.serve.app import create_app
from mesh.serve.inference import Phase
from mesh.serve.model import ServedModel
from mesh.serve.problems import ProblemError
from mesh.serve.settings import ServeSettings

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
PREDICT = "/v1/model/echo/predict"


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    document: str

    @field_validator("document")
    @classmethod
    def _no_tabs(cls, document: str) -> str:
        if "\t" in document:
            raise ValueError(f"no tabs are allowed in {document!r}")
        return document


class Question(BaseModel):
    inputs: list[Item] = Field(min_length=1, max_length=100)


class Answer(BaseModel):
    outputs: list[str]


class Echo(ServedModel):
    """Repeats the documents; "usage", "problem" and "crash" make it fail, "wait" makes it wait for the gate."""

    name = "echo"
    request_model = Question
    response_model = Answer

    def __init__(self) -> None:
        self.computed: list[str] = []
        self.gate = threading.Event()
        self.is_up = True

    @property
    def ready(self) -> bool:
        return self.is_up

    def predict(self, request: Question) -> Answer:
        documents = [item.document for item in request.inputs]
        self.computed += documents
        match documents[0]:
            case "usage":
                raise UsageError("The document has too many candidates.")
            case "problem":
                raise ProblemError(502, "The other service does not answer.")
            case "crash":
                raise ZeroDivisionError("a secret")
            case "wait":
                assert self.gate.wait(30)
        return Answer(outputs=documents)

    def example_request(self, text: str) -> Question:
        return Question(inputs=[Item(document=text)])


def body(*documents: str) -> dict[str, Any]:
    return {"inputs": [{"document": document} for document in documents]}


def check_problem(response: httpx.Response, status: int, detail: str) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    assert response.status_code == problem["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["detail"] == detail
    return problem


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def test_probes_bio_and_index(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            assert (await client.get("/v1/live")).json() == {"live": True}
            assert (await client.get("/v1/ready")).json() == {"ready": True}
            bio = (await client.get("/v1/model/echo/bio")).json()
            assert bio == {"model_name": "echo", "model_card": {}}
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
def test_a_body_that_is_no_json_is_malformed(serve: Serve, content: bytes, detail: str) -> None:
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


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("inputs"), inner),
    )
)
def test_any_json_is_answered_or_refused_with_locations(value: Any) -> None:
    async def scenario() -> None:
        app = create_app(Echo(), ServeSettings())
        async with app.router.lifespan_context(app):
            await until(lambda: app.state.service.phase is Phase.SERVING)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                response = await client.post(PREDICT, content=json.dumps(value).encode())
        assert response.status_code in (200, 422)
        if response.status_code == 422:
            assert all(error["loc"][0] == "body" for error in response.json()["errors"])

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 200),
        ({"content-type": "application/json; charset=UTF-8"}, 200),
        ({}, 200),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "nonsense"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
    ],
)
def test_media_types(serve: Serve, headers: dict[str, str], status: int) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            content = b'{"inputs": [{"document": "a"}]}'
            response = await client.post(PREDICT, content=content, headers=headers)
            assert response.status_code == status

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
            check_problem(response, 502, "The other service does not answer.")
            response = await client.post(
                PREDICT, json=body("crash"), headers={"x-request-id": "id-of-the-crash"}
            )
            detail = "The server failed to answer; its log says why, under this request id."
            check_problem(response, 500, detail)
            assert "secret" not in response.text

    asyncio.run(scenario())
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "Request id-of-the-crash failed"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


@pytest.mark.parametrize("given_id", ["a", "7f3c-11.x:_/+=@", "x" * 128])
def test_a_valid_request_id_is_kept(serve: Serve, given_id: str) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.get("/v1/live", headers={"x-request-id": given_id})
            assert response.headers["x-request-id"] == given_id

    asyncio.run(scenario())


@pytest.mark.parametrize("given_id", ["", "x" * 129, "a b", "a\x1b[31m", "é", '"'])
def test_other_request_ids_are_replaced(serve: Serve, given_id: str) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.get("/v1/live", headers={b"x-request-id": given_id.encode()})
            assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])

    asyncio.run(scenario())


def test_access_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mesh.serve.access")

    async def scenario() -> None:
        async with serve(Echo()) as client:
            await client.get("/v1/live")
            await client.get("/v1/%0Anothing?secret=1", headers={"x-request-id": "abc"})

    asyncio.run(scenario())
    # Probes are logged only when they fail, or at level DEBUG.
    [record] = [record for record in caplog.records if record.name == "mesh.serve.access"]
    fields = vars(record)
    assert fields["request_line"] == "GET /v1/%0Anothing HTTP/1.1"
    assert fields["status_code"] == 404
    assert fields["request_id"] == "abc"
    assert fields["client_addr"] == "127.0.0.1:123"
    assert fields["duration_ms"] >= 0
    assert "secret" not in record.getMessage()


def test_a_full_queue_refuses_and_recovers(serve: Serve) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model, threads=1, queue_size=1, max_batch=1) as client:
            service = client.app.state.service  # type: ignore[attr-defined]
            computing = asyncio.create_task(client.post(PREDICT, json=body("wait")))
            await until(lambda: model.computed == ["wait"])
            waiting = asyncio.create_task(client.post(PREDICT, json=body("b")))
            await until(lambda: len(service.dispatcher) == 1)
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
            detail = "No answer was ready within 0.1 seconds; send less text, or try again later."
            for response in await asyncio.gather(*requests):
                check_problem(response, 504, detail)
            model.gate.set()
            assert (await client.post(PREDICT, json=body("next"))).status_code == 200
        assert model.computed == ["wait", "next"]

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
            "headers": [],
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
            assert len(app.state.service.dispatcher) == 0
            model.gate.set()
            assert (await computing).status_code == 200
            metrics = (await client.get("/metrics")).text
        assert model.computed == ["wait"]
        route = "/v1/model/{name}/predict"
        assert f'http_requests_total{{method="POST",route="{route}",status="499"}} 1.0' in metrics
        assert 'inference_rejections_total{reason="client_left"} 1.0' in metrics

    asyncio.run(scenario())


def test_what_is_refused_while_the_model_is_unavailable_and_while_the_server_ends(
    serve: Serve,
) -> None:
    async def scenario() -> None:
        model = Echo()
        async with serve(model) as client:
            service = client.app.state.service  # type: ignore[attr-defined]
            model.is_up = False
            for response in (
                await client.get("/v1/ready"),
                await client.post(PREDICT, json=body("a")),
            ):
                check_problem(response, 503, "The model can't answer at the moment.")
                assert response.headers["retry-after"] == "1"
            assert (await client.get("/v1/live")).status_code == 200
            model.is_up = True
            service.drain()
            check_problem(await client.get("/v1/ready"), 503, "The server is shutting down.")
            accepted = await client.post(PREDICT, json=body("a"))
            assert accepted.status_code == 200
            assert accepted.headers["connection"] == "close"
            service.refuse()
            refused = await client.post(PREDICT, json=body("b"))
            check_problem(refused, 503, "The server is shutting down.")

    asyncio.run(scenario())


def test_the_app_ends_when_all_requests_are_answered() -> None:
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
            await until(lambda: app.state.service.phase is Phase.SERVING)
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


def test_metrics(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo(), queue_size=5) as client:
            await client.post(PREDICT, json=body("a"))
            await client.post(PREDICT, json={})
            await client.request("BREW", "/pot")
            response = await client.get("/metrics")
            assert response.headers["content-type"].startswith("text/plain")
            lines = response.text.splitlines()
            route = "/v1/model/{name}/predict"
            for line in (
                f'http_requests_total{{method="POST",route="{route}",status="200"}} 1.0',
                f'http_requests_total{{method="POST",route="{route}",status="422"}} 1.0',
                'http_requests_total{method="OTHER",route="none",status="404"} 1.0',
                f'http_request_duration_seconds_count{{method="POST",route="{route}"}} 2.0',
                "http_requests_in_progress 1.0",
                "inference_queue_depth 0.0",
                'inference_batch_size_bucket{le="1.0"} 1.0',
                "inference_batch_seconds_count 1.0",
                "inference_queue_seconds_count 1.0",
                "model_ready 1.0",
                'model_info{model="echo"} 1.0',
            ):
                assert line in lines
            accept = {"accept": "application/openmetrics-text; version=1.0.0"}
            assert (await client.get("/metrics", headers=accept)).text.endswith("# EOF\n")

    asyncio.run(scenario())


def test_apps_do_not_share_metrics(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as first, serve(Echo()) as second:
            await first.post(PREDICT, json=body("a"))
            assert "inference_batch_seconds_count 0.0" in (await second.get("/metrics")).text

    asyncio.run(scenario())
