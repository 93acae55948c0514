"""The model that the entity-fishing server serves."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client.registry import Collector

from entity_fishing.embedded import EmbeddedLinker
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.linker import Link, Linker, Task
from entity_fishing.preparation import PreparedDocument
from entity_fishing.project import PROJECT
from entity_fishing.remote import NerFinder, ServiceLinker, calls_counter
from entity_fishing.schema import Input, Request, Response
from entity_fishing.settings import EntityFishingSettings
from mesh.compile.artifact import CompiledModel
from mesh.core.card import COMPILED, ModelCard
from mesh.core.errors import MeshError, UsageError
from mesh.serve.model import ServedModel
from mesh.serve.upstream import EventLoop

WARM_UP = "Paris is the capital of France."


class EntityFishingModel(ServedModel):
    """Links by the backend of the settings.

    Args:
        directory: `models/ENCODER-...`, which the backend `embedded` needs.
    """

    name = PROJECT.name
    request_model = Request
    response_model = Response
    settings = (EntityFishingSettings,)

    _linker: Linker
    _finder: NerFinder | None = None

    def __init__(self, directory: Path | None, settings: EntityFishingSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._calls = calls_counter()
        self._card: dict[str, Any] = {}

    @property
    def collectors(self) -> Sequence[Collector]:
        return (self._calls,)

    def load(self) -> None:
        loop = EventLoop()
        if self._settings.backend == "service":
            self._linker = ServiceLinker(self._settings, loop, self._calls)
        else:
            self._load_embedded()
        if self._settings.mentions == "ner":
            self._finder = NerFinder(self._settings, loop, self._calls)

    def _load_embedded(self) -> None:
        if self._directory is None:
            raise MeshError(
                "No encoder for links is in models/; run `mesh run entity-fishing`, or serve:download."
            )
        path = self._settings.knowledge_base
        knowledge = KnowledgeBase.open(path)
        self._card = {
            "encoder": ModelCard.read(self._directory).model_dump(mode="json"),
            "knowledge_base": path.name if path else "sample",
            "entities": len(knowledge),
        }
        self._linker = EmbeddedLinker(knowledge, CompiledModel.load(self._directory / COMPILED))
        self.predict(self.example_request(WARM_UP))

    def predict(self, request: Request) -> Response:
        [answer] = self.predict_batch([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        end = time.monotonic() + self._settings.deadline_seconds
        prepared = [_prepare(request) for request in requests]
        tasks = [
            document.task
            for documents in prepared
            if not isinstance(documents, UsageError)
            for document in documents
        ]
        links = iter(self._links(tasks, end))
        return [
            (
                documents
                if isinstance(documents, UsageError)
                else self._response(documents, [next(links) for _ in documents])
            )
            for documents in prepared
        ]

    def bio(self) -> dict[str, Any]:
        card = {"description": PROJECT.description, "backend": self._settings.backend, **self._card}
        return {"model_name": self.name, "model_card": card}

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Input(document=text)])

    def _links(self, tasks: Sequence[Task], end: float) -> list[list[Link] | Exception]:
        """The links of each text, or why it has none."""
        found = self._finder.find(tasks, end) if self._finder else tasks
        complete = [task for task in found if isinstance(task, Task)]
        links = iter(self._linker.link(complete, end) if complete else ())
        return [next(links) if isinstance(task, Task) else task for task in found]

    def _response(
        self, documents: Sequence[PreparedDocument], links: Sequence[list[Link] | Exception]
    ) -> Response | Exception:
        """The answer to a request; why there is none, if one of its documents has none."""
        outputs = []
        for document, found in zip(documents, links, strict=True):
            if isinstance(found, Exception):
                return found
            outputs.append(document.prediction(found))
        return Response(outputs=outputs, backend=self._settings.backend)


def _prepare(request: Request) -> list[PreparedDocument] | UsageError:
    try:
        return [PreparedDocument(item, request.configuration.language) for item in request.inputs]
    except UsageError as error:
        return error


MODEL = EntityFishingModel
