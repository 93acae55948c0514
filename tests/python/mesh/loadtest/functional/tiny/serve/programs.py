"""The programs of a tiny project, `programs.py serve` and `programs.py load`, for the tests.

The environment says what goes wrong, once the server has computed TINY_SOUND requests: TINY_FAULT.
"""

import itertools
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from mesh.core.card import ModelCard
from mesh.core.project import Project
from mesh.loadtest.program import load_program
from mesh.serve.model import ServedModel, attempt
from mesh.serve.program import serve_program

PROJECT = Project(name="tiny", description="Counts letters.", port=1)


class Request(BaseModel):
    """Texts."""

    inputs: list[str] = Field(max_length=64)


class Prediction(BaseModel):
    """About one text."""

    letters: int
    share: float


class Response(BaseModel):
    """One prediction for each text."""

    outputs: list[Prediction]


class TinyModel(ServedModel):
    """Counts letters, until it doesn't."""

    name = os.environ.get("TINY_NAME", PROJECT.name)
    request_model = Request
    response_model = Response
    ready = os.environ.get("TINY_FAULT") != "unready"

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory or Path()
        self._numbers = itertools.count(1)
        self._card: dict[str, Any] = {}

    def load(self) -> None:
        self._card = ModelCard.read(self._directory).model_dump(mode="json")

    def bio(self) -> dict[str, Any]:
        return {"model_name": self.name, "model_card": self._card}

    def example_request(self, text: str) -> Request:
        return Request(inputs=[text])

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
            for text in request.inputs
        ]
        return Response(outputs=outputs[1:] if fault == "short" else outputs)


serve = serve_program(PROJECT, TinyModel)
load = load_program(
    PROJECT,
    lambda documents: Request(inputs=list(documents)),
    Response,
    samples="tiny.serve:samples.json",
)

if __name__ == "__main__":
    program = {"serve": serve, "load": load}[sys.argv[1]]
    sys.exit(program.main(sys.argv[2:]))
