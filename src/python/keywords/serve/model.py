"""The model that the keywords server serves."""

from collections.abc import Sequence
from pathlib import Path

from keywords.model import KeywordExtractor
from keywords.project import PROJECT
from keywords.schema import Request, Response
from mesh.serve.model import ArtifactModel


class KeywordsModel(ArtifactModel):
    """Extracts keywords with a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _extractor: KeywordExtractor

    def load_compiled(self, folder: Path) -> None:
        self._extractor = KeywordExtractor.load(folder)

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        results = self._extractor.extract_batch(
            [(request.documents, request.configuration) for request in requests]
        )
        return [
            result if isinstance(result, Exception) else Response(outputs=result)
            for result in results
        ]


MODEL = KeywordsModel
