"""The model that the keywords server serves."""

from collections.abc import Sequence
from pathlib import Path

from keywords.compiled import load_extractor
from keywords.model import KeywordExtractor
from keywords.project import PROJECT
from keywords.schema import Request, Response
from mesh.serve.artifact_model import ArtifactModel
from mesh.serve.documents import Document


class KeywordsModel(ArtifactModel):
    """Keywords by a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _extractor: KeywordExtractor

    def load_compiled(self, folder: Path) -> None:
        self._extractor = load_extractor(folder)

    def predict(self, request: Request) -> Response:
        [answer] = self.predict_batch([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        answers = self._extractor.extract_batch(
            [(request.documents, request.configuration) for request in requests]
        )
        return [
            answer if isinstance(answer, Exception) else Response(outputs=answer)
            for answer in answers
        ]

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Document(document=text)])


MODEL = KeywordsModel
