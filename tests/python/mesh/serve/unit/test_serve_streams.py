"""Streams: one output a line, as soon as it is ready."""

import asyncio
import json
import logging
import threading
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from echo_model import Serve, until
from mesh.core.errors import UsageError
from mesh.core.passes import checkpoint
from mesh.serve.documents import DocumentsRequest, LanguageConfiguration, RefusedDocument
from mesh.serve.model import ServedModel
from mesh.serve.problems import ProblemError
from mesh.serve.results import compute_documents

PREDICT = "/v1/model/lengths/predict"
LINES = {"accept": "application/x-ndjson"}


class Request(DocumentsRequest):
    configuration: LanguageConfiguration = LanguageConfiguration()


class Length(BaseModel):
    text: str
    length: int


class Response(BaseModel):
    outputs: list[Length | RefusedDocument]
    unit: Literal["characters"] = "characters"


class Lengths(ServedModel):
    """Measures documents; some fail, and "wait" waits for the gate."""

    name = "lengths"
    request_model = Request
    response_model = Response

    def __init__(self) -> None:
        self.computed: list[str] = []
        self.gate = threading.Event()
        self.abandoned = threading.Event()

    def predict_batch(self, requests: Sequence[Request]) -> list[Response | Exception]:
        results = compute_documents(
            lambda _: None,
            lambda item, _: self._read(item.document),
            lambda texts: [Length(text=text, length=len(text)) for text in texts],
            requests,
        )
        return [each if isinstance(each, Exception) else Response(outputs=each) for each in results]

    def _read(self, text: str) -> str:
        self.computed.append(text)
        match text:
            case "refused":
                raise UsageError("It has no words.")
            case "problem":
                raise ProblemError(502, "The other service does not respond.")
            case "defect":
                raise ZeroDivisionError("a secret")
            case "wait":
                self._wait()
        return text

    def _wait(self) -> None:
        try:
            while not self.gate.wait(0.06):
                checkpoint()
        except BaseException:
            self.abandoned.set()
            raise


def body(*documents: str, **configuration: Any) -> dict[str, Any]:
    inputs = [{"document": document} for document in documents]
    return {"inputs": inputs, "configuration": configuration}


class Call:
    """A request to an app, whose response can be read while it goes on."""

    def __init__(self, app: Any, content: Any) -> None:
        self.parts: list[bytes] = []
        self.status = 0
        self.left = asyncio.Event()
        self._body = [json.dumps(content).encode()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": PREDICT,
            "query_string": b"",
            "headers": [(b"host", b"test"), (b"accept", LINES["accept"].encode())],
            "http_version": "1.1",
            "state": {},
        }
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.parts.append(message.get("body", b""))

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in b"".join(self.parts).splitlines()]


def test_lines_are_the_outputs_of_the_response(serve: Serve) -> None:
    async def scenario() -> None:
        documents = ("a", "日本\u2028\n", "refused", "")
        async with serve(Lengths()) as client:
            request = body(*documents, on_error="item")
            outputs = (await client.post(PREDICT, json=request)).json()["outputs"]
            response = await client.post(PREDICT, json=request, headers=LINES)
            assert response.status_code == 200
            assert response.headers["content-type"] == "application/x-ndjson"
            assert "content-length" not in response.headers
            lines = response.content.removesuffix(b"\n").split(b"\n")
            assert [json.loads(line) for line in lines] == outputs

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("application/x-ndjson", True),
        ("Application/X-NDJSON; q=0.9, */*;q=0.1", True),
        ("application/json;q=0.5, application/x-ndjson", True),
        ("application/json, application/x-ndjson;q=0.5", False),
        ("application/x-ndjson;q=0", False),
        ("*/*", False),
        ("application/x-ndjson-seq", False),
        ("", False),
    ],
)
def test_the_client_chooses(serve: Serve, accept: str, is_stream: bool) -> None:
    async def scenario() -> None:
        async with serve(Lengths()) as client:
            response = await client.post(PREDICT, json=body("a"), headers={"accept": accept})
            expected = "application/x-ndjson" if is_stream else "application/json"
            assert response.headers["content-type"] == expected

    asyncio.run(scenario())


