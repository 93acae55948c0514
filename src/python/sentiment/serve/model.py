"""The model that the sentiment server serves."""

from collections.abc import Sequence
from pathlib import Path

from mesh.core.errors import UsageError
from mesh.nlp.document import read_document
from mesh.nlp.language import read_languages, require_languages
from mesh.serve.model import ArtifactModel, compute_accepted
from sentiment.model import SentimentAnalyser
from sentiment.project import PROJECT
from sentiment.schema import Request, Response


class SentimentModel(ArtifactModel):
    """Finds sentiments with a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _analyser: SentimentAnalyser
    _languages: frozenset[str]

    def load_compiled(self, folder: Path) -> None:
        self._analyser = SentimentAnalyser.load(folder)
        self._languages = read_languages(folder)

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return compute_accepted(self._checked, self._analyse, requests)

    def _checked(self, request: Request) -> Request:
        for number, document in enumerate(request.documents):
            if not read_document(document).text:
                raise UsageError(f"Document {number} has no text, so it has no sentiment.")
        require_languages(
            request.documents,
            request.configuration.language,
            self._languages,
            detect=request.configuration.check_language,
        )
        return request

    def _analyse(self, requests: Sequence[Request]) -> list[Response]:
        documents = [
            (item, request.configuration.language)
            for request in requests
            for item in request.inputs
        ]
        predictions = iter(self._analyser.analyse(documents))
        return [
            Response(outputs=[next(predictions) for _ in request.inputs]) for request in requests
        ]


MODEL = SentimentModel
