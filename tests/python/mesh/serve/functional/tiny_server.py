"""A program that serves a tiny model; the request and the environment choose its behaviour."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mesh.core.errors import MeshError, UsageError
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.settings import load_settings
from mesh.serve.model import ServedModel
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings
from native_work import compute_until


class TinyRequest(BaseModel):
    """A text, and how to treat it."""

    model_config = ConfigDict(extra="forbid")

    text: str
    block: bool = Field(False, description="Wait until the gate's file exists.")
    compute: bool = Field(False, description="Compute in native code until the gate's file exists.")
    refuse: bool = Field(False, description="Raise a usage error.")
    crash: bool = Field(False, description="Raise a defect.")


class TinyResponse(BaseModel):
    """The text in capitals, and how many requests were computed together."""

    text: str
    batch: int


class TinyModel(ServedModel):
    """Returns a text in capitals."""

    name = "tiny"
    request_model = TinyRequest
    response_model = TinyResponse

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def load(self) -> None:
        mode = os.environ.get("TINY_LOAD", "")
        if mode == "refuse":
            raise MeshError("The folder models/TINY-1 holds no model; run serve:download.")
        if mode == "crash":
            raise ZeroDivisionError("a defect")
        if mode == "block":
            _wait_for(self._folder / "loaded")
        if mode == "compute":
            self._compute_until(self._folder / "loaded")

    def predict_batch(self, requests: Sequence[TinyRequest]) -> list[TinyResponse | Exception]:
        with self._lock, (self._folder / "computed").open("a") as file:
            file.writelines(json.dumps(request.text[:100]) + "\n" for request in requests)
        if any(request.block for request in requests):
            _wait_for(self._folder / "gate")
        if any(request.compute for request in requests):
            self._compute_until(self._folder / "gate")
        return [self._result(request, len(requests)) for request in requests]

    def outputs(self, request: TinyRequest) -> Iterator[str]:
        """Its words in capitals; to block is to wait before the last one."""
        words = request.text.upper().split()
        yield from words[:-1]
        if request.block:
            _wait_for(self._folder / "gate")
        yield words[-1]

    def bio(self) -> dict[str, Any]:
        return {"model_name": self.name, "model_card": {"project": "tiny"}}

    def example_request(self, text: str) -> TinyRequest:
        return TinyRequest(text=text)

    def _compute_until(self, path: Path) -> None:
        def done() -> bool:
            (self._folder / "computing").touch()
            return path.exists()

        compute_until(done)

    def _result(self, request: TinyRequest, batch: int) -> TinyResponse | Exception:
        if request.refuse:
            return UsageError("The text has too many words.")
        if request.crash:
            return ZeroDivisionError("a secret")
        return TinyResponse(text=request.text.upper(), batch=batch)


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


if __name__ == "__main__":
    settings, log = load_settings([ServeSettings, LogSettings], flags=sys.argv[1:])
    configure_logging("tiny-serve", log)
    run_and_exit(lambda: run_server(TinyModel(Path(os.environ["TINY_FOLDER"])), settings))
