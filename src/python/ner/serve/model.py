"""The model that the ner server serves."""

from collections.abc import Sequence
from pathlib import Path

from mesh.nlp.language import read_languages, require_languages
from mesh.serve.model import ArtifactModel, compute_accepted
from ner.model import EntityRecogniser
from ner.project import PROJECT
from ner.schema import Request, Response


class NerModel(ArtifactModel):
    """Finds entities with a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _recogniser: EntityRecogniser
    _languages: frozenset[str]

    def load_compiled(self, folder: Path) -> None:
        self._recogniser = EntityRecogniser.load(folder)
        self._languages = read_languages(folder)

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return compute_accepted(self._checked, self._recognise, requests)

    def _checked(self, request: Request) -> Request:
        require_languages(
            request.documents,
            request.configuration.language,
            self._languages,
            detect=request.configuration.check_language,
        )
        return request

    def _recognise(self, requests: Sequence[Request]) -> list[Response]:
        documents = [
            (document, request.configuration.language)
            for request in requests
            for document in request.documents
        ]
        predictions = iter(self._recogniser.recognise(documents))
        return [
            Response(outputs=[next(predictions) for _ in request.inputs]) for request in requests
        ]


MODEL = NerModel
