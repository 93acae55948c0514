"""Matrices, curves and wrong rows compared with what is worked out by hand."""

import numpy as np
import pytest

from mesh.data.dataset import AnnotatedText, ClassifiedText
from mesh.lifecycle.training.details import (
    Details,
    FoundEntity,
    class_details,
    entity_details,
)
from mesh.lifecycle.training.slices import length_of, scores_by_slice


def text(content: str, label: str = "", domain: str = "review") -> ClassifiedText:
    return ClassifiedText(text=content, label=label, language="en", domain=domain)


def entity(start: int, end: int, label: str, score: float = 0.9) -> FoundEntity:
    return FoundEntity(start=start, end=end, label=label, score=score)


def classes(probability_of_good: list[float], true: list[int]) -> Details:
    rows = [text(f"row {number}", ("bad", "good")[label]) for number, label in enumerate(true)]
    good = np.array(probability_of_good)
    return class_details(rows, ("bad", "good"), np.array(true), np.column_stack([1 - good, good]))


def test_matrix_and_wrong_rows_of_classes() -> None:
    details = classes([0.9, 0.6, 0.2, 0.7], [1, 0, 0, 0])
    assert details.matrix.counts == ((1, 2), (0, 1))
    assert [(one.text, one.wrongness, one.true) for one in details.wrong] == [
        ("row 3", 0.7, "bad"),
        ("row 1", 0.6, "bad"),
    ]
    assert details.wrong[0].predicted == "good 0.70, bad 0.30"
    assert len({one.row for one in details.wrong}) == 2


def test_curve_takes_the_surest_predictions_first_and_equal_ones_together() -> None:
    curve = classes([0.9, 0.8, 0.8, 0.1], [1, 0, 1, 1]).curves["good"]
    assert curve.precision == (1, 0.6667, 0.75)
    assert curve.recall == (0.3333, 0.6667, 1)
    assert curve.support == 3
    assert curve.average_precision == pytest.approx((1 + 2 / 3 + 3 / 4) / 3, abs=1e-4)


def test_curve_is_short_whatever_the_number_of_rows() -> None:
    good = np.linspace(0.01, 0.99, 5000).tolist()
    curve = classes(good, [number % 2 for number in range(5000)]).curves["good"]
    assert len(curve.precision) == len(curve.recall) == 101
    assert curve.recall[-1] == 1


def test_label_without_rows_has_a_curve_of_no_recall() -> None:
    curve = classes([0.2, 0.1], [0, 0]).curves["good"]
    assert (curve.support, curve.average_precision, set(curve.recall)) == (0, 0, {0})


def test_entities_are_right_as_a_whole() -> None:
    rows = [
        AnnotatedText(text=content, language="en", domain="news", entities=())
        for content in ("Ann saw Rome today", "nothing here", "Bob")
    ]
    true = [[entity(0, 3, "PER"), entity(8, 12, "LOC")], [], [entity(0, 3, "PER", 0.6)]]
    found = [[entity(0, 3, "PER"), entity(8, 12, "PER", 0.7)], [entity(0, 7, "LOC", 0.8)], []]
    details = entity_details(rows, true, found)
    assert details.matrix.labels == ("LOC", "PER", "none")
    assert details.matrix.counts == ((0, 1, 0), (0, 1, 1), (1, 0, 0))
    assert details.curves["PER"].precision == (1, 0.5)
    assert details.curves["PER"].recall == (0.5, 0.5)
    assert details.curves["LOC"].recall == (0,)
    assert [one.text for one in details.wrong] == ["Ann saw Rome today", "nothing here", "Bob"]
    assert [one.wrongness for one in details.wrong] == [1.6, 0.8, 0.6]
    assert details.wrong[0].true == "PER 'Ann', LOC 'Rome'"
    assert details.wrong[2].predicted == "none"
    assert [each.rows for each in details.calibration.bins] == [1, 1, 1]


def test_nothing_found_and_nothing_to_find() -> None:
    rows = [AnnotatedText(text="nothing", language="en", domain="news", entities=())]
    details = entity_details(rows, [[]], [[]])
    assert (details.wrong, details.curves, details.calibration.bins) == ((), {}, ())
    assert details.matrix.counts == ((0,),)


def test_texts_of_few_wrong_rows_are_stored_in_part() -> None:
    rows = [text(f"{number} {'long ' * 200}", "bad") for number in range(300)]
    probabilities = np.tile([0.2, 0.8], (300, 1))
    details = class_details(rows, ("bad", "good"), np.zeros(300, dtype=int), probabilities)
    assert [bool(one.text) for one in details.wrong] == [True] * 200 + [False] * 100
    assert max(len(one.text) for one in details.wrong) == 501


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("?!", "0 to 9 words"),
        ("Fine.", "0 to 9 words"),
        ("word " * 9, "0 to 9 words"),
        ("word " * 10, "10 to 24 words"),
        ("word, " * 24, "10 to 24 words"),
        ("word " * 25, "25 to 49 words"),
        ("word " * 99, "50 to 99 words"),
        ("word " * 100, "100 words or more"),
        ("word " * 5000, "100 words or more"),
    ],
)
def test_length_of_a_text(content: str, expected: str) -> None:
    assert length_of(content) == expected


def test_every_row_is_in_one_slice_of_each_kind_in_order() -> None:
    rows = [
        text("word " * count, domain=domain) for count, domain in ((100, "b"), (3, "a"), (30, "b"))
    ]
    found = scores_by_slice(rows, lambda some: {"sum": sum(some)})
    assert found == {
        "per_domain": {"a": {"rows": 1, "sum": 1}, "b": {"rows": 2, "sum": 2}},
        "per_language": {"en": {"rows": 3, "sum": 3}},
        "per_length": {
            "0 to 9 words": {"rows": 1, "sum": 1},
            "25 to 49 words": {"rows": 1, "sum": 2},
            "100 words or more": {"rows": 1, "sum": 0},
        },
    }
    assert list(found["per_length"]) == ["0 to 9 words", "25 to 49 words", "100 words or more"]
