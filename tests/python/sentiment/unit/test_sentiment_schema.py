import pytest
from pydantic import ValidationError

from sentiment.recipe import answers, differences
from sentiment.schema import Request


def entity(**values):
    return {"inputs": [{"document": "Rome", "entities": [{"entity_text": "Rome", **values}]}]}


def test_entities_of_ner_are_accepted():
    Request.model_validate(entity(entity_type="LOC", score=0.9, sentence_index=0, start=0, end=4))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (entity(start=0), "belong together"),
        (entity(start=3, end=3), "must be before"),
        (entity(start=0, end=5), "ends at 5, after the document's 4 characters"),
        (entity(entity_text=""), "at least 1 character"),
        ({"inputs": []}, "at least 1 item"),
        ({"inputs": [{"document": "x" * 200_000}] * 6}, "send them in several requests"),
        ({"configuration": {"language": "English"}, "inputs": [{"document": "a"}]}, "3 characters"),
        ({"configuration": {"language": "EN"}, "inputs": [{"document": "a"}]}, "pattern"),
    ],
)
def test_bad_requests_are_refused(body, problem):
    with pytest.raises(ValidationError, match=problem):
        Request.model_validate(body)


BEFORE = {"label": "neutral", "negative_prob": 0.2, "neutral_prob": 0.5, "positive_prob": 0.3}


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({}, []),
        ({"neutral_prob": 0.505}, []),
        ({"neutral_prob": 0.6}, ["neutral_prob is 0.6 instead of 0.5"]),
        ({"label": "positive"}, ["it is positive instead of neutral"]),
    ],
)
def test_differences(changes, sentences):
    assert (answers(BEFORE | changes) == {"neutral"}) is ("label" not in changes)
    assert differences(BEFORE, BEFORE | changes, 0.01) == sentences
