"""A program that serves a tiny model, whose documents choose its behaviour."""

import sys
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from mesh.core.errors import UsageError
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.settings import load_settings
from mesh.serve.documents import Document, DocumentsRequest, LanguageConfiguration, RefusedDocument
from mesh.serve.model import ServedModel
from mesh.serve.results import compute_documents
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings


class Request(DocumentsRequest):
    """Documents to count the words of."""

    configuration: LanguageConfiguration = LanguageConfiguration()


class Count(BaseModel):
    """The number of words of a document."""

    words: int


class Response(BaseModel):
    """A count for each document."""

    outputs: list[Count | RefusedDocument]
    unit: Literal["words"] = "words"


class WordsModel(ServedModel):
    """Counts words; refuses documents without any."""

    name = "words"
    request_model = Request
    response_model = Response

    def predict_batch(self, requests: Sequence[Request]) -> list[Response | Exception]:
        results = compute_documents(lambda _: None, _read, _counts, requests)
        return [each if isinstance(each, Exception) else Response(outputs=each) for each in results]


def _read(item: Document, _configuration: LanguageConfiguration) -> list[str]:
    words = item.document.split()
    if not words:
        raise UsageError("It has no words.")
    return words


def _counts(documents: list[list[str]]) -> list[Count]:
    return [Count(words=len(words)) for words in documents]


if __name__ == "__main__":
    settings, log = load_settings([ServeSettings, LogSettings], flags=sys.argv[1:])
    configure_logging("words-serve", log)
    run_and_exit(lambda: run_server(WordsModel(), settings))
