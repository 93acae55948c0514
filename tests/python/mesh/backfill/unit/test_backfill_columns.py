import datetime
import enum
from typing import Annotated, Any, Literal

import pyarrow as pa
import pytest
from pydantic import BaseModel, Field

from mesh.backfill.columns import Columns, arrow_type
from mesh.core.errors import UsageError
from mesh.serve.documents import RefusedDocument


class Colour(enum.StrEnum):
    RED = "red"


class Size(enum.IntEnum):
    SMALL = 1


class Word(BaseModel):
    word: str
    score: float | None


class Empty(BaseModel):
    pass


STRUCT = pa.struct([("word", pa.string()), ("score", pa.float64())])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (str, pa.string()),
        (int, pa.int64()),
        (bool, pa.bool_()),
        (float | None, pa.float64()),
        (int | float, pa.float64()),
        (Literal["a", "b"] | None, pa.string()),
        (Literal[1, 2], pa.int64()),
        (Literal["a", 2], pa.string()),
        (Colour, pa.string()),
        (Size | None, pa.int64()),
        (datetime.date, pa.date32()),
        (datetime.datetime, pa.string()),
        (Annotated[int, Field(ge=0)], pa.int64()),
        (list[str], pa.list_(pa.string())),
        (tuple[float, ...], pa.list_(pa.float64())),
        (tuple[int, int], pa.list_(pa.int64())),
        (list[list[int]] | None, pa.list_(pa.list_(pa.int64()))),
        (Word, STRUCT),
        (list[Word], pa.list_(STRUCT)),
        (dict[str, int], pa.string()),
        (Any, pa.string()),
        (int | str, pa.string()),
        (Empty, pa.string()),
    ],
)
def test_type_of_values_follows_from_the_annotation(kind: Any, expected: Any) -> None:
    assert arrow_type(kind) == expected


class Prediction(BaseModel):
    label: Colour
    size: Size
    words: list[Word]
    more: dict[str, Any]
    day: datetime.date | None = None


class Response(BaseModel):
    outputs: list[Prediction | RefusedDocument]
    backend: Literal["x"]


class Plain(BaseModel):
    outputs: list[str]


class Single(BaseModel):
    label: str


CARRIED = {"id": pa.int64()}


def test_row_has_the_fields_of_the_prediction_and_of_the_response() -> None:
    columns = Columns(Response, CARRIED)
    assert columns.schema.names == ["id", "label", "size", "words", "more", "day", "backend"]
    word = Word(word="a", score=None)
    prediction = Prediction(
        label=Colour.RED,
        size=Size.SMALL,
        words=[word],
        more={"b": [1, None]},
        day=datetime.date(2020, 1, 2),
    )
    row = columns.row(Response(outputs=[prediction], backend="x"))
    assert isinstance(row, dict)
    table = pa.Table.from_pylist([{"id": 7, **row}], schema=columns.schema)
    assert table.to_pylist() == [
        {
            "id": 7,
            "label": "red",
            "size": 1,
            "words": [{"word": "a", "score": None}],
            "more": '{"b":[1,null]}',
            "day": datetime.date(2020, 1, 2),
            "backend": "x",
        }
    ]


def test_predictions_without_fields_are_the_column_output() -> None:
    columns = Columns(Plain, CARRIED)
    assert columns.schema.names == ["id", "output"]
    assert columns.row(Plain(outputs=["a"])) == {"output": "a"}


def test_response_about_one_document_has_its_fields() -> None:
    assert Columns(Single, CARRIED).row(Single(label="a")) == {"label": "a"}


def test_refused_document_is_the_reason() -> None:
    refused = Response(outputs=[RefusedDocument(error="No.")], backend="x")
    assert Columns(Response, CARRIED).row(refused) == "No."


@pytest.mark.parametrize("name", ["label", "backend"])
def test_carried_column_with_the_name_of_a_prediction_is_refused(name: str) -> None:
    with pytest.raises(
        UsageError, match=f"The column '{name}' can't be carried over, .*they have: label"
    ):
        Columns(Response, {**CARRIED, name: pa.string()})
