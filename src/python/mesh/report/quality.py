"""The parts of a report on what a version can do: scores, curves and errors."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mesh.lifecycle.training.details import Calibration, Curve, Details, Matrix, WrongRow
from mesh.report.content import Content
from mesh.report.figures import draw_diagonal, draw_lines, figure
from mesh.report.markup import Html, element, facts, join, paragraph, scrolling, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN_ERRORS = 10
_MEANINGS = {
    "accuracy": "fraction of the texts whose class is right",
    "macro_f1": "mean of the classes' F1, in which every class counts alike",
    "precision": "fraction of the entities found that are right as a whole",
    "recall": "fraction of the entities in the texts that were found as a whole",
    "f1": "harmonic mean of precision and recall",
}
_SLICES = {
    "per_domain": "By domain",
    "per_language": "By language",
    "per_length": "By length of the text",
}
NO_DETAILS = (
    "Curves, matrix and wrong rows are not stored with this version: it is from before they were, or no "
    "labelled rows are its project's. A new training stores them."
)


def scores_part(content: Content) -> Html:
    """All scores of the test split, by class and by slice, and those of held-out sets."""
    scores = content.scores
    if not scores:
        return paragraph(
            "No scores are recorded with this version: its network was registered as it is, and no "
            "labelled rows are its project's."
        )
    rows = f"{scores['rows']} rows of the test split"
    named = [(name, scores[name]) for name in _MEANINGS if name in scores]
    parts: list[Html] = [
        table(
            f"Scores on the {rows}",
            ("score", "value", "meaning"),
            [(name, f"{value:.3f}", _MEANINGS[name]) for name, value in named],
        ),
        table(
            f"By {'class' if 'accuracy' in scores else 'entity type'}",
            ("", "precision", "recall", "F1", "rows" if "accuracy" in scores else "entities"),
            [
                (
                    label,
                    *(f"{one[key]:.3f}" for key in ("precision", "recall", "f1")),
                    f"{one['support']}",
                )
                for label, one in scores["per_label"].items()
            ],
        ),
        *(_slices(title, scores[kind]) for kind, title in _SLICES.items() if scores.get(kind)),
    ]
    if held_out := content.version.card.metrics.get("held_out"):
        parts.append(_held_out(held_out))
    return join(parts)


def _slices(title: str, found: Mapping[str, Mapping[str, float]]) -> Html:
    score = "f1" if "f1" in next(iter(found.values())) else "accuracy"
    return table(
        title,
        ("slice", "rows", "F1" if score == "f1" else score, ""),
        [
            (name, f"{one['rows']}", f"{one[score]:.3f}", _bar(one[score]))
            for name, one in found.items()
        ],
    )


def _bar(fraction: float) -> Html:
    """A bar that repeats the number beside it."""
    bar = element("span", style=f"width:{100 * fraction:.0f}%")
    return element("span", bar, class_="bar", aria_hidden="true")


def _held_out(sets: Mapping[str, Mapping[str, Any]]) -> Html:
    names = [name for name in _MEANINGS if any(name in found for found in sets.values())]
    return table(
        "Sets that no version is trained on",
        ("set", "rows", *names),
        [
            (
                name,
                str(found.get("rows", "")),
                *(f"{found[one]:.3f}" if one in found else "" for one in names),
            )
            for name, found in sets.items()
        ],
    )


def training_part(content: Content) -> Html:
    """Curves of loss and score over the epochs."""
    return training_curves({content.version.reference: content})


def training_curves(contents: Mapping[str, Content]) -> Html:
    """The curves of one version, or of several in the same plots."""
    losses, scores = {}, {}
    for reference, content in contents.items():
        epochs = content.epochs
        mark = f" of {reference}" if len(contents) > 1 else ""
        across = [one.get("epoch", number) for number, one in enumerate(epochs, start=1)]
        for key, title in (("loss", "training"), ("eval_loss", "validation")):
            if epochs and all(key in one for one in epochs):
                losses[f"{title}{mark}"] = (across, [one[key] for one in epochs])
        if epochs:
            scores[f"validation{mark}"] = (across, [one["eval_score"] for one in epochs])
    if not scores:
        return paragraph("No training is recorded: the network was registered as it is.")
    score = "macro-F1" if next(iter(contents.values())).task == "text-classification" else "F1"
    return join(
        figure(
            f"training-{key}",
            caption,
            partial(_draw_epochs, lines=lines, y=y),
            ("epoch", *lines),
            _by_epoch(lines),
        )
        for key, caption, y, lines in (
            ("loss", "Loss after each epoch", "loss", losses),
            ("score", f"{score} on the validation split after each epoch", score, scores),
        )
        if lines
    )


def _draw_epochs(
    axes: "Axes", lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], y: str
) -> None:
    draw_lines(axes, lines, x="epoch", y=y, marker="o")
    axes.set_xticks(sorted({epoch for across, _ in lines.values() for epoch in across}))


def _by_epoch(lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> list[list[str]]:
    epochs = sorted({epoch for across, _ in lines.values() for epoch in across})
    by_line = [dict(zip(across, up, strict=True)) for across, up in lines.values()]
    return [
        [f"{epoch:g}", *(f"{found[epoch]:.4f}" if epoch in found else "" for found in by_line)]
        for epoch in epochs
    ]


def matrix_table(matrix: Matrix, caption: str) -> Html:
    """True by predicted labels; the shade of a cell is its fraction of the true label's rows."""
    head = element(
        "tr",
        element("th", "true \\ predicted", scope="col"),
        *(element("th", label, scope="col") for label in matrix.labels),
    )
    rows = []
    for label, counts in zip(matrix.labels, matrix.counts, strict=True):
        total = sum(counts)
        cells = (
            element("td", f"{count}", style=f"--share:{100 * count / total if total else 0:.0f}%")
            for count in counts
        )
        rows.append(element("tr", element("th", label, scope="row"), *cells))
    whole = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", *rows),
        class_="matrix",
    )
    return scrolling(whole, caption)


