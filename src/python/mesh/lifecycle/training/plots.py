"""Plots of a network's scores."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_plots(scores: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw the scores; return the paths of the plots, relative to the parent of `folder`."""
    from matplotlib.figure import Figure

    drawers: dict[str, Callable[[Axes, Mapping[str, Any]], None]] = {"per_label": _draw_labels}
    if "confusion_matrix" in scores:
        drawers |= {"confusion_matrix": _draw_confusion, "calibration": _draw_calibration}
    folder.mkdir()
    paths = []
    for name, draw in drawers.items():
        figure = Figure(figsize=(6, 5), layout="constrained")
        draw(figure.subplots(), scores)
        figure.savefig(folder / f"{name}.png", dpi=100)
        paths.append(f"{folder.name}/{name}.png")
    return paths


def _draw_labels(axes: "Axes", scores: Mapping[str, Any]) -> None:
    """Grouped bars: precision, recall and F1 of each label."""
    table = scores["per_label"]
    for number, score in enumerate(("precision", "recall", "f1")):
        places = [place + (number - 1) * 0.27 for place in range(len(table))]
        bars = axes.bar(places, [row[score] for row in table.values()], 0.27, label=score)
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
    names = [f"{label} ({row['support']})" for label, row in table.items()]
    axes.set_xticks(range(len(table)), names)
    axes.set_ylim(0, 1.05)
    axes.set_title("Scores on the test split")
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_confusion(axes: "Axes", scores: Mapping[str, Any]) -> None:
    labels, matrix = list(scores["per_label"]), scores["confusion_matrix"]
    axes.imshow(matrix, cmap="Blues")
    darkest = max(max(row) for row in matrix)
    for y, row in enumerate(matrix):
        for x, count in enumerate(row):
            color = "white" if count > darkest / 2 else "black"
            axes.text(x, y, str(count), ha="center", va="center", color=color)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Confusion matrix of the test split")


def _draw_calibration(axes: "Axes", scores: Mapping[str, Any]) -> None:
    """Accuracy over confidence, with the number of rows at each point."""
    found = scores["calibration"]
    bins = found["bins"]
    axes.plot([0, 1], [0, 1], linestyle="--", color="grey", linewidth=1)
    axes.plot(
        [each["confidence"] for each in bins], [each["accuracy"] for each in bins], marker="o"
    )
    for each in bins:
        axes.annotate(
            str(each["rows"]),
            (each["confidence"], each["accuracy"]),
            textcoords="offset points",
            xytext=(4, -12),
            fontsize=8,
        )
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("probability of the predicted class")
    axes.set_ylabel("fraction that is right")
    axes.set_title(f"Calibration (expected error {found['expected_calibration_error']:.3f})")
    axes.spines[["top", "right"]].set_visible(False)
