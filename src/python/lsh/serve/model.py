"""The model that the lsh server serves."""

from collections.abc import Sequence
from typing import Any

from lsh.model import SIGNATURE_VERSION, signature
from lsh.project import PROJECT
from lsh.schema import Prediction, Request, Response
from mesh.serve.model import ServedModel, attempt


class LshModel(ServedModel):
    """Computes signatures; needs no artifact."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    def load(self) -> None:
        # Stop words and bands of the default configuration are computed once.
        self.warm_up()

    def predict_batch(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return [attempt(_response, request) for request in requests]

    def bio(self) -> dict[str, Any]:
        card = {"description": PROJECT.description, "signature_version": SIGNATURE_VERSION}
        return {"model_name": self.name, "model_card": card}


def _response(request: Request) -> Response:
    return Response(
        outputs=[
            Prediction(signature=signature(text, request.configuration))
            for text in request.documents
        ],
        signature_version=SIGNATURE_VERSION,
    )


MODEL = LshModel
