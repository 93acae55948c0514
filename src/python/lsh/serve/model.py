"""The model that the lsh server serves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lsh.model import SIGNATURE_VERSION, sign
from lsh.project import PROJECT
from lsh.schema import MAX_PERMUTATIONS, Configuration, Request, Response
from mesh.core.settings import MeshSettings
from mesh.serve.cost import ReadingCost
from mesh.serve.model import ServedModel
from mesh.serve.results import attempt


class LshModel(ServedModel):
    """Computes signatures; needs no artifact."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    def __init__(self, directory: Path | None = None, *settings: MeshSettings) -> None:
        super().__init__(directory, *settings)
        self._cost = ReadingCost()

    def load(self) -> None:
        # Function words and bands of the default configuration are computed once.
        self.warm_up()
        self._cost.calibrate(lambda text: sign(text, Configuration(num_perm=MAX_PERMUTATIONS)))

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return [attempt(self._response, request) for request in requests]

    def bio(self) -> dict[str, Any]:
        card = {"description": PROJECT.description, "signature_version": SIGNATURE_VERSION}
        return {"model_name": self.name, "model_card": card}

    def _response(self, request: Request) -> Response:
        self._cost.require(request.documents)
        return Response(
            outputs=[sign(text, request.configuration) for text in request.documents],
            signature_version=SIGNATURE_VERSION,
        )


MODEL = LshModel
