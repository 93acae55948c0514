"""The model that the entity-fishing server serves."""

import time
from collections.abc import Sequence
from pathlib import Path

from prometheus_client.registry import Collector

from entity_fishing.embedded import EmbeddedLinker
from entity_fishing.json_service import calls_counter
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.linker import Link, Linker, Task
from entity_fishing.ner_service import NerFinder
from entity_fishing.preparation import PreparedDocument
from entity_fishing.project import PROJECT
from entity_fishing.schema import Request, Response
from entity_fishing.service import ServiceLinker
from entity_fishing.settings import EntityFishingSettings
from mesh.compile.artifact import CompiledModel
from mesh.serve.model import EncoderModel
from mesh.serve.results import compute_accepted
from mesh.serve.upstream import EventLoop


class EntityFishingModel(EncoderModel):
    """Links names by the chosen backend.

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
        super().__init__(PROJECT, directory, settings.backend)
        self._settings = settings
        self._calls = calls_counter()

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
        encoder = self.load_encoder(CompiledModel.load)
        path = self._settings.knowledge_base
        knowledge = KnowledgeBase.open(path)
        self._card["knowledge_base"] = path.name if path else "sample"
        self._card["entities"] = len(knowledge)
        self._linker = EmbeddedLinker(knowledge, encoder)
        self.warm_up()

    @property
    def computes_here(self) -> bool:
        return self._settings.backend != "service"

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return compute_accepted(_prepare, self._respond, requests)

    def _respond(
        self, prepared: Sequence[Sequence[PreparedDocument]]
    ) -> list[Response | Exception]:
        end = time.monotonic() + self._settings.deadline_seconds
        tasks = [document.task for documents in prepared for document in documents]
        links = iter(self._links(tasks, end))
        return [
            self._response(documents, [next(links) for _ in documents]) for documents in prepared
        ]

    def _links(self, tasks: Sequence[Task], end: float) -> list[list[Link] | Exception]:
        """The links of each text, or its error."""
        found = self._finder.find(tasks, end) if self._finder else tasks
        complete = [task for task in found if isinstance(task, Task)]
        links = iter(self._linker.link(complete, end) if complete else ())
        return [next(links) if isinstance(task, Task) else task for task in found]

    def _response(
        self, documents: Sequence[PreparedDocument], links: Sequence[list[Link] | Exception]
    ) -> Response | Exception:
        """The response to a request, or the error of one of its documents."""
        outputs = []
        for document, found in zip(documents, links, strict=True):
            if isinstance(found, Exception):
                return found
            outputs.append(document.prediction(found))
        return Response(outputs=outputs, backend=self._settings.backend)


def _prepare(request: Request) -> list[PreparedDocument]:
    return [PreparedDocument(item, request.configuration) for item in request.inputs]


MODEL = EntityFishingModel
