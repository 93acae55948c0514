"""Names found or linked by other services, for several texts at the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from prometheus_client import Counter

from entity_fishing.json_service import JsonService
from entity_fishing.linker import Link, Task
from entity_fishing.ner_service import NerService
from entity_fishing.service import DisambiguationService
from entity_fishing.settings import EntityFishingSettings
from mesh.serve.upstream import EventLoop

Result = TypeVar("Result")


class NerFinder:
    """Finds names by the ner service; safe to use from several threads."""

    def __init__(self, settings: EntityFishingSettings, loop: EventLoop, calls: Counter) -> None:
        self._ner = NerService(settings, calls)
        self._loop = loop

    def find(self, tasks: Sequence[Task], end: float) -> list[Task | Exception]:
        """The tasks with the mentions that they lacked, or why those can't be found.

        Args:
            end: time of `time.monotonic()` by which the service must have answered.
        """

        async def complete(task: Task) -> Task:
            if task.mentions is None:
                return replace(task, mentions=await self._ner.find(task, end))
            return task

        return self._loop.run(_all(complete, tasks, end, self._ner.service))


class ServiceLinker:
    """Links by an entity-fishing server, which finds names too."""

    def __init__(self, settings: EntityFishingSettings, loop: EventLoop, calls: Counter) -> None:
        self._server = DisambiguationService(settings, calls)
        self._loop = loop

    def link(self, tasks: Sequence[Task], end: float) -> list[list[Link] | Exception]:
        """Link the names of several texts at the same time."""

        async def link(task: Task) -> list[Link]:
            return await self._server.link(task, end)

        return self._loop.run(_all(link, tasks, end, self._server.service))


def calls_counter() -> Counter:
    """Calls of services, by service and outcome."""
    return Counter(
        "upstream_calls_total", "Calls of other services.", ("service", "outcome"), registry=None
    )


async def _all(
    work: Callable[[Task], Awaitable[Result]],
    tasks: Sequence[Task],
    end: float,
    service: JsonService,
) -> list[Result | Exception]:
    """The results, or why there are none; one text's failure is not another's."""

    async def bounded(task: Task) -> Result:
        try:
            async with asyncio.timeout(end - time.monotonic()):
                return await work(task)
        except TimeoutError:
            raise service.deadline_exceeded() from None

    results = await asyncio.gather(*map(bounded, tasks), return_exceptions=True)
    return [_not_cancelled(result) for result in results]


def _not_cancelled(result: Result | BaseException) -> Result | Exception:
    if isinstance(result, BaseException) and not isinstance(result, Exception):
        raise result
    return result
