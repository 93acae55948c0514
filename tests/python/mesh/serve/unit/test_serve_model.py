from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.serve.computation import compute
from mesh.serve.documents import (
    Document,
    DocumentsRequest,
    LanguageConfiguration,
    RefusedDocument,
)
from mesh.serve.model import ArtifactModel, EncoderModel, ServedModel
from mesh.serve.results import attempt, compute_accepted, compute_documents


class Number(BaseModel):
    value: float


def inverse(number: Number) -> Number:
    return Number(value=1 / number.value)


class Inverse(ServedModel):
    name = "inverse"
    request_model = Number
    response_model = Number

    def predict_batch(self, requests: Sequence[Number]) -> list[Number | Exception]:
        return [attempt(inverse, request) for request in requests]

    def example_request(self, text: str) -> Number:
        return Number(value=len(text))


class BatchInverse(Inverse):
    """Fails as a whole when one request can't be computed."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict_batch(self, requests: Sequence[Number]) -> list[Number | Exception]:
        self.sizes.append(len(requests))
        return [inverse(request) for request in requests]


def computed(model: ServedModel, *values: float) -> list[Any]:
    return list(compute(model, [Number(value=value) for value in values]))


def test_one_failing_request_does_not_fail_the_others() -> None:
    first, second, third = computed(Inverse(), 2, 0, 4)
    assert [first, third] == [b'{"value":0.5}', b'{"value":0.25}']
    assert isinstance(second, ZeroDivisionError)


def test_the_requests_of_a_failing_batch_are_tried_alone() -> None:
    model = BatchInverse()
    first, second, third = computed(model, 2, 0, 4)
    assert [first, third] == [b'{"value":0.5}', b'{"value":0.25}']
    assert isinstance(second, ZeroDivisionError)
    assert model.sizes == [3, 1, 1, 1]


def test_a_response_of_another_type_is_an_error() -> None:
    class Wrong(Inverse):
        def predict_batch(self, requests: Sequence[Number]) -> Any:
            return [{"value": request.value} for request in requests]

    [result] = computed(Wrong(), 1)
    assert isinstance(result, TypeError)
    assert str(result) == "The model's response is of type dict, not Number"


def test_predict_follows_from_predict_batch() -> None:
    assert Inverse().predict(Number(value=2)) == Number(value=0.5)
    with pytest.raises(ZeroDivisionError):
        Inverse().predict(Number(value=0))


def test_accepted_requests_are_computed_together_and_refused_ones_keep_their_places() -> None:
    batches: list[list[str]] = []

    def prepare(request: int) -> str:
        if request < 0:
            raise UsageError(f"{request} is negative.")
        return str(request)

    def in_hashes(texts: list[str]) -> list[str]:
        batches.append(texts)
        return [f"#{text}" for text in texts]

    first, second, third, fourth = compute_accepted(prepare, in_hashes, [1, -2, 3, -4])
    assert (first, third) == ("#1", "#3")
    assert (str(second), str(fourth)) == ("-2 is negative.", "-4 is negative.")
    assert batches == [["1", "3"]]


class Texts(DocumentsRequest):
    configuration: LanguageConfiguration = LanguageConfiguration()


def texts_request(*texts: str, **configuration: str) -> Texts:
    return Texts.model_validate(
        {"configuration": configuration, "inputs": [{"document": text} for text in texts]}
    )


def test_refused_document_takes_its_request_with_it_unless_told_otherwise() -> None:
    batches = []

    def check(configuration: LanguageConfiguration) -> None:
        if configuration.language != "en":
            raise UsageError("Only English is supported.")

    def read(item: Document, configuration: LanguageConfiguration) -> str:
        if not item.document:
            raise UsageError(f"There is no text in {configuration.language!r}.")
        return item.document

    def lengths(texts: list[str]) -> list[int]:
        batches.append(texts)
        return [len(text) for text in texts]

    requests = [
        texts_request("ab", "c"),
        texts_request("ab", "", "c"),
        texts_request("", "abcd", on_error="item"),
        texts_request("", on_error="item"),
        texts_request("a", language="de", on_error="item"),
    ]
    refused = RefusedDocument(error="There is no text in 'en'.")
    whole, spoilt, partly, none, unknown = compute_documents(check, read, lengths, requests)
    assert (whole, partly, none) == ([2, 1], [refused, 4], [refused])
    assert str(unknown) == "Only English is supported."
    assert str(spoilt) == "Document 1: There is no text in 'en'."
    assert batches == [["ab", "c", "abcd"]]


def test_defects_are_no_refusals() -> None:
    def read(item: Document, _configuration: LanguageConfiguration) -> str:
        raise RuntimeError(item.document)

    [error] = compute_documents(
        lambda _: None, read, lambda _: [], [texts_request("a", on_error="item")]
    )
    assert isinstance(error, RuntimeError)


def test_bio_and_ready_have_defaults() -> None:
    assert Inverse().bio() == {"model_name": "inverse", "model_card": {}}
    assert Inverse().ready


class Halves(ArtifactModel, Inverse):
    def load_compiled(self, folder: Path) -> None:
        raise AssertionError("it is not loaded")


def test_a_model_with_weights_needs_a_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inverse needs the directory of a compiled version"):
        Halves(None)
    assert Halves(tmp_path).bio() == {"model_name": "inverse", "model_card": {}}


class Encoding(EncoderModel, Inverse):
    """Has an encoder with one of its backends."""


def test_an_encoder_is_needed_when_it_is_loaded() -> None:
    project = Project(name="inverse", description="Inverts.", port=8000)
    model = Encoding(project, None, "table")
    card = {"description": "Inverts.", "backend": "table"}
    assert model.bio() == {"model_name": "inverse", "model_card": card}
    with pytest.raises(MeshError, match="needs an encoder.*`mesh run inverse`"):
        model.load_encoder(Path.read_bytes)


@pytest.mark.parametrize(
    ("folder", "version"), [("KEYWORDS-COMPILED-12", "12"), ("a-b", "1"), ("7", "1")]
)
def test_the_version_is_the_number_of_the_compiled_one(folder: str, version: str) -> None:
    class Compiled(ArtifactModel, Inverse):
        def load_compiled(self, folder: Path) -> None:
            raise NotImplementedError

    assert Compiled(Path("models") / folder).version == version
