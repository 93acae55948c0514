"""What is stored with a version for its report, beside the scores of its card.

It is the file `evaluation/details.json`: matrix and curves of the test split, and its wrong rows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from mesh.core.digest import fingerprint
from mesh.lifecycle.training.scores import calibration, confusion_matrix

DETAILS_FILE = "details.json"
NO_ENTITY = "none"
"""The class, in the matrix of entities, of what is no entity or wasn't found."""

_POINTS = 101
"""Most points of a curve."""
_TEXTS = 200
"""Wrong rows whose text is stored; of the others, only their digests."""
_CHARACTERS = 500
"""Most characters of a stored text."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Curve(_Stored):
    """Precision over recall of a label, from the surest predictions to all of them."""

    precision: tuple[float, ...]
    recall: tuple[float, ...]
    average_precision: float
    support: int


class Matrix(_Stored):
    """Counts of true (rows) by predicted labels (columns)."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Bin(_Stored):
    """Predictions of nearly the same probability: its mean, and the fraction that is right."""

    confidence: float
    accuracy: float
    rows: int


class Calibration(_Stored):
    """How far probabilities are from being right as often as they say."""

    expected_calibration_error: float
    bins: tuple[Bin, ...]


class FoundEntity(_Stored):
    """An entity `text[start:end]`; `score` is the mean probability of its words' predictions."""

    start: int
    end: int
    label: str
    score: float


class WrongRow(_Stored):
    """A row whose prediction is wrong.

    Args:
        row: digest of the row, by which versions are compared.
        wrongness: how sure the network was of what is wrong; the worst row has the highest.
        text: its first characters; empty where too many rows are wrong.
        true: class, or entities, in words.
        predicted: the same with probabilities.
    """

    row: str
    wrongness: float
    text: str
    domain: str
    language: str
    true: str
    predicted: str


class Details(_Stored):
    """Matrix, curves and wrong rows of the test split.

    Args:
        unit: what is counted.
        wrong: the worst row first.
    """

    schema_version: Literal[1] = 1
    unit: Literal["texts", "entities"]
    rows: int
    matrix: Matrix
    curves: dict[str, Curve]
    calibration: Calibration
    wrong: tuple[WrongRow, ...]


