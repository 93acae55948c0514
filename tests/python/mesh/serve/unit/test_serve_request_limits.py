"""The limits of bodies: what a schema's largest request needs, and the elements of JSON."""

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mesh.serve.documents import (
    MAX_DOCUMENT_CHARACTERS,
    MAX_DOCUMENTS,
    MAX_TOTAL_CHARACTERS,
    DocumentsRequest,
)
from mesh.serve.json_elements import ElementCounter
from mesh.serve.request_limits import (
    BYTES_OF_CHARACTER,
    SPARE_BYTES,
    SPARE_ELEMENTS,
    TOTAL_ITEMS,
    UNBOUNDED_BYTES,
    UNBOUNDED_ELEMENTS,
    Extent,
    largest_request,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('",[]{}\\é😀', max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('"\\,[', max_size=4), inner),
)


def elements(value: Any) -> int:
    """Items and members of a JSON value; an empty array or object counts as one."""
    if isinstance(value, list):
        return (len(value) or 1) + sum(map(elements, value))
    if isinstance(value, dict):
        return (len(value) or 1) + sum(map(elements, value.values()))
    return 0


def count(*pieces: bytes) -> int:
    counter = ElementCounter()
    for piece in pieces:
        counter.add(piece)
    return counter.count


@given(VALUES, st.booleans(), st.sampled_from([None, 2]), st.data())
def test_elements_are_counted_however_the_text_is_written_and_cut(
    value: Any, ascii_only: bool, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=4).map(sorted))
    starts = [0, *cuts]
    pieces = [text[start:end] for start, end in zip(starts, [*cuts, len(text)], strict=True)]
    assert count(*pieces) == elements(value)


@pytest.mark.parametrize("cut", range(1, 12))
def test_an_escape_may_be_cut_anywhere(cut: int) -> None:
    text = rb'["\\\"",[]]'
    assert count(text[:cut], text[cut:]) == 3
    assert count(*(bytes([byte]) for byte in text)) == 3


@given(st.lists(st.binary()))
def test_text_that_is_not_json_is_counted_too(pieces: list[bytes]) -> None:
    assert 0 <= count(*pieces) <= sum(map(len, pieces))


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Part(Strict):
    name: Annotated[str, StringConstraints(max_length=10)]
    kind: Literal["a", "bcd"] = "a"
    numbers: list[float] = Field(default=[], max_length=3)


class Whole(Strict):
    parts: list[Part] = Field(max_length=5)
    pair: tuple[int, bool] | None = None


class Shared(Strict):
    parts: list[Part] | None = Field(None, max_length=5, json_schema_extra={TOTAL_ITEMS: 7})


class Sharing(Strict):
    shared: list[Shared] = Field(max_length=3)


class Lenient(BaseModel):
    flag: bool


class Endless(Strict):
    parts: list[Part]


class Wordy(Strict):
    text: str


class Nested(Strict):
    inner: list["Nested"] = Field(max_length=2)


def test_the_largest_request_fits() -> None:
    part = {"name": "\U0001f600" * 10, "kind": "bcd", "numbers": [-1.2345678901234567e-300] * 3}
    request = {"parts": [part] * 5, "pair": [-(2**63), False]}
    Whole.model_validate(request)
    found = largest_request(Whole)
    assert found.elements == elements(request) + SPARE_ELEMENTS
    size = len(json.dumps(request, indent=4))
    assert size <= found.bytes - SPARE_BYTES <= 3 * size


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Endless, Extent(UNBOUNDED_BYTES, UNBOUNDED_ELEMENTS)),
        (Nested, Extent(UNBOUNDED_BYTES, UNBOUNDED_ELEMENTS)),
        (Wordy, Extent(UNBOUNDED_BYTES, 1 + SPARE_ELEMENTS)),
    ],
)
def test_schemas_without_bounds_get_usual_limits(model: type[BaseModel], expected: Extent) -> None:
    assert largest_request(model) == expected


def test_lists_may_share_a_number_of_items() -> None:
    part = {"name": "", "kind": "a", "numbers": [0] * 3}
    request = {"shared": [{"parts": [part] * 5}, {"parts": [part] * 2}, {"parts": None}]}
    assert largest_request(Sharing).elements == elements(request) + SPARE_ELEMENTS


def test_where_others_are_ignored_there_may_be_as_many_more_members() -> None:
    assert largest_request(Lenient).elements == 2 + SPARE_ELEMENTS


def test_documents_count_by_their_total() -> None:
    texts = ["\U0001f600" * MAX_DOCUMENT_CHARACTERS] * (
        MAX_TOTAL_CHARACTERS // MAX_DOCUMENT_CHARACTERS
    )
    request = {"inputs": [{"document": text} for text in texts]}
    found = largest_request(DocumentsRequest)
    assert len(json.dumps(request)) <= found.bytes
    assert found.bytes < 1.1 * BYTES_OF_CHARACTER * MAX_TOTAL_CHARACTERS
    assert found.elements == 1 + 2 * MAX_DOCUMENTS + SPARE_ELEMENTS
