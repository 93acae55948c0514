"""One call to an endpoint with OpenAI's chat protocol: sent, counted, checked."""

import json
import logging
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from prometheus_client import Counter
from pydantic import ValidationError

from mesh.core.tracing import headers
from mesh.serve.upstream import Failures, UpstreamError, call_span
from summarization.failure_text import failure_text
from summarization.protocol import Completion, Response, end_of
from summarization.reasoning import without_reasoning
from summarization.settings import SummarizationSettings

if TYPE_CHECKING:
    import openai
    from openai import AsyncAPIResponse
    from openai.types.chat import ChatCompletion

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5
FOREIGN = "returned a response that isn't of the chat protocol."

_OPTIONAL = ("max_tokens", "temperature", "stream_options")
"""Arguments that some endpoints refuse; without the first one, its newer name is sent."""


class Endpoint:
    """A chat endpoint and its model.

    Attributes:
        failures: makes the errors of calls.
        requests: calls, by outcome: `answered`, or the status of the failure.
        tokens: the tokens that the endpoint charges for, by kind: `prompt`, `completion`.
    """

    def __init__(self, settings: SummarizationSettings) -> None:
        self.failures = Failures(
            f"The chat endpoint {urlsplit(settings.base_url).netloc.rpartition('@')[2]}"
        )
        self.requests = Counter(
            "chat_requests_total", "Calls to the chat endpoint.", ("outcome",), registry=None
        )
        self.tokens = Counter(
            "chat_tokens_total", "Tokens that the chat endpoint counted.", ("kind",), registry=None
        )
        self._settings = settings
        self._refused: frozenset[str] = frozenset()
        self._client = _client(settings)

    async def call(self, instruction: str, text: str, max_tokens: int) -> str:
        """Call the model with a text.

        Returns:
            Its complete response, without reasoning and surrounding white space.

        Raises:
            UpstreamError: it can't be reached, refuses, or returns an unusable response.
        """
        try:
            content = await self._call(instruction, text, max_tokens)
        except UpstreamError as error:
            self.requests.labels(str(error.status)).inc()
            raise
        self.requests.labels("answered").inc()
        return content

    async def _call(self, instruction: str, text: str, max_tokens: int) -> str:
        messages = [
            {"role": "system", "content": instruction},
            {"role": "user", "content": text},
        ]
        response = await self._negotiate({"messages": messages}, max_tokens)
        for kind in ("prompt", "completion"):
            self.tokens.labels(kind).inc(response.tokens[kind])
        self._check(response)
        content = without_reasoning(response.content)
        if content is None:
            raise self.failures.unusable("returned reasoning without an end.")
        return content

    async def _negotiate(self, arguments: dict[str, Any], max_tokens: int) -> Response:
        """Call; and once more without each argument that the endpoint refuses, then and later."""
        import openai

        refused = self._refused
        while True:
            try:
                response = await self._receive(arguments | self._options(refused, max_tokens))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                name = _refused_argument(error.response.text, refused)
                if name is None:
                    raise self._failure(error) from error
                refused = refused | {name}
            except openai.OpenAIError as error:
                raise self._failure(error) from error
            except ValueError as error:
                # It isn't JSON or isn't of the protocol; its content is not repeated.
                service, problem = self.failures.service, _first_line(error)
                logger.warning("%s returned a response of another form: %s", service, problem)
                raise self.failures.unusable(FOREIGN) from error
            else:
                self._refused |= refused
                return response

    def _options(self, refused: frozenset[str], max_tokens: int) -> dict[str, Any]:
        options: dict[str, Any] = {
            "model": self._settings.model,
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        if self._settings.stream:
            options |= {"stream": True, "stream_options": {"include_usage": True}}
        if "max_tokens" in refused:
            options["max_completion_tokens"] = max_tokens
        return {name: value for name, value in options.items() if name not in refused}

    async def _receive(self, arguments: dict[str, Any]) -> Response:
        create = self._client.chat.completions.with_streaming_response.create
        response = Response()
        model = self._settings.model
        about = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
        with call_span(f"chat {model}", self._settings.base_url, about) as span:
            async with create(**arguments, extra_headers=headers()) as received:
                span.set({"http.response.status_code": received.status_code})
                kind = received.headers.get("content-type", "")
                if "event-stream" in kind or (self._settings.stream and "json" not in kind):
                    async for event in _events(_body(received)):
                        response.add(event)
                else:
                    body = b"".join([part async for part in _body(received)])
                    response.add(Completion.model_validate_json(body))
                    response.ended = True
            span.set(
                {
                    "gen_ai.usage.input_tokens": response.tokens["prompt"],
                    "gen_ai.usage.output_tokens": response.tokens["completion"],
                }
            )
        return response

    def _check(self, response: Response) -> None:
        """Refuse a response that is not complete."""
        if response.error:
            raise self.failures.unusable(
                _with_text("returned an error", self._text(response.error))
            )
        if not response.chosen:
            raise self.failures.unusable("returned a response without choices.")
        reason = f"(finish_reason {response.finish_reason!r:.40})"
        end = end_of(response.finish_reason)
        if response.refusal or end == "withheld":
            # Another try gets the same.
            raise UpstreamError(
                502,
                self.failures.service,
                _with_text(f"withheld its response {reason}", self._text(response.refusal)),
            )
        if end != "complete" or not (response.ended or response.finish_reason):
            raise self.failures.unusable(f"returned an incomplete response {reason}.")

    def _text(self, body: object) -> str | None:
        key = self._settings.api_key
        return failure_text(body, key.get_secret_value() if key else None)

    def _failure(self, error: "openai.OpenAIError") -> UpstreamError:
        import openai

        service = self.failures.service
        logger.warning("%s failed: %s", service, type(error).__name__)
        if isinstance(error, openai.APITimeoutError):
            return self.failures.late()
        if isinstance(error, openai.APIConnectionError):
            return self.failures.unreachable()
        if not isinstance(error, openai.APIStatusError):
            return self.failures.unusable(FOREIGN)
        status, text = error.status_code, self._text(_json(error.response.text))
        if status in (401, 403):
            reason = f"refuses this server's key (status {status})"
            return UpstreamError(502, service, _with_text(reason, text))
        if status == 402 or (status == 429 and "insufficient_quota" in error.response.text):
            reason = "has no quota left for this server's key"
            return UpstreamError(503, service, _with_text(reason, text))
        return self.failures.status(status, error.response.headers.get("retry-after"), text)


async def _body(received: "AsyncAPIResponse[ChatCompletion]") -> AsyncIterator[bytes]:
    """The parts of a response's body; the client itself doesn't report that it breaks off."""
    import openai

    try:
        async for part in received.iter_bytes():
            yield part
    except Exception as error:  # of the client's HTTP library
        raise openai.APIConnectionError(request=received.http_request) from error


async def _events(body: AsyncIterator[bytes]) -> AsyncIterator[Completion | Literal["end"]]:
    """The events of a stream, the last of which may be an end mark."""
    async for line in _lines(body):
        if not line.startswith(b"data:"):
            continue
        data = line.removeprefix(b"data:").strip()
        if data == b"[DONE]":
            yield "end"
            return
        if data:
            yield Completion.model_validate_json(data)


async def _lines(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a body; other separators than line feeds may be part of a text."""
    line: list[bytes] = []
    async for part in body:
        first, *others = part.split(b"\n")
        line.append(first)
        for other in others:
            yield b"".join(line)
            line = [other]
    yield b"".join(line)


def _refused_argument(body: str, refused: frozenset[str]) -> str | None:
    """The argument that the response of an endpoint names, unless it was left out already."""
    return next(
        (name for name in _OPTIONAL if name not in refused and re.search(rf"\b{name}\b", body)),
        None,
    )


def _json(text: str) -> object:
    try:
        body: object = json.loads(text)
    except ValueError:
        return None
    return body


def _with_text(reason: str, text: str | None) -> str:
    return f"{reason}: {text}" if text else f"{reason}."


def _client(settings: SummarizationSettings) -> "openai.AsyncOpenAI":
    import openai

    return openai.AsyncOpenAI(
        base_url=settings.base_url,
        # The client demands a key; endpoints that need none ignore it.
        api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
        max_retries=0,
        timeout=openai.Timeout(settings.deadline_seconds, connect=CONNECT_SECONDS),
    )


def _first_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return f"{error.error_count()} fields are wrong"
    return type(error).__name__
