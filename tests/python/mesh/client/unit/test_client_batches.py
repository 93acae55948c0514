import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, model_validator

from mesh.client import CallError, Client
from mesh.client.batches import Batches
from mesh.core.errors import UsageError

MOST = 5
MOST_CHARACTERS = 20


class Item(BaseModel):
    document: str = Field(max_length=10)


class Request(BaseModel):
    inputs: list[Item] = Field(min_length=1, max_length=MOST)
    level: int = Field(0, le=3)

    @model_validator(mode="after")
    def _total(self) -> "Request":
        if sum(len(item.document) for item in self.inputs) > MOST_CHARACTERS:
            raise ValueError("too many characters: send them in several requests")
        return self


class Response(BaseModel):
    outputs: list[str]


@given(st.lists(st.text(max_size=10), max_size=30))
def test_batches_hold_all_inputs_in_their_order(texts: list[str]) -> None:
    batches = [
        [item.document for item in request.inputs]
        for request in Batches(Request, texts, {"level": 1})
    ]
    assert [text for batch in batches for text in batch] == texts
    for batch in batches:
        assert 1 <= len(batch) <= MOST
        assert sum(map(len, batch)) <= MOST_CHARACTERS


def test_inputs_may_be_texts_dictionaries_and_models() -> None:
    inputs: list[Any] = ["a", {"document": "b"}, Item(document="c")]
    [request] = Batches(Request, inputs, {})
    assert [item.document for item in request.inputs] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("inputs", "others", "message"),
    [
        (["a"] * 7 + ["x" * 11], {}, "Input 7 of 8 makes no request: inputs.0.document: "),
        (["a"], {"level": 4}, "Input 0 of 1 makes no request: level: "),
    ],
)
def test_what_the_schema_refuses_is_named(inputs: Any, others: Any, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        list(Batches(Request, inputs, others))
    assert str(refused.value).startswith(message)


def client(handler: Any) -> Client[Request, Response]:
    http = httpx.Client(transport=httpx.MockTransport(handler))
    return Client("http://mesh.test", "words", Request, Response, http=http)


def test_batches_that_are_too_large_for_the_server_are_halved() -> None:
    sizes = []

    def respond(request: httpx.Request) -> httpx.Response:
        inputs = json.loads(request.content)["inputs"]
        sizes.append(len(inputs))
        if len(inputs) > 2:
            return httpx.Response(413, json={"detail": "The body is larger than 9 bytes."})
        return httpx.Response(200, json={"outputs": [item["document"] for item in inputs]})

    texts = [str(number) for number in range(7)]
    assert list(client(respond).outputs(texts)) == texts
    assert sizes == [5, 2, 3, 1, 2, 2]


def test_an_input_that_is_too_large_alone_is_refused() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(413)

    with pytest.raises(CallError) as refused:
        list(client(respond).outputs(["a", "b"]))
    assert refused.value.status == 413


def test_no_inputs_need_no_request() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    assert list(client(respond).outputs([])) == []
