from typing import Literal

import pyarrow as pa
import pytest
from pydantic import BaseModel, ValidationError

from mesh.data.dataset import AnnotatedText, ClassifiedText
from mesh.data.shards import arrow_schema
from mesh.nlp.document import read_document


class Opinion(ClassifiedText):
    label: Literal["bad", "good"]


def annotated(text: str, *spans: tuple[int, int, str]) -> AnnotatedText:
    entities = [{"start": start, "end": end, "label": label} for start, end, label in spans]
    return AnnotatedText.model_validate(
        {"text": text, "language": "en", "domain": "news", "entities": entities}
    )


@pytest.mark.parametrize(
    ("spans", "sentence"),
    [
        ([(0, 4, "PER"), (3, 8, "LOC")], "entity 3:8 overlaps"),
        ([(5, 99, "LOC")], "not within a text of 12 characters"),
        ([(3, 3, "LOC")], "not within"),
        ([(-1, 3, "LOC")], "greater than or equal to 0"),
        ([(0, 5, "PER")], "white space"),
    ],
)
def test_entities_must_be_distinct_parts_of_the_text(
    spans: list[tuple[int, int, str]], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        annotated("Anna in Rome", *spans)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "  "},
        {"language": "Quibblish"},
        {"domain": ""},
        {"label": "fine"},
        {"more": 1},
        {"text": "\ud800"},
    ],
)
def test_row_that_is_not_what_the_project_asks_for(wrong: dict[str, int | str]) -> None:
    good = {"text": "fine", "language": "en", "domain": "review", "label": "good"}
    Opinion.model_validate(good)
    with pytest.raises(ValidationError):
        Opinion.model_validate({**good, **wrong})


def test_entities_move_with_the_text_that_is_cleaned() -> None:
    row = annotated("<p>Anna  in <b>Ro</b>me", (3, 7, "PER"), (15, 23, "LOC"))
    cleaned = row.cleaned(read_document(row.text))
    assert cleaned.text == "Anna in Rome"
    assert [(cleaned.text[e.start : e.end], e.label) for e in cleaned.entities] == [
        ("Anna", "PER"),
        ("Rome", "LOC"),
    ]


def test_entity_that_clean_up_removes_is_an_error() -> None:
    row = annotated("a <!--Rome--> b", (6, 10, "LOC"))
    with pytest.raises(ValueError, match="nothing is left of the entity 6:10"):
        row.cleaned(read_document(row.text))


def test_entity_in_two_blocks_is_an_error() -> None:
    row = annotated("Anna\n\nRome", (0, 10, "LOC"))
    with pytest.raises(ValueError, match="the entity 0:10 is in two blocks"):
        row.cleaned(read_document(row.text))


def test_strata_are_the_labels_that_occur() -> None:
    assert annotated("Anna, Anna", (0, 4, "PER"), (6, 10, "PER")).stratum == "en/news/PER"
    assert annotated("nobody").stratum == "en/news/none"


def test_schema_of_a_model() -> None:
    kinds = {"start": pa.int64(), "end": pa.int64(), "label": pa.string()}
    entity = pa.struct([pa.field(name, kind, nullable=False) for name, kind in kinds.items()])
    schema = arrow_schema(AnnotatedText)
    assert schema.names == ["text", "language", "domain", "entities"]
    assert schema.field("text") == pa.field("text", pa.string(), nullable=False)
    assert schema.field("entities").type == pa.list_(pa.field("element", entity, nullable=False))


def test_schema_of_values_that_may_be_missing_and_of_what_has_no_form() -> None:
    class Some(BaseModel):
        score: float | None
        kind: Literal["a"] | None

    class Other(BaseModel):
        value: object

    assert arrow_schema(Some).field("score") == pa.field("score", pa.float64(), nullable=True)
    assert arrow_schema(Some).field("kind").type == pa.string()
    with pytest.raises(TypeError, match=r"Other\.value"):
        arrow_schema(Other)
