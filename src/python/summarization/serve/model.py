"""The model that the summarization server serves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client.registry import Collector

from mesh.compile.artifact import CompiledModel
from mesh.core.card import COMPILED, ModelCard
from mesh.core.errors import MeshError
from mesh.serve.documents import Document
from mesh.serve.model import ServedModel
from summarization.chat import ChatSummarizer
from summarization.endpoint import Endpoint
from summarization.extractive import ExtractiveSummarizer
from summarization.project import PROJECT
from summarization.prompts import VERSION
from summarization.schema import Prediction, Request, Response
from summarization.settings import SummarizationSettings
from summarization.summarizer import Summarizer

WARM_UP = (
    "The first answer takes longer than the others. So one is made before the first request comes."
)


class SummarizationModel(ServedModel):
    """Summaries by the backend of the settings.

    Args:
        directory: `models/ENCODER-...`, which the backend `extractive` needs.
    """

    name = PROJECT.name
    request_model = Request
    response_model = Response
    settings = (SummarizationSettings,)

    _summarizer: Summarizer

    def __init__(self, directory: Path | None, settings: SummarizationSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._endpoint = Endpoint(settings) if settings.backend == "chat" else None
        self._card: dict[str, Any] = {}

    @property
    def collectors(self) -> Sequence[Collector]:
        return (self._endpoint.requests, self._endpoint.tokens) if self._endpoint else ()

    def load(self) -> None:
        if self._endpoint:
            self._summarizer = ChatSummarizer(self._endpoint, self._settings)
            self._card = {"model": self._settings.model, "prompts_version": VERSION}
        else:
            self._load_encoder()

    def _load_encoder(self) -> None:
        if self._directory is None:
            raise MeshError(
                "No encoder for summaries is in models/; run `mesh run summarization`, or serve:download."
            )
        self._card = {"encoder": ModelCard.read(self._directory).model_dump(mode="json")}
        self._summarizer = ExtractiveSummarizer(CompiledModel.load(self._directory / COMPILED))
        self.predict(self.example_request(WARM_UP))

    def predict(self, request: Request) -> Response:
        [answer] = self.predict_batch([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        answers = self._summarizer.summarize(
            [(request.documents, request.configuration) for request in requests]
        )
        return [
            answer if isinstance(answer, Exception) else self._response(answer)
            for answer in answers
        ]

    def _response(self, summaries: Sequence[str]) -> Response:
        return Response(
            outputs=[Prediction(summary=summary) for summary in summaries],
            backend=self._settings.backend,
        )

    def bio(self) -> dict[str, Any]:
        card = {"description": PROJECT.description, "backend": self._settings.backend, **self._card}
        return {"model_name": self.name, "model_card": card}

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Document(document=text)])


MODEL = SummarizationModel
