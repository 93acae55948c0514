from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from mesh.serve.inference import InferenceService
from mesh.serve.metrics import Metrics
from mesh.serve.model import ServedModel
from mesh.serve.settings import ServeSettings


class Number(BaseModel):
    value: float


class Inverse(ServedModel):
    name = "inverse"
    request_model = Number
    response_model = Number

    def predict(self, request: Number) -> Number:
        return Number(value=1 / request.value)

    def example_request(self, text: str) -> Number:
        return Number(value=float(text))


class BatchInverse(Inverse):
    """Fails as a whole when one request can't be computed."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict_batch(self, requests: Sequence[Any]) -> list[BaseModel | Exception]:
        self.sizes.append(len(requests))
        return [self.predict(request) for request in requests]


def compute(model: ServedModel, *values: float) -> list[Any]:
    service = InferenceService(model, ServeSettings(), Metrics(model.name))
    return list(service.compute([Number(value=value) for value in values]))


def test_one_failing_request_does_not_fail_the_others() -> None:
    first, second, third = compute(Inverse(), 2, 0, 4)
    assert [first, third] == [b'{"value":0.5}', b'{"value":0.25}']
    assert isinstance(second, ZeroDivisionError)


def test_the_requests_of_a_failing_batch_are_tried_alone() -> None:
    model = BatchInverse()
    first, second, third = compute(model, 2, 0, 4)
    assert [first, third] == [b'{"value":0.5}', b'{"value":0.25}']
    assert isinstance(second, ZeroDivisionError)
    assert model.sizes == [3, 1, 1, 1]


def test_an_answer_of_another_type_is_an_error() -> None:
    class Wrong(Inverse):
        def predict(self, request: Number) -> Any:
            return {"value": request.value}

    [answer] = compute(Wrong(), 1)
    assert isinstance(answer, TypeError)
    assert str(answer) == "The model answered dict, not Number"


def test_bio_and_ready_have_defaults() -> None:
    assert Inverse().bio() == {"model_name": "inverse", "model_card": {}}
    assert Inverse().ready
