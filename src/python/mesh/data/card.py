"""The data card: the content of a version of features, for people and for programs."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mesh.data.features import Feature, Prepared
from mesh.data.splitting import SPLITS, TRAIN
from mesh.nlp.words import words

CARD_FILE = "data_card.json"
PAGE_FILE = "data_card.md"
EXAMPLES_PER_LABEL = 3
NO_LABEL = "(none)"

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

    @classmethod
    def of(
        cls, prepared: Prepared, *, project: str, raw_version: str, settings: Mapping[str, Any]
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
        lines += ["", "## Dropped", ""]
        lines += [f"- {kind}: {count}" for kind, count in self.left_out.items()] or ["Nothing."]
        for plot in plots:
            lines += ["", f"![{plot}]({plot})"]
        for label, texts in self.examples.items():
            lines += ["", f"## Examples of {label}", ""]
            lines += [f"    {' '.join(text.split())}" for text in texts]
        lines += ["", "## Settings", ""]
        lines += [f"- {name}: {value}" for name, value in self.settings.items()]
        return "\n".join(lines) + "\n"


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
