"""The model that the ner server serves."""

from collections.abc import Sequence
from pathlib import Path

from mesh.nlp.language_check import LanguageCheck
from mesh.serve.documents import Document
from mesh.serve.model import ArtifactModel
from mesh.serve.results import compute_documents
from ner.model import EntityRecogniser, Reading
from ner.project import PROJECT
from ner.schema import Configuration, Request, Response


class NerModel(ArtifactModel):
    """Finds entities with a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _recogniser: EntityRecogniser
    _languages: LanguageCheck

    def load_compiled(self, folder: Path) -> None:
        self._recogniser = EntityRecogniser.load(folder)
        self._languages = LanguageCheck.read(folder)

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        results = compute_documents(
            self._languages.require_known, self._read, self._recogniser.recognise, requests
        )
        return [each if isinstance(each, Exception) else Response(outputs=each) for each in results]

    def _read(self, source: Document, configuration: Configuration) -> Reading:
        document = self._languages.read_document(source.document, configuration)
        return Reading.of(document, configuration)


MODEL = NerModel
