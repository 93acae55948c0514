"""Finds names by the ner service."""

from collections.abc import Sequence
from dataclasses import replace

from prometheus_client import Counter
from pydantic import BaseModel, Field

from entity_fishing.json_service import JsonService
from entity_fishing.linker import Mention, Task
from entity_fishing.settings import EntityFishingSettings
from mesh.serve.upstream import EventLoop

PATH = "/v1/model/ner/predict"


class _Entity(BaseModel):
    entity_type: str
    start: int = Field(ge=0)
    end: int


class _Document(BaseModel):
    entities: list[_Entity]


class _Response(BaseModel):
    outputs: list[_Document] = Field(min_length=1, max_length=1)


class NerFinder:
    """Finds names by the mesh's ner service; thread-safe."""

    def __init__(self, settings: EntityFishingSettings, loop: EventLoop, calls: Counter) -> None:
        self._service = JsonService(
            "The ner service",
            settings.ner_url,
            PATH,
            settings,
            loop=loop,
            calls=calls,
            refusals={422: "does not take this document or its language."},
        )

    def find(self, tasks: Sequence[Task], end: float) -> list[Task | Exception]:
        """The tasks with the mentions they lacked, or the errors.

        Args:
            end: time of `time.monotonic()` by which the service must have responded.
        """
        return self._service.run(self._complete, tasks, end)

    async def _complete(self, task: Task, end: float) -> Task:
        if task.mentions is not None:
            return task
        body = {
            "configuration": {"language": task.language, "markup": "plain"},
            "inputs": [{"document": task.text}],
        }
        response = await self._service.call(body, _Response, end)
        mentions = [
            Mention(entity.start, entity.end, entity.entity_type)
            for entity in response.outputs[0].entities
            # Names outside the text are dropped.
            if entity.start < entity.end <= len(task.text)
        ]
        return replace(task, mentions=mentions)
