"""The model that the summarization server serves."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.registry import Collector

from mesh.nlp.document import Document, read_document
from mesh.serve.cost import ReadingCost
from mesh.serve.model import ServedModel
from mesh.serve.results import compute_accepted
from summarization.chat import ChatSummarizer
from summarization.endpoint import Endpoint
from summarization.extractive import ExtractiveSummarizer
from summarization.project import PROJECT
from summarization.prompts import VERSION
from summarization.schema import Prediction, Request, Response
from summarization.settings import SummarizationSettings
from summarization.summarizer import Summarizer, Summary, Task


class SummarizationModel(ServedModel):
    """Writes summaries with the chosen backend; needs no artifact."""

    name = PROJECT.name
    request_model = Request
    response_model = Response
    settings = (SummarizationSettings,)

    _summarizer: Summarizer

    def __init__(self, _directory: Path | None, settings: SummarizationSettings) -> None:
        self._settings = settings
        self._card: dict[str, Any] = {
            "description": PROJECT.description,
            "backend": settings.backend,
        }
        # Of the backend that computes here.
        self._cost = ReadingCost()
        self._endpoint = Endpoint(settings) if settings.backend == "chat" else None

    @property
    def collectors(self) -> Sequence[Collector]:
        return (self._endpoint.requests, self._endpoint.tokens) if self._endpoint else ()

    def load(self) -> None:
        if self._endpoint:
            self._summarizer = ChatSummarizer(self._endpoint, self._settings)
            self._card |= {"model": self._settings.model, "prompts_version": VERSION}
        else:
            self._summarizer = ExtractiveSummarizer()
            self.warm_up()
            self._cost.calibrate(lambda text: self.predict(self.example_request(text)))

    def bio(self) -> dict[str, Any]:
        return {"model_name": self.name, "model_card": self._card}

    @property
    def computes_here(self) -> bool:
        return self._endpoint is None

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return compute_accepted(self._read, self._respond, requests)

    def outputs(self, request: Request) -> Iterator[Prediction]:
        if not isinstance(self._summarizer, ChatSummarizer):
            yield from super().outputs(request)
            return
        documents, configuration = self._read(request)
        summaries = self._summarizer.summarize_each(documents, configuration)
        yield from map(_prediction, documents, summaries)

    def _respond(self, tasks: Sequence[Task]) -> list[Response | Exception]:
        results = self._summarizer.summarize(tasks)
        return [
            result if isinstance(result, Exception) else self._response(documents, result)
            for (documents, _), result in zip(tasks, results, strict=True)
        ]

    def _response(self, documents: Sequence[Document], summaries: Sequence[Summary]) -> Response:
        return Response(
            outputs=[
                _prediction(document, summary)
                for document, summary in zip(documents, summaries, strict=True)
            ],
            backend=self._settings.backend,
        )

    def _read(self, request: Request) -> Task:
        self._cost.require(request.documents)
        configuration = request.configuration
        documents = [
            read_document(text, configuration.markup, configuration.language)
            for text in request.documents
        ]
        return documents, configuration


def _prediction(document: Document, summary: Summary) -> Prediction:
    return Prediction(markup=document.markup, summary=summary.text, reason=summary.reason)


MODEL = SummarizationModel
