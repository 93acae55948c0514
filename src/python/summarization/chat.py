"""Summaries by a language model behind an endpoint that speaks OpenAI's chat protocol."""

import asyncio
import time
from collections.abc import Sequence

from mesh.core.errors import UsageError
from mesh.nlp.words import words
from mesh.serve.upstream import EventLoop, UpstreamError, retrying
from summarization.chunks import estimate_tokens, split_chunks
from summarization.endpoint import Endpoint
from summarization.prompts import prompt
from summarization.schema import Configuration, Language
from summarization.settings import SummarizationSettings
from summarization.summarizer import Task

_TOKENS_PER_WORD = 4
# What a summary may be longer than asked for.
_TOLERANCE = 2
# A part of a long document shrinks at least to a fourth: one word for so many tokens, which may be twice as many.
_PART_TOKENS_PER_WORD = 16


class ChatSummarizer:
    """Asks a language model; long documents in parts, whose summaries are summarised again.

    Args:
        endpoint: where the model is.
        settings: how much it is asked, and for how long.
    """

    def __init__(self, endpoint: Endpoint, settings: SummarizationSettings) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._loop = EventLoop()
        self._free = asyncio.Semaphore(settings.concurrency)

    def summarize(self, tasks: Sequence[Task]) -> list[list[str] | Exception]:
        """Summarise the documents of several requests at the same time."""
        return self._loop.run(self._summarize_all(tasks))

    async def _summarize_all(self, tasks: Sequence[Task]) -> list[list[str] | Exception]:
        end = time.monotonic() + self._settings.deadline_seconds
        answers = await asyncio.gather(
            *(self._summarize_task(task, end) for task in tasks), return_exceptions=True
        )
        return [_not_cancelled(answer) for answer in answers]

    async def _summarize_task(self, task: Task, end: float) -> list[str]:
        documents, configuration = task
        for number, text in enumerate(documents):
            if (count := estimate_tokens(text)) > self._settings.document_tokens:
                raise UsageError(
                    f"Document {number} has about {count:,} tokens, more than {self._settings.document_tokens:,}: "
                    "send a shorter one."
                )
        try:
            async with asyncio.timeout(end - time.monotonic()), asyncio.TaskGroup() as group:
                running = [
                    group.create_task(self._summarize_text(text, configuration, end))
                    for text in documents
                ]
        except TimeoutError:
            raise UpstreamError(
                504,
                self._endpoint.name,
                f"did not answer within {self._settings.deadline_seconds:g} seconds.",
            ) from None
        except ExceptionGroup as failures:
            raise _first(failures) from failures
        return [task.result() for task in running]

    async def _summarize_text(self, text: str, configuration: Configuration, end: float) -> str:
        language = configuration.target_language or configuration.language
        desired = configuration.desired_length
        chunks = split_chunks(text, configuration.language, self._input_tokens(language, desired))
        if not chunks:
            return ""
        if len(chunks) == 1:
            return await self._ask(chunks[0], language, desired, end)
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(self._ask(chunk, language, _part_length(chunk, desired), end))
                for chunk in chunks
            ]
        joined = "\n\n".join(part.result() for part in parts)
        translated = configuration.model_copy(update={"language": language})
        return await self._summarize_text(joined, translated, end)

    def _input_tokens(self, language: Language, desired_length: int) -> int:
        """What a call leaves for the text, beside instruction and answer."""
        taken = estimate_tokens(prompt(language, desired_length)) + _answer_tokens(desired_length)
        return self._settings.context_tokens - taken

    async def _ask(self, text: str, language: Language, desired_length: int, end: float) -> str:
        instruction = prompt(language, desired_length)
        attempts = retrying(attempts=self._settings.attempts, seconds=end - time.monotonic())
        answer = ""
        async for attempt in attempts:
            with attempt:
                async with self._free:
                    answer = await self._endpoint.ask(
                        instruction, text, _answer_tokens(desired_length)
                    )
                self._check(answer, desired_length)
        return answer

    def _check(self, answer: str, desired_length: int) -> None:
        """Refuse what is no summary."""
        count = len(words(answer))
        if not count or count > _TOLERANCE * desired_length:
            raise UpstreamError(
                502,
                self._endpoint.name,
                f"answered {count} words where at most {desired_length} were asked for.",
                transient=True,
            )


def _answer_tokens(desired_length: int) -> int:
    return _TOKENS_PER_WORD * _TOLERANCE * desired_length


def _part_length(chunk: str, desired_length: int) -> int:
    return max(1, min(desired_length, estimate_tokens(chunk) // _PART_TOKENS_PER_WORD))


def _first(failures: ExceptionGroup[Exception]) -> Exception:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _not_cancelled(answer: list[str] | BaseException) -> list[str] | Exception:
    if isinstance(answer, BaseException) and not isinstance(answer, Exception):
        raise answer
    return answer
