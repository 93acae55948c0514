"""The model that the sentiment server serves."""

from collections.abc import Sequence
from pathlib import Path

from mesh.nlp.language_check import LanguageCheck
from mesh.serve.model import ArtifactModel
from mesh.serve.results import compute_documents
from sentiment.model import Reading, SentimentAnalyser
from sentiment.project import PROJECT
from sentiment.schema import Configuration, Input, Request, Response


class SentimentModel(ArtifactModel):
    """Finds sentiments with a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _analyser: SentimentAnalyser
    _languages: LanguageCheck

    def load_compiled(self, folder: Path) -> None:
        self._analyser = SentimentAnalyser.load(folder)
        self._languages = LanguageCheck.read(folder)

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        results = compute_documents(
            self._languages.require_known, self._read, self._analyser.analyse, requests
        )
        return [each if isinstance(each, Exception) else Response(outputs=each) for each in results]

    def _read(self, source: Input, configuration: Configuration) -> Reading:
        document = self._languages.read_document(source.document, configuration)
        return self._analyser.read(document, source.entities, configuration.language)


MODEL = SentimentModel
