"""Plots for the data card."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.data.card import DataCard
from mesh.data.features import Prepared
from mesh.data.splitting import SPLITS
from mesh.nlp.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS_PLOT = "plots/labels.png"
LENGTHS_PLOT = "plots/lengths.png"
_BINS = 30


def write_plots(card: DataCard, prepared: Prepared, folder: Path) -> list[str]:
    """Draw the fractions of labels and the lengths of texts by split; return the paths in the folder."""
    from matplotlib.figure import Figure

    (folder / LABELS_PLOT).parent.mkdir(exist_ok=True)
    figure = Figure(figsize=(8, 4), layout="constrained")
    _draw_labels(figure.subplots(), card.labels)
    figure.savefig(folder / LABELS_PLOT, dpi=100)
    figure = Figure(figsize=(8, 4), layout="constrained")
    _draw_lengths(figure.subplots(), prepared)
    figure.savefig(folder / LENGTHS_PLOT, dpi=100)
    return [LABELS_PLOT, LENGTHS_PLOT]


def _draw_labels(axes: "Axes", counts: Mapping[str, Mapping[str, int]]) -> None:
    """Grouped bars: the fraction of each label in a split."""
    labels = sorted({label for split in counts.values() for label in split})
    width = 0.8 / len(counts)
    for number, (split, found) in enumerate(counts.items()):
        total = sum(found.values())
        places = [place + (number - (len(counts) - 1) / 2) * width for place in range(len(labels))]
        heights = [100 * found.get(label, 0) / total for label in labels]
        bars = axes.bar(places, heights, width, label=f"{split} ({total})")
        axes.bar_label(bars, fmt="%.0f", fontsize=8)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylabel("% of the split's labels")
    axes.set_title("Labels")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_lengths(axes: "Axes", prepared: Prepared) -> None:
    """Outlined histograms on common bins, as fractions, since the splits differ in size."""
    lengths = {
        split: [len(words(feature.row.text)) for feature in prepared.features if feature.split == split]
        for split in SPLITS
    }  # fmt: skip
    longest = max(max(found) for found in lengths.values())
    step = max(longest / _BINS, 1)
    edges = [number * step for number in range(_BINS + 2)]
    for split, found in lengths.items():
        axes.hist(
            found, bins=edges, histtype="step", linewidth=1.5, label=split,
            weights=[100 / len(found)] * len(found),
        )  # fmt: skip
    axes.set_xlim(0, longest + step)
    axes.set_xlabel("words")
    axes.set_ylabel("% of the split's texts")
    axes.set_title("Lengths of texts")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
