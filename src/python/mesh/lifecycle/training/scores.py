"""Scores of predictions against labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

IGNORED = -100
"""The label that torch's cross entropy ignores."""


def macro_f1(found: Any, outputs: Sequence[str]) -> float:
    """Mean of the classes' F1.

    Args:
        found: the Trainer's `EvalPrediction`, with the numbers of classes as predictions.
    """
    from sklearn.metrics import f1_score

    numbers = range(len(outputs))
    score = f1_score(
        found.label_ids, found.predictions, labels=numbers, average="macro", zero_division=0
    )
    return float(score)


def tag_f1(found: Any, outputs: Sequence[str]) -> float:
    """F1 of whole entities.

    Args:
        found: the Trainer's `EvalPrediction`, with the numbers of tags as predictions.
    """
    from seqeval.metrics import f1_score

    predicted, true = [], []
    for numbers, labels in zip(found.predictions, found.label_ids, strict=True):
        counted = labels != IGNORED
        predicted.append([outputs[number] for number in numbers[counted]])
        true.append([outputs[number] for number in labels[counted]])
    return float(f1_score(true, predicted, zero_division=0))


def classification_scores(
    true: Sequence[int], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> dict[str, Any]:
    """Accuracy, macro-F1, a table by class, confusion matrix (rows: true class), calibration."""
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    predicted = probabilities.argmax(axis=1)
    numbers = range(len(labels))
    table = precision_recall_fscore_support(true, predicted, labels=numbers, zero_division=0)
    return {
        "rows": len(true),
        "accuracy": round(float(accuracy_score(true, predicted)), 4),
        "macro_f1": round(float(np.mean(table[2])), 4),
        "per_label": _table(labels, table),
        "confusion_matrix": confusion_matrix(true, predicted, len(labels)).tolist(),
        "calibration": calibration(np.asarray(true) == predicted, probabilities.max(axis=1)),
    }


def confusion_matrix(
    true: Sequence[int] | NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Counts of rows, int64 (classes, classes), by true class and predicted class."""
    from sklearn import metrics

    counts: NDArray[np.int64] = metrics.confusion_matrix(true, predicted, labels=range(classes))
    return counts


def entity_scores(true: list[list[str]], predicted: list[list[str]]) -> dict[str, Any]:
    """Precision, recall and F1 of whole entities, together and for each label, by seqeval."""
    from seqeval.metrics import classification_report

    report = classification_report(true, predicted, output_dict=True, zero_division=0)
    together = report["micro avg"]
    labels = [name for name in report if not name.endswith(" avg")]
    return {
        "rows": len(true),
        "precision": round(float(together["precision"]), 4),
        "recall": round(float(together["recall"]), 4),
        "f1": round(float(together["f1-score"]), 4),
        "per_label": _table(
            labels,
            [
                [report[label][key] for label in labels]
                for key in ("precision", "recall", "f1-score", "support")
            ],
        ),
    }


def calibration(
    correct: NDArray[np.bool_], confidence: NDArray[np.float64], bins: int = 10
) -> dict[str, Any]:
    """Expected calibration error (Naeini et al., 2015), with equally wide bins of confidence."""
    numbers = np.minimum((confidence * bins).astype(int), bins - 1)
    found = []
    for number in sorted(set(numbers.tolist())):
        inside = numbers == number
        found.append(
            {
                "confidence": round(float(confidence[inside].mean()), 4),
                "accuracy": round(float(correct[inside].mean()), 4),
                "rows": int(inside.sum()),
            }
        )
    error = sum(each["rows"] * abs(each["confidence"] - each["accuracy"]) for each in found)
    return {"expected_calibration_error": round(error / len(correct), 4), "bins": found}


def _table(labels: Sequence[str], columns: Sequence[Sequence[float]]) -> dict[str, Any]:
    precision, recall, f1, support = columns
    return {
        label: {
            "precision": round(float(precision[number]), 4),
            "recall": round(float(recall[number]), 4),
            "f1": round(float(f1[number]), 4),
            "support": int(support[number]),
        }
        for number, label in enumerate(labels)
    }
