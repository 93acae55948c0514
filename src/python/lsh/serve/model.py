"""The model that the lsh server serves."""

from collections.abc import Sequence
from typing import Any

from lsh.model import SIGNATURE_VERSION, sign
from lsh.project import PROJECT
from lsh.schema import Request, Response
from mesh.serve.model import ServedModel, attempt


class LshModel(ServedModel):
    """Computes signatures; needs no artifact."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    def load(self) -> None:
        # Function words and bands of the default configuration are computed once.
        self.warm_up()

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return [attempt(_response, request) for request in requests]

    def bio(self) -> dict[str, Any]:
        card = {"description": PROJECT.description, "signature_version": SIGNATURE_VERSION}
        return {"model_name": self.name, "model_card": card}


def _response(request: Request) -> Response:
    return Response(
        outputs=[sign(text, request.configuration) for text in request.documents],
        signature_version=SIGNATURE_VERSION,
    )


MODEL = LshModel
