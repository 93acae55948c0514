"""What int8 may change of the answers to the stored inputs."""

from dataclasses import replace
from typing import Any

import pytest

from mesh.lifecycle.regression import share_of_same
from tiny_training import OPINIONS

WORDS = replace(OPINIONS, answers=set)


@pytest.mark.parametrize(
    ("expected", "actual", "share"),
    [
        (["ab", "cd"], ["ba", "cd"], 1),
        (["ab", "cd"], ["ab", "cx"], 0.75),
        (["ab", ""], ["abcd", ""], 0.5),
        (["ab"], [""], 0),
        (["", ""], ["", ""], 1),
        ([""], ["a"], 0),
    ],
)
def test_answers_that_are_in_both_predictions_count(
    expected: list[str], actual: list[str], share: float
) -> None:
    assert share_of_same(WORDS, expected, actual, 0.05) == share


def test_without_answers_each_score_counts() -> None:
    expected: list[Any] = [[0.5, 1.0], [0.2, 0.3]]
    assert share_of_same(OPINIONS, expected, [[0.54, 0.96], [0.2, 0.3]], 0.05) == 1
    assert share_of_same(OPINIONS, expected, [[0.54, 0.96], [0.2, 0.4]], 0.05) == 0.5
