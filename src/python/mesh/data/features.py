"""Features for training: cleaned, checked, distinct rows with ids and splits."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mesh.core.progress import track
from mesh.data.dataset import TextRow
from mesh.data.duplicates import Duplicates, find_duplicates
from mesh.data.shards import arrow_schema
from mesh.data.splitting import Fractions, assign_splits, first_by_hash
from mesh.data.validation import Rejects
from mesh.nlp.document import read_document
from mesh.nlp.language import detect_language

_ID_CHARACTERS = 32


@dataclass(frozen=True)
class Preparation:
    """How features are made.

    Args:
        near_duplicate: similarity from which one of two texts with equal labels is dropped.
        related: similarity from which texts are always in the same split.
        other_language: probability of another language from which a row is dropped.
        fractions: of the validation and the test split.
        seed: of the splits.
    """

    near_duplicate: float
    related: float
    other_language: float
    fractions: Fractions
    seed: int


@dataclass(frozen=True)
class Feature:
    """A row that is kept: its id, the id that names its cluster, its split."""

    id: str
    cluster: str
    split: str
    row: TextRow

    def fields(self) -> dict[str, Any]:
        """The fields that are stored."""
        return {"id": self.id, "cluster": self.cluster, **self.row.model_dump(mode="json")}


@dataclass(frozen=True)
class Prepared:
    """The kept rows, in the order of their ids, and the number of dropped rows by reason."""

    features: tuple[Feature, ...]
    left_out: dict[str, int]


def feature_schema(row: type[TextRow]) -> pa.Schema:
    """The schema of stored features."""
    names = [pa.field(name, pa.string(), nullable=False) for name in ("id", "cluster")]
    return pa.schema([*names, *arrow_schema(row)])


def row_id(text: str) -> str:
    """The id of a cleaned text, everywhere the same: the beginning of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_CHARACTERS]


def prepare(
    rows: Iterable[TextRow], preparation: Preparation, rejects: Rejects, source: str
) -> Prepared:
    """Clean, check and compare rows, and assign splits, whatever the order of the rows.

    Args:
        rejects: receives every dropped row, with its number in `rows` where it has one.
        source: the name of the rows in the rejects.
    """
    left_out: Counter[str] = Counter()

    def drop(kind: str, row: TextRow, reason: str, line: int | None = None) -> None:
        left_out[kind] += 1
        rejects.add(source, line, reason, row.model_dump(mode="json"))

    usable: list[TextRow] = []
    for line, row in enumerate(track(rows, "cleaning"), start=1):
        try:
            cleaned = row.cleaned(read_document(row.text, language=row.language))
        except ValueError as error:
            drop("clean-up", row, _sentence(error), line)
            continue
        if problem := _language_problem(cleaned, preparation.other_language):
            drop("language", cleaned, problem, line)
        else:
            usable.append(cleaned)
    usable.sort(key=_sort_key)
    duplicates = find_duplicates(usable, preparation.near_duplicate, preparation.related)
    for position in sorted(duplicates.conflicting):
        drop(
            "conflict",
            usable[position],
            "the same text occurs with other labels, so neither is used",
        )
    for kind, found in (
        ("duplicate", duplicates.same),
        ("near-duplicate", duplicates.near),
    ):
        for position, other in sorted(found.items()):
            drop(kind, usable[position], f"{kind} of {row_id(usable[other].text)}")
    return Prepared(_split(usable, duplicates, preparation), dict(left_out))


def _sort_key(row: TextRow) -> tuple[str, str]:
    return row_id(row.text), row.model_dump_json()


def _sentence(error: ValueError) -> str:
    return " ".join(str(error).split())


def _language_problem(row: TextRow, minimum: float) -> str:
    found = detect_language(row.text, minimum)
    if found.code is None or found.code == row.language:
        return ""
    return f"language {row.language!r} is given, but the text looks like {found.code!r} ({found.probability:.2f})"


def _split(
    rows: Sequence[TextRow], duplicates: Duplicates, preparation: Preparation
) -> tuple[Feature, ...]:
    dropped = duplicates.conflicting | duplicates.same.keys() | duplicates.near.keys()
    members: defaultdict[int, list[int]] = defaultdict(list)
    for position, cluster in enumerate(duplicates.clusters):
        if position not in dropped:
            members[cluster].append(position)
    ids = [row_id(row.text) for row in rows]
    names: dict[int, str] = {}
    strata: dict[str, str] = {}
    for positions in members.values():
        name = first_by_hash((ids[position] for position in positions), preparation.seed)
        strata[name] = next(
            rows[position].stratum for position in positions if ids[position] == name
        )
        names |= dict.fromkeys(positions, name)
    splits = assign_splits(strata, preparation.fractions, preparation.seed)
    return tuple(
        Feature(ids[position], name, splits[name], rows[position])
        for position, name in sorted(names.items())
    )
