"""A model that does nothing, behind the mesh's server."""

import sys
from collections.abc import Sequence

from pydantic import BaseModel

from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.settings import load_settings
from mesh.serve.model import ServedModel
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings


class Text(BaseModel):
    """A text."""

    text: str


class EmptyModel(ServedModel):
    """Returns its input."""

    name = "empty"
    request_model = Text
    response_model = Text

    def predict_batch(self, requests: Sequence[Text]) -> Sequence[Text]:
        return requests

    def example_request(self, text: str) -> Text:
        return Text(text=text)


if __name__ == "__main__":
    settings, log = load_settings([ServeSettings, LogSettings], flags=sys.argv[1:])
    configure_logging("benchmarks.apps", log)
    run_and_exit(lambda: run_server(EmptyModel(), settings))
