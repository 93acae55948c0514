"""The model that the keywords server serves."""

from collections.abc import Sequence
from pathlib import Path

from keywords.model import KeywordExtractor
from keywords.project import PROJECT
from keywords.schema import Request, Response
from mesh.serve.model import ArtifactModel

COMPARISONS_OF_PASS = 2_000_000
"""Of max-sum."""


class KeywordsModel(ArtifactModel):
    """Extracts keywords with a compiled version."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    _extractor: KeywordExtractor

    def load_compiled(self, folder: Path) -> None:
        self._extractor = KeywordExtractor.load(folder)

    def passes(self, request: Request) -> float:
        configuration = request.configuration
        # Each word is embedded once more for each phrase that it is in.
        times = 1 if configuration.candidates else configuration.phrases_of_word
        choosing = len(request.inputs) * configuration.comparisons / COMPARISONS_OF_PASS
        return super().passes(request) * times + choosing

    def parts(self, request: Request) -> Sequence[Request]:
        # These count the documents that a phrase is in.
        return [request] if request.configuration.min_df > 1 else super().parts(request)

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        results = self._extractor.extract_batch(
            [(request.documents, request.configuration) for request in requests]
        )
        return [
            result if isinstance(result, Exception) else Response(outputs=result)
            for result in results
        ]


MODEL = KeywordsModel
