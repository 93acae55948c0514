"""Names found by the ner service."""

from prometheus_client import Counter
from pydantic import BaseModel, Field

from entity_fishing.json_service import JsonService
from entity_fishing.linker import Mention, Task
from entity_fishing.settings import EntityFishingSettings

PATH = "/v1/model/ner/predict"


class _Entity(BaseModel):
    entity_type: str
    start: int = Field(ge=0)
    end: int


class _Document(BaseModel):
    entities: list[_Entity]


class _Answer(BaseModel):
    outputs: list[_Document] = Field(min_length=1, max_length=1)


class NerService:
    """The mesh's ner service at an address."""

    def __init__(self, settings: EntityFishingSettings, calls: Counter) -> None:
        self.service = JsonService(
            "The ner service",
            settings.ner_url,
            PATH,
            settings,
            calls=calls,
            refusals={422: "does not take this document or its language."},
        )

    async def find(self, task: Task, end: float) -> list[Mention]:
        """Find the names of a text; those with a place that the text does not have are left out.

        Raises:
            UpstreamError: the service fails.
            UsageError: it does not know the language.
        """
        body = {
            "configuration": {"language": task.language},
            "inputs": [{"document": task.text}],
        }
        answer = await self.service.ask(body, _Answer, end)
        return [
            Mention(entity.start, entity.end, entity.entity_type)
            for entity in answer.outputs[0].entities
            if entity.start < entity.end <= len(task.text)
        ]
