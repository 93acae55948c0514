"""A line of the log: one prediction."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from mesh.serve.facts import Fact, Facts
from mesh.serve.model import ServedModel

SUFFIX = ".jsonl.gz"
PREFIX = "predictions-"
PATTERN = f"{PREFIX}*{SUFFIX}"
"""Names of the log's files. In the order of names, they are in the order of time."""


class Record(BaseModel):
    """The facts of the prediction for one document.

    Args:
        model: the name of the served model.
        version: as in paths of the Open Inference Protocol.
        fingerprint: of the version.
        characters: of the document.
        language: of the document, as its request says.
        facts: by their names.
        text: the document, where it is asked for.
    """

    # Errors must not show the text.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    schema_version: Literal[1] = 1
    time: AwareDatetime
    model: str
    version: str
    fingerprint: str
    characters: int | None = None
    language: str | None = None
    facts: dict[str, Fact]
    text: str | None = None


class Recorder:
    """Makes the records of a model's predictions; the model is loaded."""

    def __init__(self, model: ServedModel, *, with_text: bool) -> None:
        self._served = {
            "model": model.name,
            "version": model.version,
            "fingerprint": model.fingerprint,
        }
        self._facts = Facts(model.response_model)
        self._with_text = with_text

    def records(self, time: datetime, request: Any, response: Any) -> Iterator[Record]:
        """The records of a request.

        Args:
            response: of the model; or a list, the outputs that were sent one by one.
        """
        if isinstance(response, list):
            facts = [self._facts.of_output(output) for output in response]
        else:
            facts = self._facts.of_response(response)
        texts = documents_of(request)
        if len(texts) != len(facts):
            texts = [None] * len(facts)
        language = getattr(getattr(request, "configuration", None), "language", None)
        for text, found in zip(texts, facts, strict=True):
            yield Record(
                time=time,
                **self._served,
                characters=None if text is None else len(text),
                language=None if language is None else str(language),
                facts=found,
                text=text if self._with_text else None,
            )


def documents_of(request: Any) -> list[str | None]:
    """The texts of a request: its documents, or else the texts among its fields as one."""
    inputs = getattr(request, "inputs", None)
    if isinstance(inputs, list | tuple):
        texts = (getattr(item, "document", None) for item in inputs)
        return [text if isinstance(text, str) else None for text in texts]
    return ["\n".join(each for _, each in request if isinstance(each, str))]
