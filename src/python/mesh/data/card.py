"""The data card: the content of a version of features, as JSON, as a page and in plots."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from mesh.data.features import Feature, Prepared
from mesh.data.splitting import SPLITS, TRAIN
from mesh.nlp.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CARD_FILE = "data_card.json"
PAGE_FILE = "data_card.md"
LABELS_PLOT = "plots/labels.png"
LENGTHS_PLOT = "plots/lengths.png"
EXAMPLES_PER_LABEL = 3
NO_LABEL = "(none)"

_BINS = 30

Counts = dict[str, dict[str, int]]
"""Counts by split and value."""


class Lengths(BaseModel):
    """Numbers of words in texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shortest: int
    median: float
    mean: float
    longest: int


class DataCard(BaseModel):
    """The content of a version of features.

    Args:
        rows: the number of kept rows by split.
        labels: labels by split, as often as they occur; rows without one count once as `(none)`.
        left_out: the number of dropped rows by reason.
        largest_cluster: rows of the largest group of similar texts.
        examples: some training texts of each label.
        settings: of the program that made it.
        account: what became of the rows in each program, without examples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    project: str
    raw_version: str
    rows: dict[str, int]
    labels: Counts
    languages: Counts
    domains: Counts
    words: dict[str, Lengths]
    left_out: dict[str, int]
    clusters: int
    largest_cluster: int
    examples: dict[str, list[str]]
    settings: dict[str, Any]
    account: dict[str, Any] = {}

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        *,
        project: str,
        raw_version: str,
        settings: Mapping[str, Any],
        account: Mapping[str, Any],
    ) -> "DataCard":
        """Describe prepared rows, of which every split has some."""
        by_split = {
            split: [feature for feature in prepared.features if feature.split == split]
            for split in SPLITS
        }
        clusters = Counter(feature.cluster for feature in prepared.features)
        return cls(
            project=project,
            raw_version=raw_version,
            rows={split: len(features) for split, features in by_split.items()},
            labels=_counts(by_split, lambda feature: feature.row.labels or (NO_LABEL,)),
            languages=_counts(by_split, lambda feature: (feature.row.language,)),
            domains=_counts(by_split, lambda feature: (feature.row.domain,)),
            words={split: _lengths(features) for split, features in by_split.items()},
            left_out=dict(sorted(prepared.left_out.items())),
            clusters=len(clusters),
            largest_cluster=max(clusters.values()),
            examples=_examples(by_split[TRAIN]),
            settings=dict(settings),
            account=dict(account),
        )

    def page(self, plots: Sequence[str]) -> str:
        """The card as a Markdown page.

        Args:
            plots: paths of plots beside the page.
        """
        lines = [
            f"# Data of {self.project}",
            "",
            f"Made from raw version `{self.raw_version}`: {sum(self.rows.values())} rows in {self.clusters} groups of "
            f"similar texts. The largest group has {self.largest_cluster} rows. No group is in two splits.",
        ]
        lines += _table("Rows", {split: {"rows": count} for split, count in self.rows.items()})
        lines += _table("Labels", self.labels)
        lines += _table("Languages", self.languages)
        lines += _table("Domains", self.domains)
        lines += _table(
            "Words in a text", {key: value.model_dump() for key, value in self.words.items()}
        )
        for program, found in self.account.items():
            lines += _account(program, found)
        for plot in plots:
            lines += ["", f"![{plot}]({plot})"]
        for label, texts in self.examples.items():
            lines += ["", f"## Examples of {label}", ""]
            lines += [f"    {' '.join(text.split())}" for text in texts]
        lines += ["", "## Settings", ""]
        lines += [f"- {name}: {value}" for name, value in self.settings.items()]
        return "\n".join(lines) + "\n"


def _account(program: str, found: Mapping[str, Any]) -> list[str]:
    """The numbers of rows in a program, and its warnings."""
    lines = ["", f"## Rows in {program}", "", "| rows | number |", "|---|---|"]
    lines += [f"| {name} | {found[name]} |" for name in ("read", "taken", "changed")]
    lines += [
        f"| dropped: {reason.replace('|', '/')} | {count} |"
        for reason, count in found["dropped"].items()
    ]
    return [*lines, *(line for warning in found["warnings"] for line in ("", f"{warning}."))]


def _counts(by_split: Mapping[str, Sequence[Feature]], values: Any) -> Counts:
    return {
        split: dict(sorted(Counter(value for feature in features for value in values(feature)).items()))
        for split, features in by_split.items()
    }  # fmt: skip


def _lengths(features: Iterable[Feature]) -> Lengths:
    counts = [len(words(feature.row.text)) for feature in features]
    return Lengths(
        shortest=min(counts),
        median=statistics.median(counts),
        mean=round(statistics.fmean(counts), 1),
        longest=max(counts),
    )


def _examples(features: Iterable[Feature]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for feature in features:
        for label in sorted(set(feature.row.labels)) or [NO_LABEL]:
            texts = found.setdefault(label, [])
            if len(texts) < EXAMPLES_PER_LABEL:
                texts.append(feature.row.text)
    return dict(sorted(found.items()))


def _table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    columns = sorted({name for values in rows.values() for name in values})
    if all(list(values) == list(next(iter(rows.values()))) for values in rows.values()):
        columns = list(next(iter(rows.values())))
    lines = ["", f"## {title}", "", f"| split | {' | '.join(columns)} |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for name, values in rows.items():
        cells = " | ".join(str(values.get(column, 0)) for column in columns)
        lines.append(f"| {name} | {cells} |")
    return lines


def write_plots(card: DataCard, prepared: Prepared, folder: Path) -> list[str]:
    """Draw the fractions of labels and the lengths of texts by split; return the paths."""
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
