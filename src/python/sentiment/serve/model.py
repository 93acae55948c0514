"""The model that the sentiment server serves."""

from collections.abc import Sequence
from pathlib import Path

from mesh.core.errors import UsageError
from mesh.nlp.clean import clean
from mesh.nlp.language import read_languages, require_languages
from mesh.serve.document_model import DocumentModel
from sentiment.compiled import load_analyser
from sentiment.model import SentimentAnalyser
from sentiment.project import PROJECT
from sentiment.schema import Document, Request, Response


class SentimentModel(DocumentModel):
    """Sentiments by a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _analyser: SentimentAnalyser
    _languages: frozenset[str]

    def load_compiled(self, folder: Path) -> None:
        self._analyser = load_analyser(folder)
        self._languages = read_languages(folder)

    def check(self, request: Request) -> None:
        for number, item in enumerate(request.inputs):
            if not clean(item.document).text:
                raise UsageError(f"Document {number} has no text, so it has no sentiment.")
        require_languages(
            [item.document for item in request.inputs],
            request.configuration.language,
            self._languages,
            detect=request.configuration.check_language,
        )

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        documents = [
            (item, request.configuration.language)
            for request in requests
            for item in request.inputs
        ]
        predictions = iter(self._analyser.analyse(documents))
        return [
            Response(outputs=[next(predictions) for _ in request.inputs]) for request in requests
        ]

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Document(document=text)])


MODEL = SentimentModel