def class_details(
    rows: Sequence[Any],
    labels: Sequence[str],
    true: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> Details:
    """The details of texts with one class each.

    Args:
        true: the number of each row's class.
        probabilities: (rows, labels).
    """
    predicted = probabilities.argmax(axis=1)
    counts = confusion_matrix(true, predicted, len(labels))
    wrong = [
        _wrong_row(
            rows[number],
            float(1 - probabilities[number, true[number]]),
            str(labels[true[number]]),
            ", ".join(
                f"{labels[label]} {probabilities[number, label]:.2f}"
                for label in np.argsort(-probabilities[number])
            ),
        )
        for number in np.flatnonzero(predicted != true).tolist()
    ]
    return Details(
        unit="texts",
        rows=len(rows),
        matrix=Matrix(labels=tuple(labels), counts=tuple(map(tuple, counts.tolist()))),
        curves={
            label: _curve(probabilities[:, number], true == number, int((true == number).sum()))
            for number, label in enumerate(labels)
        },
        calibration=Calibration.model_validate(
            calibration(predicted == true, probabilities.max(axis=1))
        ),
        wrong=_worst_first(wrong),
    )


def entity_details(
    rows: Sequence[Any],
    true: Sequence[Sequence[FoundEntity]],
    predicted: Sequence[Sequence[FoundEntity]],
) -> Details:
    """The details of texts with entities.

    Args:
        true: each row's entities, with the probability of what was predicted for their words.
        predicted: each row's entities by the network.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    found: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    support: Counter[str] = Counter()
    wrong = []
    for row, expected, answers in zip(rows, true, predicted, strict=True):
        labels = {(each.start, each.end): each.label for each in expected}
        guesses = {(each.start, each.end): each.label for each in answers}
        for span in {**labels, **guesses}:
            pairs[labels.get(span, NO_ENTITY), guesses.get(span, NO_ENTITY)] += 1
        support.update(labels.values())
        for each in answers:
            found[each.label].append((each.score, labels.get((each.start, each.end)) == each.label))
        if labels != guesses:
            wrong.append(_wrong_entities(row, expected, answers))
    names = (*sorted({*support, *found}), NO_ENTITY)
    scored = [one for some in found.values() for one in some]
    return Details(
        unit="entities",
        rows=len(rows),
        matrix=Matrix(
            labels=names,
            counts=tuple(tuple(pairs[one, other] for other in names) for one in names),
        ),
        curves={
            label: _curve(
                np.array([score for score, _ in found[label]]),
                np.array([right for _, right in found[label]], dtype=bool),
                support[label],
            )
            for label in names[:-1]
        },
        calibration=_calibration_of(scored),
        wrong=_worst_first(wrong),
    )


def _calibration_of(scored: Sequence[tuple[float, bool]]) -> Calibration:
    """Of predictions' probabilities, and whether they are right."""
    if not scored:
        return Calibration(expected_calibration_error=0.0, bins=())
    found = calibration(
        np.array([right for _, right in scored]), np.array([score for score, _ in scored])
    )
    return Calibration.model_validate(found)


def _curve(scores: NDArray[np.float64], right: NDArray[np.bool_], support: int) -> Curve:
    """Precision and recall of the surest predictions, as more and more of them are taken.

    Args:
        scores: probabilities of the label.
        right: whether the label is true.
        support: how often it is true, found or not.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(right[order])
    # Predictions of one probability are taken together.
    ends = np.flatnonzero(np.diff(ranked, append=-1.0))
    hits = hits[ends]
    precision = hits / (ends + 1)
    recall = hits / support if support else np.zeros(len(hits))
    average = float(np.sum(np.diff(recall, prepend=0) * precision))
    kept = np.unique(np.linspace(0, len(hits) - 1, min(_POINTS, len(hits))).astype(int))
    return Curve(
        precision=tuple(precision[kept].round(4).tolist()),
        recall=tuple(recall[kept].round(4).tolist()),
        average_precision=round(average, 4),
        support=support,
    )


def _wrong_entities(
    row: Any, expected: Sequence[FoundEntity], answers: Sequence[FoundEntity]
) -> WrongRow:
    spans = [{(each.start, each.end, each.label) for each in some} for some in (expected, answers)]
    wrongness = sum(
        each.score
        for each in (*expected, *answers)
        if ((each.start, each.end, each.label) in spans[0])
        != ((each.start, each.end, each.label) in spans[1])
    )
    return _wrong_row(
        row,
        wrongness,
        _in_words(f"{each.label} {row.text[each.start : each.end]!r}" for each in expected),
        _in_words(
            f"{each.label} {row.text[each.start : each.end]!r} {each.score:.2f}" for each in answers
        ),
    )


def _in_words(entities: Iterable[str]) -> str:
    return ", ".join(entities) or NO_ENTITY


def _wrong_row(row: Any, wrongness: float, true: str, predicted: str) -> WrongRow:
    return WrongRow(
        row=fingerprint(row.model_dump(mode="json"))[:16],
        wrongness=round(wrongness, 4),
        text=row.text if len(row.text) <= _CHARACTERS else f"{row.text[:_CHARACTERS]}…",
        domain=row.domain,
        language=row.language,
        true=true[:_CHARACTERS],
        predicted=predicted[:_CHARACTERS],
    )


def _worst_first(wrong: Sequence[WrongRow]) -> tuple[WrongRow, ...]:
    ordered = sorted(wrong, key=lambda each: -each.wrongness)
    return (
        *ordered[:_TEXTS],
        *(each.model_copy(update={"text": ""}) for each in ordered[_TEXTS:]),
    )
