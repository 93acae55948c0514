"""Data without anything to learn is refused before a model is trained."""

import logging

import pytest

from mesh.core.errors import MeshError
from mesh.data.dataset import AnnotatedText, ClassifiedText
from mesh.lifecycle.training.usefulness import check_rows


def classified(*labels: str) -> list[ClassifiedText]:
    return [ClassifiedText(text="a", language="en", domain="x", label=label) for label in labels]


def annotated(*labels: str) -> AnnotatedText:
    entities = [
        {"start": at * 2, "end": at * 2 + 1, "label": each} for at, each in enumerate(labels)
    ]
    fields = {"text": "a b c", "language": "en", "domain": "x", "entities": entities}
    return AnnotatedText.model_validate(fields)


def test_one_class_only_is_refused() -> None:
    rows = {"train": classified("good", "good"), "test": classified("bad")}
    with pytest.raises(MeshError, match="All 2 training rows are 'good'"):
        check_rows(rows, ["good", "bad"], is_tagged=False)


def test_no_entity_at_all_is_refused() -> None:
    rows = {"train": [annotated(), annotated()], "test": [annotated("PER")]}
    with pytest.raises(MeshError, match="None of the 2 training rows has an entity"):
        check_rows(rows, ["PER"], is_tagged=True)


def test_labels_without_test_rows_bound_the_score(caplog: pytest.LogCaptureFixture) -> None:
    rows = {"train": classified("good", "bad"), "test": classified("good")}
    with caplog.at_level(logging.WARNING):
        check_rows(rows, ["good", "bad", "fair"], is_tagged=False)
    assert "no training row has 'fair': the model can't learn it" in caplog.text
    assert (
        "no test row has 'bad' or 'fair'; its F1 counts as 0, so macro F1 is at most 0.333"
        in caplog.text
    )


def test_useful_rows_pass_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    rows = {"train": [annotated("PER", "LOC")], "test": [annotated("LOC"), annotated("PER")]}
    with caplog.at_level(logging.WARNING):
        check_rows(rows, ["PER", "LOC"], is_tagged=True)
    assert caplog.text == ""
