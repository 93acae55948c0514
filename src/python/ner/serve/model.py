"""The model that the ner server serves."""

from collections.abc import Sequence
from pathlib import Path

from mesh.nlp.language import read_languages, require_languages
from mesh.serve.document_model import DocumentModel
from mesh.serve.documents import Document
from ner.compiled import load_recogniser
from ner.model import EntityRecogniser
from ner.project import PROJECT
from ner.schema import Request, Response


class NerModel(DocumentModel):
    """Entities by a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _recogniser: EntityRecogniser
    _languages: frozenset[str]

    def load_compiled(self, folder: Path) -> None:
        self._recogniser = load_recogniser(folder)
        self._languages = read_languages(folder)

    def check(self, request: Request) -> None:
        require_languages(
            [item.document for item in request.inputs],
            request.configuration.language,
            self._languages,
            detect=request.configuration.check_language,
        )

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        documents = [
            (item.document, request.configuration.language)
            for request in requests
            for item in request.inputs
        ]
        predictions = iter(self._recogniser.recognise(documents))
        return [
            Response(outputs=[next(predictions) for _ in request.inputs]) for request in requests
        ]

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Document(document=text)])


MODEL = NerModel
