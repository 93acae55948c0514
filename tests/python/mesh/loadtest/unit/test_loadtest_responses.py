import json

import pytest
from pydantic import BaseModel

from mesh.loadtest.plan import Exchange, PlannedRequest
from mesh.loadtest.responses import NO_REFERENCE, WRONG, ResponseCheck, difference, equal


class Prediction(BaseModel):
    word: str
    score: float


class Response(BaseModel):
    outputs: list[Prediction]


REQUEST = PlannedRequest(method="POST", path="/predict", body='{"inputs": ["a", "b"]}')


def body(*scores: float, word: str = "a") -> str:
    return json.dumps({"outputs": [{"word": word, "score": score} for score in scores]})


RIGHT = body(0.5, 0.25)


def check(reference: str | None = RIGHT) -> ResponseCheck:
    references = {} if reference is None else {0: reference}
    return ResponseCheck((REQUEST,), {"/predict": Response}, references)


def exchange(text: str | None, number: int = 0) -> Exchange:
    return Exchange(request=0, start=0, seconds=1, status=200, response=number, body=text)


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (body(0.5, 0.25), None),
        (body(0.5001, 0.2499), None),
        (body(0.25, 0.5), WRONG),
        (body(0.5, 0.25, word="b"), WRONG),
        (body(0.5), "1 outputs for 2 inputs"),
        ("{}", "not a Response: outputs: Field required"),
        ('{"outputs": [{"word": "a", "score": "0.5"}, {"word": "a", "score": 0.25}]}', "not a Res"),
        ("<html>", "not a Response: Invalid JSON"),
        ("", "not a Response: Invalid JSON"),
    ],
)
def test_responses_are_checked(text: str, failure: str | None) -> None:
    found = check().failure(exchange(text))
    assert found == failure if failure is None or found is None else found.startswith(failure)


def test_body_that_was_seen_before_is_known_by_its_number() -> None:
    checked = check()
    assert checked.failure(exchange(body(0.9, 0.9))) == WRONG
    assert checked.failure(exchange(None)) == WRONG
    assert checked.failure(exchange(body(0.5, 0.25), 1)) is None
    assert checked.failure(exchange(None, 1)) is None


@pytest.mark.parametrize("reference", [None, "{}", body(0.5)])
def test_without_a_right_response_before_the_load_nothing_is_right(reference: str | None) -> None:
    assert check(reference).failure(exchange(body(0.5, 0.25))) == NO_REFERENCE


def test_responses_without_status_200_fail() -> None:
    refused = Exchange(request=0, start=0, seconds=1, status=404)
    assert check().failure(refused) == "status 404"
    broken = Exchange(
        request=0, start=0, seconds=1, status=0, error="ConnectionRefusedError: [111]"
    )
    assert check().failure(broken) == "ConnectionRefusedError: [111]"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, 2),
        (1, 1.0),
        (True, 1),
        ("a", "b"),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        (None, 0),
        (0.5, 0.51),
    ],
)
def test_different_values_are_not_equal(expected: object, actual: object) -> None:
    assert not equal(expected, actual)
    assert not equal(actual, expected)
    assert equal(expected, expected)


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": [1, {"b": 0.5}]}, {"a": [1, {"b": 0.7}]}, "it.a[1].b is 0.7, not 0.5"),
        ({"a": 1, "b": 2}, {"a": 1}, "it has a, not a, b"),
        ({"a": 1}, {}, "it has no members, not a"),
        ([1, 2], [1], "it has 1 items, not 2"),
        ([[1], [2]], [[1], [3]], "it[1][0] is 3, not 2"),
        ("a" * 100, None, f'it is null, not "{"a" * 59}…'),
        (1, True, "it is true, not 1"),
        ({"\x9b": 1}, {"é\x1b": "\x9b"}, "it has é\\u001b, not \\u009b"),
    ],
)
def test_first_difference_is_named(expected: object, actual: object, found: str) -> None:
    assert difference(expected, actual, "it") == found