def test_an_output_is_sent_before_the_next_one_is_computed(serve: Serve) -> None:
    async def scenario() -> None:
        model = Lengths()
        async with serve(model, threads=1) as client:
            call = Call(client.app, body("first", "wait", "last"))  # type: ignore[attr-defined]
            await until(lambda: len(call.lines) == 1)
            assert call.lines == [{"text": "first", "length": 5}]
            assert "last" not in model.computed
            # Short requests of others don't wait for the rest of a stream.
            assert (await client.post(PREDICT, json=body("short"))).status_code == 200
            assert not call.task.done()
            model.gate.set()
            await call.task
            assert [line["text"] for line in call.lines] == ["first", "wait", "last"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("document", "status", "detail"),
    [
        ("refused", 422, "Document {}: It has no words."),
        ("problem", 502, "The other service does not respond."),
        (
            "defect",
            500,
            "The server failed to respond; its log says why, under this request id.",
        ),
    ],
)
def test_a_failure_is_the_status_before_the_first_line_and_the_last_line_after_it(
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    document: str,
    status: int,
    detail: str,
) -> None:
    async def scenario() -> None:
        caplog.set_level(logging.ERROR)
        async with serve(Lengths()) as client:
            first = await client.post(PREDICT, json=body(document, "a"), headers=LINES)
            assert first.status_code == status
            assert first.json()["detail"] == detail.format(0)
            later = await client.post(PREDICT, json=body("a", document, "b"), headers=LINES)
            assert later.status_code == 200
            output, end = map(json.loads, later.text.splitlines())
            assert output == {"text": "a", "length": 1}
            assert (end["problem"]["status"], end["problem"]["detail"]) == (
                status,
                detail.format(1),
            )
            assert end["problem"]["request_id"] == later.headers["x-request-id"]
            assert "secret" not in later.text + first.text
            assert ("a secret" in caplog.text) == (document == "defect")

    asyncio.run(scenario())


def test_the_deadline_is_that_of_each_output(serve: Serve) -> None:
    async def scenario() -> None:
        model = Lengths()
        async with serve(model, deadline_seconds=0.3) as client:
            call = Call(client.app, body("a", "wait", "b"))  # type: ignore[attr-defined]
            await call.task
            output, end = call.lines
            assert output["text"] == "a"
            assert end["problem"]["status"] == 504
            await until(model.abandoned.is_set)
            assert "b" not in model.computed
            assert (await client.post(PREDICT, json=body("c"))).status_code == 200

    asyncio.run(scenario())


def test_nothing_is_computed_for_a_client_that_left(serve: Serve) -> None:
    async def scenario() -> None:
        model = Lengths()
        async with serve(model) as client:
            call = Call(client.app, body("a", "wait", "b"))  # type: ignore[attr-defined]
            await until(lambda: "wait" in model.computed)
            call.left.set()
            await call.task
            await until(model.abandoned.is_set)
            assert "b" not in model.computed
            metrics = (await client.get("/metrics")).text
            assert 'inference_rejections_total{reason="client_left"} 1.0' in metrics
            assert "http_request_bytes_in_flight 0.0" in metrics

    asyncio.run(scenario())


def test_a_stream_takes_one_place_of_the_queue(serve: Serve) -> None:
    async def scenario() -> None:
        model = Lengths()
        async with serve(model, threads=1, queue_size=1) as client:
            blocking = Call(client.app, body("wait"))  # type: ignore[attr-defined]
            await until(lambda: "wait" in model.computed)
            # It has as many documents as a request may have, and more than may wait.
            many = [str(number) for number in range(64)]
            call = Call(client.app, body(*many))  # type: ignore[attr-defined]
            await until(lambda: len(client.app.state.dispatcher) == 1)  # type: ignore[attr-defined]
            refused = await client.post(PREDICT, json=body("c"), headers=LINES)
            assert refused.status_code == 503
            model.gate.set()
            await asyncio.gather(blocking.task, call.task)
            assert [line["text"] for line in call.lines] == many

    asyncio.run(scenario())


def test_a_model_without_documents_streams_its_response(serve: Serve) -> None:
    class Text(BaseModel):
        text: str

    class Shout(ServedModel):
        name = "lengths"
        request_model = Text
        response_model = Text

        def predict_batch(self, requests: Sequence[Text]) -> list[Text]:
            return [Text(text=request.text.upper()) for request in requests]

        def example_request(self, text: str) -> Text:
            return Text(text=text)

    async def scenario() -> None:
        async with serve(Shout()) as client:
            response = await client.post(PREDICT, json={"text": "a"}, headers=LINES)
            assert response.content == b'{"text":"A"}\n'

    asyncio.run(scenario())
