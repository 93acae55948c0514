"""The model that the keywords server serves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keywords.model import KeywordExtractor
from keywords.project import PROJECT
from keywords.schema import Document
from keywords.schema import Request
from keywords.schema import Response
from keywords.stop_words import read_english_stop_words
from mesh.compile.artifact import CompiledModel
from mesh.core.card import ModelCard
from mesh.serve.model import ServedModel


class KeywordsModel(ServedModel):
    """Keywords by a compiled version.

    Args:
        directory: `models/KEYWORDS-COMPILED-N`.
    """

    name = PROJECT.name
    request_model = Request
    response_model = Response

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._card: ModelCard | None = None
        self._extractor: KeywordExtractor | None = None

    def load(self) -> None:
        """Load the compiled model and answer once, so that the first client does not wait longer than others."""
        self._card = ModelCard.read(self._directory)
        compiled = self._directory / "model_artifacts" / "compiled"
        self._extractor = KeywordExtractor(
            CompiledModel.load(compiled), read_english_stop_words(compiled)
        )
        self.predict(self.example_request("The first answer takes longer."))

    def predict(self, request: Request) -> Response:
        [answer] = self.predict_batch([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        if self._extractor is None:
            raise RuntimeError("load the model first")
        answers = self._extractor.extract_batch(
            [([item.document for item in request.inputs], request.configuration) for request in requests]
        )
        return [
            answer if isinstance(answer, Exception) else Response(outputs=answer)
            for answer in answers
        ]

    def bio(self) -> dict[str, Any]:
        card = self._card.model_dump(mode="json") if self._card else {}
        return {"model_name": self.name, "model_card": card}

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Document(document=text)])
