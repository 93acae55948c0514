"""The model of a tiny project, for the tests.

The environment says what goes wrong, once the server has computed TINY_SOUND requests: TINY_FAULT.
"""

import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mesh.core.card import ModelCard
from mesh.core.devices import current_placement
from mesh.serve.model import ServedModel
from mesh.serve.results import attempt

from ..project import PROJECT
from ..schema import Document, Prediction, Request, Response


class TinyModel(ServedModel):
    """Counts letters, until it doesn't."""

    name = os.environ.get("TINY_NAME", PROJECT.name)
    request_model = Request
    response_model = Response
    ready = os.environ.get("TINY_FAULT") != "unready"

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or Path()
        self._numbers = itertools.count(1)
        self._card: dict[str, Any] = {}

    def load(self) -> None:
        self._card = ModelCard.read(self._directory).model_dump(mode="json")
        # As a network does that is loaded.
        current_placement().runs_on = ("CPUExecutionProvider",)
        current_placement().precision = "float32"

    def bio(self) -> dict[str, Any]:
        return {"model_name": self.name, "model_card": self._card}

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Document(document=text)])

    def predict_batch(self, requests: Sequence[Request]) -> list[Response | Exception]:
        return [attempt(self._response, request) for request in requests]

    def _response(self, request: Request) -> Response:
        sound = next(self._numbers) <= int(os.environ.get("TINY_SOUND", "0"))
        fault = "" if sound else os.environ.get("TINY_FAULT", "")
        if fault == "crash":
            raise ZeroDivisionError
        if fault == "hang":
            time.sleep(60)
        outputs = [
            Prediction(letters=len(text) + (fault == "wrong"), share=len(text) / 100)
            for text in (item.document for item in request.inputs)
        ]
        return Response(outputs=outputs[1:] if fault == "short" else outputs)


MODEL = TinyModel
