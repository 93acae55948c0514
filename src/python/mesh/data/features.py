"""Features for training: cleaned, checked, distinct rows with ids and splits."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mesh.core.progress import track
from mesh.data.account import Rejects
from mesh.data.dataset import TextRow
from mesh.data.duplicates import Duplicates, find_duplicates
from mesh.data.languages import is_same_language
from mesh.data.shards import arrow_schema
from mesh.data.splitting import Fractions, Unit, assign_splits, first_by_hash
from mesh.nlp.document import read_document
from mesh.nlp.language import detect_language

_ID_CHARACTERS = 32
_SHOWN_CHARACTERS = 200


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
    """The kept rows, in the order of their ids, and the number of dropped rows by reason.

    Args:
        changed: kept rows whose text the clean-up changed.
    """

    features: tuple[Feature, ...]
    left_out: dict[str, int]
    changed: int


def feature_schema(row: type[TextRow]) -> pa.Schema:
    """The schema of stored features."""
    names = [pa.field(name, pa.string(), nullable=False) for name in ("id", "cluster")]
    return pa.schema([*names, *arrow_schema(row)])


def row_id(text: str) -> str:
    """The id of a cleaned text, everywhere the same: the beginning of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_CHARACTERS]


def prepare(
    rows: Iterable[TextRow],
    preparation: Preparation,
    rejects: Rejects,
    source: str,
    earlier: Mapping[str, str] | None = None,
) -> Prepared:
    """Clean, check and compare rows, and assign splits, whatever the order of the rows.

    Args:
        rejects: receives every dropped row, with its number in `rows` where it has one.
        source: the name of the rows in the rejects.
        earlier: the splits of earlier rows by their ids, which they keep.
    """
    left_out: Counter[str] = Counter()

    def drop(kind: str, row: TextRow, reason: str, line: int | None = None) -> None:
        left_out[kind] += 1
        rejects.add(source, line, reason, row.model_dump(mode="json"), kind=kind)

    usable: list[TextRow] = []
    changed: set[str] = set()
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
            if cleaned.text != row.text:
                changed.add(row_id(cleaned.text))
    known = earlier or {}
    # Of two nearly equal rows, the first is kept: the one that has a split.
    usable.sort(key=lambda row: (row_id(row.text) not in known, *_sort_key(row)))
    duplicates = find_duplicates(usable, preparation.near_duplicate, preparation.related)
    for position, other in sorted(duplicates.conflicting.items()):
        drop("conflict", usable[position], _conflict(usable[position], usable[other]))
    for kind, found in (
        ("duplicate", duplicates.same),
        ("near-duplicate", duplicates.near),
    ):
        for position, other in sorted(found.items()):
            drop(kind, usable[position], f"{kind} of {row_id(usable[other].text)}")

    def drop_between(position: int, reason: str) -> None:
        drop("between splits", usable[position], reason)

    features = _split(usable, duplicates, preparation, known, drop_between)
    return Prepared(features, dict(left_out), sum(each.id in changed for each in features))


def _conflict(row: TextRow, other: TextRow) -> str:
    return (
        f"the same text has other labels, {row.annotation!r} and {other.annotation!r}, so neither "
        f"row is used; the other one is {other.text[:_SHOWN_CHARACTERS]!r}"
    )


def _sort_key(row: TextRow) -> tuple[str, str]:
    return row_id(row.text), row.model_dump_json()


def _sentence(error: ValueError) -> str:
    return " ".join(str(error).split())


def _language_problem(row: TextRow, minimum: float) -> str:
    found = detect_language(row.text, minimum)
    if found.code is None or is_same_language(found.code, row.language):
        return ""
    return f"language {row.language!r} is given, but the text looks like {found.code!r} ({found.probability:.2f})"


def _split(
    rows: Sequence[TextRow],
    duplicates: Duplicates,
    preparation: Preparation,
    earlier: Mapping[str, str],
    drop: Callable[[int, str], None],
) -> tuple[Feature, ...]:
    """The features of all rows but those that are dropped.

    Args:
        earlier: the splits of rows that have one, by their ids.
        drop: called with the position of a new row that would join earlier rows of two splits.
    """
    dropped = duplicates.conflicting.keys() | duplicates.same.keys() | duplicates.near.keys()
    members: defaultdict[int, list[int]] = defaultdict(list)
    for position, cluster in enumerate(duplicates.clusters):
        if position not in dropped:
            members[cluster].append(position)
    ids = [row_id(row.text) for row in rows]
    names: dict[int, str] = {}
    units: list[Unit] = []
    for together in members.values():
        for split, positions in _groups(together, ids, earlier, drop):
            name = first_by_hash((ids[position] for position in positions), preparation.seed)
            named = next(rows[position] for position in positions if ids[position] == name)
            labels = {label for position in positions for label in rows[position].labels}
            units.append(Unit(name, len(positions), named.stratum, frozenset(labels), split))
            names |= dict.fromkeys(positions, name)
    splits = assign_splits(units, preparation.fractions, preparation.seed)
    return tuple(
        Feature(ids[position], name, splits[name], rows[position])
        for position, name in sorted(names.items(), key=lambda item: ids[item[0]])
    )


def _groups(
    cluster: Sequence[int],
    ids: Sequence[str],
    earlier: Mapping[str, str],
    drop: Callable[[int, str], None],
) -> Iterator[tuple[str | None, list[int]]]:
    """The rows of a cluster that stay together, and the split that they had before."""
    known: defaultdict[str, list[int]] = defaultdict(list)
    new = []
    for position in cluster:
        if split := earlier.get(ids[position]):
            known[split].append(position)
        else:
            new.append(position)
    if len(known) < 2:
        yield next(iter(known), None), list(cluster)
        return
    splits = " and ".join(sorted(known))
    for position in new:
        drop(position, f"it resembles earlier rows of {splits}, which must stay apart")
    yield from known.items()