def curves_part(details: Details, *, name: str = "curves") -> Html:
    """Precision over recall of each label, and calibration."""
    return join((_precision_recall(details, name), _calibration(details, name)))


def _precision_recall(details: Details, name: str) -> Html:
    curves = {label: curve for label, curve in details.curves.items() if curve.support}
    caption = (
        f"Precision over recall of {details.unit}, from the surest predictions to all of them. The table "
        "has the precision at which so many are found."
    )
    recalls = (0.5, 0.8, 0.9)
    return figure(
        f"{name}-precision",
        caption,
        partial(_draw_precision, curves=curves),
        ("", "mean precision", *(f"at recall {recall:g}" for recall in recalls)),
        [
            (
                label,
                f"{curve.average_precision:.3f}",
                *(_precision_at(curve, one) for one in recalls),
            )
            for label, curve in curves.items()
        ],
    )


def _draw_precision(axes: "Axes", curves: Mapping[str, Curve]) -> None:
    lines = {
        f"{label} ({curve.average_precision:.2f})": (curve.recall, curve.precision)
        for label, curve in curves.items()
    }
    draw_lines(axes, lines, x="recall", y="precision")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)


def _precision_at(curve: Curve, recall: float) -> str:
    reached = [
        precision
        for precision, found in zip(curve.precision, curve.recall, strict=True)
        if found >= recall
    ]
    return f"{max(reached):.3f}" if reached else "never"


def _calibration(details: Details, name: str) -> Html:
    found = details.calibration
    caption = (
        f"Calibration: how many of the {details.unit} that the network is so sure of are right; on the "
        f"dashed line, as many as it says. The mean distance is {found.expected_calibration_error:.3f}."
    )
    return figure(
        f"{name}-calibration",
        caption,
        partial(_draw_calibration, found=found),
        ("probability", "fraction that is right", details.unit),
        [(f"{one.confidence:.2f}", f"{one.accuracy:.2f}", f"{one.rows}") for one in found.bins],
    )


def _draw_calibration(axes: "Axes", found: Calibration) -> None:
    draw_diagonal(axes)
    line = [one.confidence for one in found.bins], [one.accuracy for one in found.bins]
    draw_lines(axes, {"": line}, x="probability", y="fraction that is right", marker="o")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)


def errors_part(details: Details) -> Html:
    """The worst errors with their texts."""
    worst = details.wrong[:_SHOWN_ERRORS]
    if not worst:
        return paragraph(f"None of the {details.rows} rows of the test split is wrong.")
    return join(
        (
            paragraph(
                f"{len(details.wrong)} of the {details.rows} rows are wrong. These are the ones in which "
                "the network was surest of what is wrong."
            ),
            element("ol", *map(_error, worst), class_="errors"),
        )
    )


def _error(one: WrongRow) -> Html:
    return element(
        "li",
        element("blockquote", one.text, dir="auto", lang=one.language),
        facts(
            (
                ("true", one.true),
                ("predicted", one.predicted),
                ("domain", one.domain),
                ("wrongness", f"{one.wrongness:.2f}"),
            )
        ),
    )
