"""What both clients share: the calls of a model's server, as attempts."""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar, get_args

import httpx
from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from mesh.client.attempts import Send, Steps, attempts
from mesh.client.errors import CallError, Problem
from mesh.core.errors import UsageError
from mesh.core.tracing import headers

Request = TypeVar("Request", bound=BaseModel)
Response = TypeVar("Response", bound=BaseModel)
Schema = TypeVar("Schema", bound=BaseModel)

SECONDS = 60.0
ATTEMPTS = 5
STREAM = "application/x-ndjson"
PROBLEM = "problem"
"""The member of a stream's last line that tells why it ends early."""


class Lines:
    """Finds the lines of a stream in its pieces. Only a line feed ends a line."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []

    def add(self, piece: bytes) -> list[bytes]:
        """The lines that end in the next piece."""
        if b"\n" not in piece:
            self._begun.append(piece)
            return []
        *lines, rest = b"".join([*self._begun, piece]).split(b"\n")
        self._begun = [rest]
        return lines

    def end(self) -> list[bytes]:
        """What follows the last line: nothing, unless that was broken off."""
        rest = b"".join(self._begun)
        return [rest] if rest else []


class _Object(RootModel[dict[str, Any]]):
    """Any JSON object."""


class Calls(Generic[Request, Response]):
    """Makes the requests of a client, and reads the responses.

    Args:
        url: of the server, maybe with a prefix.
        model: its name, such as `keywords`.
        request: the schema of the project's requests.
        response: the schema of its responses.
        key: sent as a bearer token.
        seconds: how long a call may take with all its attempts.
        attempts: how often a request is sent at most.

    Raises:
        UsageError: the key can't be sent.
    """

    def __init__(
        self,
        url: str,
        model: str,
        request: type[Request],
        response: type[Response],
        key: str | None,
        seconds: float,
        attempts: int,
    ) -> None:
        if key is not None and not re.fullmatch(r"[!-~]+", key):
            raise UsageError("The key is empty, or has characters that no token may have.")
        self.request = request
        self.seconds = seconds
        self._base = url.rstrip("/")
        self._path = f"/v1/model/{model}"
        self._response = response
        self._key = key
        self._attempts = attempts
        outputs = response.model_fields.get("outputs")
        [output, *_] = get_args(outputs.annotation if outputs else None) or (Any,)
        self._output: TypeAdapter[Any] = TypeAdapter(output)

    def _predict(self, request: Request, seconds: float | None) -> Steps[Response]:
        """The response to a request."""
        reply = yield from attempts(self._prediction(request, seconds), self._attempts)
        return self._read(self._response, reply.content)

    def _stream(self, request: Request, seconds: float | None) -> Steps[httpx.Response]:
        """The response to a request as a stream of its outputs, which the caller closes."""
        send = self._prediction(request, seconds, is_stream=True)
        reply = yield from attempts(send, self._attempts)
        if reply.stream is None:
            raise AssertionError  # pragma: no cover - a stream was asked for
        return reply.stream

    def _bio(self, seconds: float | None) -> Steps[dict[str, Any]]:
        """The description of the model."""
        reply = yield from attempts(self._send("GET", f"{self._path}/bio", seconds), self._attempts)
        return self._read(_Object, reply.content).root

    def _is_ready(self, seconds: float | None) -> Steps[bool]:
        """Whether the server responds to predictions now."""
        try:
            yield from attempts(self._send("GET", "/v1/ready", seconds), 1)
        except CallError as error:
            if error.status in (None, 503):
                return False
            raise
        return True

    def _output_of(self, line: bytes) -> Any:
        """An output in a line of a stream.

        Raises:
            CallError: the stream ends with a problem, or the line is none of the schema's outputs.
        """
        try:
            if line.startswith(f'{{"{PROBLEM}":'.encode()):
                problem = Problem.model_validate(from_json(line)[PROBLEM])
                message = f"{self._base} ended the stream early: {problem.sentence}"
                raise CallError(message, status=problem.status, problem=problem)
            return self._output.validate_json(line)
        except ValueError as error:
            raise self._unusable(error) from None

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what goes wrong while a stream is read into the error of the call."""
        try:
            yield
        except httpx.TimeoutException:
            raise CallError(f"{self._base} sent no further output in time.") from None
        except httpx.HTTPError as error:
            raise CallError(
                f"{self._base} broke the stream off: {type(error).__name__}: {error}"
            ) from None

    def _built(self, http: httpx.Client | httpx.AsyncClient, send: Send) -> httpx.Request:
        return http.build_request(
            send.method,
            send.url,
            content=send.content,
            # Of the caller's span, if its program uses OpenTelemetry.
            headers={**headers(), **send.headers},
            timeout=send.seconds,
        )

    def _prediction(
        self, request: Request, seconds: float | None, *, is_stream: bool = False
    ) -> Send:
        content = request.model_dump_json(exclude_unset=True).encode()
        accept = STREAM if is_stream else "application/json"
        return self._send(
            "POST",
            f"{self._path}/predict",
            seconds,
            content=content,
            headers={"Content-Type": "application/json", "Accept": accept},
            is_stream=is_stream,
        )

    def _send(
        self,
        method: str,
        path: str,
        seconds: float | None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        is_stream: bool = False,
    ) -> Send:
        key = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        end = time.monotonic() + (self.seconds if seconds is None else seconds)
        sent = {**(headers or {}), **key}
        return Send(method, f"{self._base}{path}", end, content, sent, is_stream)

    def _read(self, schema: type[Schema], content: bytes) -> Schema:
        try:
            return schema.model_validate_json(content)
        except ValidationError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: ValueError) -> CallError:
        reason = str(error).splitlines()[0]
        return CallError(f"{self._base} sent a response that can't be read: {reason}")
