"""Scores compared with figures worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from mesh.lifecycle.training.scores import (
    IGNORED,
    calibration,
    classification_scores,
    entity_scores,
    macro_f1,
    tag_f1,
)

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def found(predictions: object, labels: object) -> SimpleNamespace:
    """Predictions and labels in the Trainer's form."""
    return SimpleNamespace(predictions=np.array(predictions), label_ids=np.array(labels))


def test_macro_f1_weighs_classes_equally() -> None:
    # F1 is 2 * 3 / (2 * 3 + 1) of the first class, and 2 * 1 / (2 * 1 + 1) of the second.
    score = macro_f1(found([0, 0, 0, 0, 1], [0, 0, 0, 1, 1]), ("a", "b"))
    assert score == pytest.approx((6 / 7 + 2 / 3) / 2)


def test_class_that_is_never_right_counts_as_zero() -> None:
    assert macro_f1(found([0, 0], [0, 0]), ("a", "b")) == pytest.approx(1 / 2)


def test_tag_f1_counts_whole_entities_at_first_tokens() -> None:
    labels = [[IGNORED, 1, IGNORED, 2, 0, IGNORED], [IGNORED, 3, 4, 0, 1, IGNORED]]
    # One person is found, of the place only the first word, and the other person is missed.
    predictions = [[4, 1, 4, 2, 0, 4], [4, 3, 0, 0, 0, 4]]
    precision, recall = 1 / 2, 1 / 3
    assert tag_f1(found(predictions, labels), TAGS) == pytest.approx(
        2 * precision * recall / (precision + recall)
    )


def test_classes_have_a_table_and_a_matrix_of_true_by_predicted() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    scores = classification_scores([0, 0, 1, 1], probabilities, ("bad", "good"))
    assert scores["rows"] == 4
    assert scores["accuracy"] == 0.75
    assert scores["confusion_matrix"] == [[2, 0], [1, 1]]
    assert scores["per_label"] == {
        "bad": {"precision": 0.6667, "recall": 1.0, "f1": 0.8, "support": 2},
        "good": {"precision": 1.0, "recall": 0.5, "f1": 0.6667, "support": 2},
    }
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-4)


def test_entity_of_another_type_or_length_is_wrong() -> None:
    true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    predicted = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "I-LOC"]]
    scores = entity_scores(true, predicted)
    assert (scores["rows"], scores["precision"], scores["recall"]) == (2, 0.3333, 0.3333)
    assert scores["per_label"] == {
        "LOC": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 2},
        "PER": {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "support": 1},
    }


def test_calibration_error_weighs_bins_by_rows() -> None:
    correct = np.array([True, True, False, True])
    scores = calibration(correct, np.array([0.95, 1.0, 0.55, 0.56]))
    assert scores["bins"] == [
        {"confidence": 0.555, "accuracy": 0.5, "rows": 2},
        {"confidence": 0.975, "accuracy": 1.0, "rows": 2},
    ]
    assert scores["expected_calibration_error"] == pytest.approx((2 * 0.055 + 2 * 0.025) / 4)
