"""The model that the summarization server serves."""

from collections.abc import Sequence
from pathlib import Path

from prometheus_client.registry import Collector

from mesh.compile.artifact import CompiledModel
from mesh.serve.model import EncoderModel
from summarization.chat import ChatSummarizer
from summarization.endpoint import Endpoint
from summarization.extractive import ExtractiveSummarizer
from summarization.project import PROJECT
from summarization.prompts import VERSION
from summarization.schema import Prediction, Request, Response
from summarization.settings import SummarizationSettings
from summarization.summarizer import Summarizer


class SummarizationModel(EncoderModel):
    """Writes summaries with the chosen backend.

    Args:
        directory: `models/ENCODER-...`, which the backend `extractive` needs.
    """

    name = PROJECT.name
    request_model = Request
    response_model = Response
    settings = (SummarizationSettings,)

    _summarizer: Summarizer

    def __init__(self, directory: Path | None, settings: SummarizationSettings) -> None:
        super().__init__(PROJECT, directory, settings.backend)
        self._settings = settings
        self._endpoint = Endpoint(settings) if settings.backend == "chat" else None

    @property
    def collectors(self) -> Sequence[Collector]:
        return (self._endpoint.requests, self._endpoint.tokens) if self._endpoint else ()

    def load(self) -> None:
        if self._endpoint:
            self._summarizer = ChatSummarizer(self._endpoint, self._settings)
            self._card |= {"model": self._settings.model, "prompts_version": VERSION}
        else:
            self._summarizer = ExtractiveSummarizer(self.load_encoder(CompiledModel.load))
            self.warm_up()

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        results = self._summarizer.summarize(
            [(request.documents, request.configuration) for request in requests]
        )
        return [
            result if isinstance(result, Exception) else self._response(result)
            for result in results
        ]

    def _response(self, summaries: Sequence[str]) -> Response:
        return Response(
            outputs=[Prediction(summary=summary) for summary in summaries],
            backend=self._settings.backend,
        )


MODEL = SummarizationModel
