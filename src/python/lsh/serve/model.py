"""The model that the lsh server serves."""

from typing import Any

from lsh.model import SIGNATURE_VERSION, signature
from lsh.project import PROJECT
from lsh.schema import Configuration, Prediction, Request, Response
from mesh.serve.documents import Document
from mesh.serve.model import ServedModel

WARM_UP = "The stop words and the bands of the default configuration are made before the first request comes."


class LshModel(ServedModel):
    """Signatures; needs no artifact."""

    name = PROJECT.name
    request_model = Request
    response_model = Response

    def load(self) -> None:
        signature(WARM_UP, Configuration())

    def predict(self, request: Request) -> Response:
        return Response(
            outputs=[
                Prediction(signature=signature(text, request.configuration))
                for text in request.documents
            ],
            signature_version=SIGNATURE_VERSION,
        )

    def bio(self) -> dict[str, Any]:
        card = {"description": PROJECT.description, "signature_version": SIGNATURE_VERSION}
        return {"model_name": self.name, "model_card": card}

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Document(document=text)])


MODEL = LshModel
