"""One call to an endpoint with OpenAI's chat protocol: sent, counted, checked."""

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prometheus_client import Counter
from pydantic import BaseModel, Field, ValidationError

from mesh.serve.upstream import Failures, UpstreamError
from summarization.settings import SummarizationSettings

if TYPE_CHECKING:
    import openai

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5
FOREIGN = "returned a response that isn't of the chat protocol."


class _Text(BaseModel):
    content: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(0, ge=0)
    completion_tokens: int = Field(0, ge=0)


class _Choice(BaseModel):
    message: _Text
    finish_reason: str | None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _Delta(BaseModel):
    delta: _Text = _Text()
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[_Delta] = []
    usage: _Usage | None = None


class Endpoint:
    """A chat endpoint and its model.

    Attributes:
        failures: makes the errors of calls.
        requests: calls, by outcome: `answered`, or the status of the failure.
        tokens: the tokens that the endpoint charges for, by kind: `prompt`, `completion`.
    """

    def __init__(self, settings: SummarizationSettings) -> None:
        self.failures = Failures(f"The chat endpoint {urlsplit(settings.base_url).netloc}")
        self.requests = Counter(
            "chat_requests_total", "Calls to the chat endpoint.", ("outcome",), registry=None
        )
        self.tokens = Counter(
            "chat_tokens_total", "Tokens that the chat endpoint counted.", ("kind",), registry=None
        )
        self._settings = settings
        self._client = _client(settings)

    async def call(self, instruction: str, text: str, max_tokens: int) -> str:
        """Call the model with a text.

        Returns:
            Its complete response, without surrounding white space.

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
        import openai

        arguments: dict[str, Any] = {
            "model": self._settings.model,
            "messages": [
                {"role": "system", "content": instruction},
                {"role": "user", "content": text},
            ],
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        try:
            receive = self._receive_stream if self._settings.stream else self._receive
            content, finish_reason = await receive(arguments)
        except openai.OpenAIError as error:
            raise self._failure(error) from error
        except ValueError as error:
            # It isn't JSON or isn't of the protocol; its content is not repeated.
            service, problem = self.failures.service, _first_line(error)
            logger.warning("%s returned a response of another form: %s", service, problem)
            raise self.failures.unusable(FOREIGN) from error
        if finish_reason != "stop":
            raise self.failures.unusable(
                f"returned an incomplete response (finish_reason {finish_reason!r:.40})."
            )
        return content.strip()

    async def _receive(self, arguments: dict[str, Any]) -> tuple[str, str | None]:
        raw = await self._client.chat.completions.with_raw_response.create(**arguments)
        completion = _Completion.model_validate_json(raw.content)
        self._count(completion.usage)
        choice = completion.choices[0]
        return choice.message.content or "", choice.finish_reason

    async def _receive_stream(self, arguments: dict[str, Any]) -> tuple[str, str | None]:
        content: list[str] = []
        finish_reason = None
        stream = await self._client.chat.completions.create(
            **arguments, stream=True, stream_options={"include_usage": True}
        )
        async with stream:
            async for event in stream:
                chunk = _Chunk.model_validate(event.to_dict())
                self._count(chunk.usage)
                for choice in chunk.choices[:1]:
                    content.append(choice.delta.content or "")
                    finish_reason = choice.finish_reason or finish_reason
        return "".join(content), finish_reason

    def _count(self, usage: _Usage | None) -> None:
        if usage:
            self.tokens.labels("prompt").inc(usage.prompt_tokens)
            self.tokens.labels("completion").inc(usage.completion_tokens)

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
        status = error.status_code
        if status in (401, 403):
            return UpstreamError(502, service, f"refuses this server's key (status {status}).")
        if status == 429 and error.code == "insufficient_quota":
            return UpstreamError(503, service, "has no quota left for this server's key.")
        return self.failures.status(status, error.response.headers.get("retry-after"))


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
