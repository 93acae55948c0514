"""The facts of predictions: labels, scores and numbers, and never a text."""

import json
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mesh.serve.documents import RefusedDocument
from mesh.serve.facts import LABEL, Facts


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Name(BaseModel):
    text: str
    kind: Annotated[str, LABEL]
    start: int
    score: float
    colour: Colour | None = None


class Prediction(BaseModel):
    label: Literal["good", "bad"]
    good_prob: float
    sure: bool = True
    colour: Colour | None = None
    summary: str = ""
    names: list[Name] = []
    bands: list[str] | None = None
    best: Name | None = None


class Response(BaseModel):
    outputs: list[Prediction | RefusedDocument]
    backend: Literal["own", "other"] = "own"
    version: int = 3


FULL = Prediction(
    label="good",
    good_prob=0.75,
    sure=False,
    colour=Colour.BLUE,
    summary="Marie Curie",
    names=[
        Name(text="Marie", kind="PER", start=0, score=0.5, colour=Colour.RED),
        Name(text="Curie", kind="PER", start=6, score=1.0),
        Name(text="Paris", kind="LOC", start=90, score=0.75),
    ],
    bands=["x", "y"],
    best=Name(text="Marie", kind="PER", start=7, score=0.5),
)

FACTS = {
    "label": "good",
    "good_prob": 0.75,
    "sure": "no",
    "colour": "blue",
    "summary.characters": 11.0,
    "names.count": 3.0,
    "names.text.characters": 5.0,
    "names.kind": {"PER": 2, "LOC": 1},
    "names.score": 0.75,
    "names.colour": {"red": 1, "none": 2},
    "bands.count": 2.0,
    "best.text.characters": 5.0,
    "best.kind": "PER",
    "best.start": 7.0,
    "best.score": 0.5,
    "best.colour": "none",
}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts(Response)


def test_of_a_response(facts: Facts) -> None:
    response = Response(outputs=[FULL, RefusedDocument(error="Another language.")])
    rest = {"backend": "own", "version": 3.0}
    assert facts.of_response(response) == [
        {**FACTS, "refused": "no", **rest},
        {"refused": "yes", **rest},
    ]


def test_json_and_instances_have_the_same_facts(facts: Facts) -> None:
    assert facts.of_output(json.loads(FULL.model_dump_json())) == facts.of_output(FULL)
    row = {**FULL.model_dump(mode="json"), "backend": "own", "version": 3}
    assert facts.of_row(row) == facts.of_response(Response(outputs=[FULL]))[0]


def test_what_is_empty(facts: Facts) -> None:
    assert facts.of_output(Prediction(label="bad", good_prob=float("nan"))) == {
        "label": "bad",
        "sure": "yes",
        "colour": "none",
        "summary.characters": 0.0,
        "names.count": 0.0,
        "bands.count": 0.0,
        "refused": "no",
    }


class Shout(BaseModel):
    text: str


class Words(BaseModel):
    outputs: list[str]


class Vectors(BaseModel):
    outputs: list[list[float]]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Shout(text="HELLO"), [{"text.characters": 5.0}]),
        (Words(outputs=["a", ""]), [{"characters": 1.0}, {"characters": 0.0}]),
        (Vectors(outputs=[[0.1, 0.2]]), [{"count": 2.0}]),
    ],
)
def test_other_responses(response: BaseModel, expected: list[dict[str, Any]]) -> None:
    assert Facts(type(response)).of_response(response) == expected


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_text_is_a_fact(summary: str, name: str) -> None:
    names = [Name(text=name, kind="PER", start=0, score=0.5)]
    prediction = Prediction(label="bad", good_prob=0.5, summary=summary, names=names)
    found = Facts(Response).of_output(prediction)
    values = {one for one in found.values() if isinstance(one, str)}
    keys = {key for one in found.values() if isinstance(one, dict) for key in one}
    assert values | keys <= {"bad", "PER", "yes", "no", "none"}
