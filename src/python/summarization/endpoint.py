"""One call of an endpoint that speaks OpenAI's chat protocol: sent, counted, checked."""

import logging
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from prometheus_client import Counter
from pydantic import BaseModel, Field, ValidationError

from mesh.serve.upstream import UpstreamError, parse_retry_after
from summarization.settings import SummarizationSettings

if TYPE_CHECKING:
    import openai

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5


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
        name: for error messages.
        requests: calls, by outcome: `answered`, or the status that the failure is answered with.
        tokens: what the endpoint charges for, by kind: `prompt`, `completion`.
    """

    def __init__(self, settings: SummarizationSettings) -> None:
        self.name = f"The chat endpoint {urlsplit(settings.base_url).netloc}"
        self.requests = Counter(
            "chat_requests_total", "Calls of the chat endpoint.", ("outcome",), registry=None
        )
        self.tokens = Counter(
            "chat_tokens_total", "Tokens that the chat endpoint counted.", ("kind",), registry=None
        )
        self._settings = settings
        self._client = _client(settings)

    async def ask(self, instruction: str, text: str, max_tokens: int) -> str:
        """Ask the model about a text.

        Returns:
            Its complete answer, without the white space around it.

        Raises:
            UpstreamError: it can't be reached, refuses, or answers what is no answer.
        """
        try:
            answer = await self._ask(instruction, text, max_tokens)
        except UpstreamError as error:
            self.requests.labels(str(error.status)).inc()
            raise
        self.requests.labels("answered").inc()
        return answer

    async def _ask(self, instruction: str, text: str, max_tokens: int) -> str:
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
            # Not JSON, or not the protocol's; what it says is not repeated.
            logger.warning("%s gave an answer of another form: %s", self.name, _first_line(error))
            raise self._unusable("an answer that is not of the chat protocol") from error
        if finish_reason != "stop":
            raise self._unusable(f"an incomplete answer (finish_reason {finish_reason!r:.40})")
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

        logger.warning("%s failed: %s", self.name, type(error).__name__)
        if isinstance(error, openai.APITimeoutError):
            return self._error(504, "did not answer in time.", transient=True)
        if isinstance(error, openai.APIConnectionError):
            return self._error(503, "can't be reached.", transient=True)
        if not isinstance(error, openai.APIStatusError):
            return self._unusable("an answer that is not of the chat protocol")
        status = error.status_code
        if status in (401, 403):
            return self._error(502, f"refuses this server's key (status {status}).")
        if status == 429 and error.code == "insufficient_quota":
            return self._error(503, "has no quota left for this server's key.")
        if status in (429, 503):
            return self._error(
                503,
                f"takes no more requests for now (status {status}).",
                transient=True,
                retry_after=parse_retry_after(error.response.headers.get("retry-after")),
            )
        return self._error(502, f"failed with status {status}.", transient=status >= 500)

    def _unusable(self, what: str) -> UpstreamError:
        return self._error(502, f"gave {what}.", transient=True)

    def _error(
        self,
        status: Literal[502, 503, 504],
        reason: str,
        *,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> UpstreamError:
        return UpstreamError(
            status, self.name, reason, transient=transient, retry_after=retry_after
        )


def _client(settings: SummarizationSettings) -> "openai.AsyncOpenAI":
    import openai

    return openai.AsyncOpenAI(
        base_url=settings.base_url,
        # The client refuses to be made without; endpoints that ask for none ignore it.
        api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
        max_retries=0,
        timeout=openai.Timeout(settings.deadline_seconds, connect=CONNECT_SECONDS),
    )


def _first_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return f"{error.error_count()} fields are wrong"
    return type(error).__name__
