"""What counts as the same answer of two implementations."""

import pytest

from benchmarks.answers import (
    Entity,
    check_entities,
    check_most_same,
    check_sentiments,
    label,
    places,
)
from mesh.core.errors import MeshError

PARIS = Entity("LOC", 10, 15, 0.9812)
OURS = Entity("LOC", 10, 15, 0.9808)
SIEMENS = Entity("ORG", 0, 7, 0.9)


@pytest.mark.parametrize("own", [[PARIS], [OURS]], ids=["equal", "score within the tolerance"])
def test_same_entities_pass(own: list[Entity]) -> None:
    check_entities("mesh", [[PARIS]], [own])


@pytest.mark.parametrize(
    "own",
    [
        [],
        [SIEMENS],
        [PARIS, SIEMENS],
        [PARIS._replace(end=16)],
        [PARIS._replace(label="ORG")],
        [PARIS._replace(score=0.97)],
    ],
    ids=["none", "another", "one more", "another end", "another type", "another score"],
)
def test_other_entities_are_refused(own: list[Entity]) -> None:
    with pytest.raises(MeshError, match=r"'mesh' finds other entities in 1 of 2 texts"):
        check_entities("mesh", [[PARIS], []], [own, []])


def test_a_few_of_many_texts_may_have_other_entities() -> None:
    check_entities("mesh", [[PARIS]] * 40, [[PARIS]] * 38 + [[], []])
    with pytest.raises(MeshError, match="in 3 of 40 texts"):
        check_entities("mesh", [[PARIS]] * 40, [[PARIS]] * 37 + [[], [], []])


def test_same_probabilities_pass() -> None:
    check_sentiments(
        "mesh", [{"negative": 0.2, "positive": 0.8}], [{"positive": 0.8005, "negative": 0.1995}]
    )


@pytest.mark.parametrize(
    "own", [{"negative": 0.21, "positive": 0.79}, {"negative": 0.2}, {}], ids=str
)
def test_other_probabilities_are_refused(own: dict[str, float]) -> None:
    with pytest.raises(MeshError, match="'mesh' finds .* instead of"):
        check_sentiments("mesh", [{"negative": 0.2, "positive": 0.8}], [own])


def test_a_lower_precision_may_give_few_other_answers() -> None:
    sentence = check_most_same("int8", "entities", ["a"] * 10, ["a"] * 9 + ["b"])
    assert sentence == "'int8' finds the same entities in 9 of 10 texts."
    with pytest.raises(MeshError, match="'int8' finds the same entities in 8 of 10 texts"):
        check_most_same("int8", "entities", ["a"] * 10, ["a"] * 8 + ["b"] * 2)


def test_answers_of_a_lower_precision_have_no_scores() -> None:
    assert places([PARIS]) == places([PARIS._replace(score=0.5)]) != places([SIEMENS])
    theirs, same, other = ({"negative": share, "positive": 1 - share} for share in (0.2, 0.4, 0.6))
    assert label(theirs) == label(same) == "positive"
    assert label(other) == "negative"
