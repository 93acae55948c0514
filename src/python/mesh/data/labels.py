"""The labels of a project and of its rows, and what may be wrong with them."""

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import get_args

from mesh.data.dataset import TextRow
from mesh.data.splitting import SPLITS


class LabelCounts:
    """The labels of rows, counted to see what may be wrong with them."""

    def __init__(self) -> None:
        self.rows = 0
        self.labels: Counter[str] = Counter()

    def add(self, row: TextRow) -> None:
        """Count a row."""
        self.rows += 1
        self.labels.update(set(row.labels))

    def warnings(self, known: Sequence[str]) -> list[str]:
        """Sentences about labels that no useful model can be trained on.

        Args:
            known: the project's labels, where it names them.
        """
        if not self.rows:
            return []
        if not self.labels:
            return [f"none of the {self.rows:,} rows has a label or an entity"]
        found = []
        if len(self.labels) == 1 and len(known) != 1:
            [(label, count)] = self.labels.items()
            found.append(f"{label!r} is the only label, in {count:,} rows")
        for label, count in sorted(self.labels.items()):
            if count < len(SPLITS):
                found.append(f"{label!r} is in {count} rows, fewer than there are splits")
        if missing := [label for label in known if label not in self.labels]:
            found.append(f"no row has {' or '.join(map(repr, missing))}")
        return found


def known_labels(row: type[TextRow]) -> tuple[str, ...]:
    """The labels that a project's rows may have; none where any is allowed."""
    fields = row.model_fields
    field = fields.get("label")
    if field is None and "entities" in fields:
        [entity, *_] = get_args(fields["entities"].annotation)
        field = entity.model_fields["label"]
    names = get_args(field.annotation) if field else ()
    return tuple(name for name in names if isinstance(name, str))


def did_you_mean(label: object, known: Iterable[str]) -> str:
    """A suggestion for an unknown label, or nothing."""
    lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(str(label).lower(), lower, n=1, cutoff=0.6)
    return f"did you mean {lower[found[0]]!r}?" if found else ""
