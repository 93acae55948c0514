"""Summaries by a language model behind an endpoint that speaks OpenAI's chat protocol."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from mesh.core.errors import UsageError
from mesh.nlp.document import Document
from mesh.serve.upstream import EventLoop, retrying, settle
from summarization.chunks import estimate_tokens, split_chunks
from summarization.endpoint import Endpoint
from summarization.length import count_words
from summarization.passages import readable_blocks
from summarization.prompts import prompt
from summarization.schema import Configuration, Language
from summarization.settings import SummarizationSettings
from summarization.summarizer import NO_TEXT, Summary, Task

_TOKENS_PER_WORD = 4
# A summary may be this many times as long as requested.
_TOLERANCE = 2
# The summary of a part has one word for this many of its tokens: a fourth of the part, or half of
# it with the tolerance.
_PART_TOKENS_PER_WORD = 16


class ChatSummarizer:
    """Calls a language model; long documents are summarised in parts, and then once more.

    Args:
        endpoint: the model.
        settings: limits of the calls.
    """

    def __init__(self, endpoint: Endpoint, settings: SummarizationSettings) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._loop = EventLoop()
        self._free = asyncio.Semaphore(settings.concurrency)

    def summarize(self, tasks: Sequence[Task]) -> list[list[Summary] | Exception]:
        """Summarise the documents of several requests at the same time."""
        return self._loop.run(self._summarize_all(tasks))

    def summarize_each(
        self, documents: Sequence[Document], configuration: Configuration
    ) -> Iterator[Summary]:
        """The summaries of documents, each as soon as it and those before it are ready.

        Raises:
            UsageError: a document is too long; before anything is summarised.
            UpstreamError: one can't be summarised; after those before it.
        """
        self._check_lengths(documents)
        waiting = deque(documents)
        running: deque[Future[Summary]] = deque()
        try:
            while waiting or running:
                while waiting and len(running) < self._settings.concurrency:
                    work = self._summarize_alone(waiting.popleft(), configuration)
                    running.append(self._loop.start(work))
                yield self._loop.wait(running.popleft())
        finally:
            for future in running:
                future.cancel()

    async def _summarize_alone(self, document: Document, configuration: Configuration) -> Summary:
        end = time.monotonic() + self._settings.deadline_seconds
        [summary] = await self._summarize_documents([document], configuration, end)
        return summary

    async def _summarize_all(self, tasks: Sequence[Task]) -> list[list[Summary] | Exception]:
        end = time.monotonic() + self._settings.deadline_seconds
        return await settle(self._summarize_task(task, end) for task in tasks)

    async def _summarize_task(self, task: Task, end: float) -> list[Summary]:
        documents, configuration = task
        self._check_lengths(documents)
        return await self._summarize_documents(documents, configuration, end)

    def _check_lengths(self, documents: Sequence[Document]) -> None:
        for number, document in enumerate(documents):
            if (count := estimate_tokens(document.text)) > self._settings.document_tokens:
                raise UsageError(
                    f"Document {number} has about {count:,} tokens, more than "
                    f"{self._settings.document_tokens:,}: send a shorter one."
                )

    async def _summarize_documents(
        self, documents: Sequence[Document], configuration: Configuration, end: float
    ) -> list[Summary]:
        try:
            async with asyncio.timeout(end - time.monotonic()), asyncio.TaskGroup() as group:
                running = [
                    group.create_task(self._summarize_document(document, configuration, end))
                    for document in documents
                ]
        except TimeoutError:
            raise self._endpoint.failures.past_deadline(self._settings.deadline_seconds) from None
        except ExceptionGroup as failures:
            raise _first(failures) from failures
        return [task.result() for task in running]

    async def _summarize_document(
        self, document: Document, configuration: Configuration, end: float
    ) -> Summary:
        blocks = [document.text[block.start : block.end] for block in readable_blocks(document)]
        if not blocks:
            return NO_TEXT
        # Half of a surrogate pair, as some clients send it, has no UTF-8 form.
        clean = [block.encode("utf-8", "replace").decode() for block in blocks]
        return Summary(await self._summarize_blocks(clean, configuration, end))

    async def _summarize_blocks(
        self, blocks: Sequence[str], configuration: Configuration, end: float
    ) -> str:
        language = configuration.target_language or configuration.language
        desired = configuration.desired_length
        chunks = split_chunks(blocks, configuration.language, self._input_tokens(language, desired))
        if len(chunks) == 1:
            return await self._call(chunks[0], language, desired, end)
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(self._call(chunk, language, _part_length(chunk, desired), end))
                for chunk in chunks
            ]
        translated = configuration.model_copy(update={"language": language})
        return await self._summarize_blocks([part.result() for part in parts], translated, end)

    def _input_tokens(self, language: Language, desired_length: int) -> int:
        """The tokens of a call that remain for the text, after instruction and response."""
        taken = estimate_tokens(prompt(language, desired_length)) + self._response_tokens(
            desired_length
        )
        return self._settings.context_tokens - taken

    async def _call(self, text: str, language: Language, desired_length: int, end: float) -> str:
        instruction = prompt(language, desired_length)
        attempts = retrying(attempts=self._settings.attempts, seconds=end - time.monotonic())
        summary = ""
        async for attempt in attempts:
            with attempt:
                async with self._free:
                    summary = await self._endpoint.call(
                        instruction, text, self._response_tokens(desired_length)
                    )
                self._check(summary, desired_length)
        return summary

    def _check(self, summary: str, desired_length: int) -> None:
        """Refuse a response that can't be a summary."""
        count = count_words(summary)
        if not count or count > _TOLERANCE * desired_length:
            raise self._endpoint.failures.unusable(
                f"returned {count} words where at most {desired_length} were requested."
            )

    def _response_tokens(self, desired_length: int) -> int:
        """The tokens that a response may have; the other half of a call is left to the text."""
        needed = _TOKENS_PER_WORD * _TOLERANCE * desired_length + self._settings.reasoning_tokens
        return min(needed, self._settings.context_tokens // 2)


def _part_length(chunk: str, desired_length: int) -> int:
    return max(1, min(desired_length, estimate_tokens(chunk) // _PART_TOKENS_PER_WORD))


def _first(failures: ExceptionGroup[Exception]) -> Exception:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
