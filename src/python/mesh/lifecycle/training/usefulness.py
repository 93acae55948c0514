"""Data that no useful model can be trained on or measured with is refused, or warned of."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.core.errors import MeshError
from mesh.data.splitting import TEST, TRAIN

logger = logging.getLogger(__name__)


def check_rows(
    rows: Mapping[str, Sequence[Any]], labels: Sequence[str], *, is_tagged: bool
) -> None:
    """Refuse training rows without anything to learn; warn of labels without test rows.

    Args:
        rows: of each split.
        labels: of the project.
        is_tagged: whether the labels are those of entities.

    Raises:
        MeshError: all training rows have one class, or none of them has an entity.
    """
    found = {
        split: Counter(label for row in some for label in row.labels)
        for split, some in rows.items()
    }
    if is_tagged and not found[TRAIN]:
        raise MeshError(
            f"None of the {len(rows[TRAIN])} training rows has an entity, so there is nothing to "
            "learn; look at the account of ingest and register, and at INGEST_VALUES."
        )
    if not is_tagged and len(found[TRAIN]) < 2:
        [label] = found[TRAIN]
        raise MeshError(
            f"All {len(rows[TRAIN])} training rows are {label!r}; a model needs two classes or more."
        )
    if missing := [label for label in labels if label not in found[TRAIN]]:
        logger.warning("no training row has %s: the model can't learn it", _joined(missing))
    if missing := [label for label in labels if label not in found[TEST]]:
        best = (
            ""
            if is_tagged
            else f"; its F1 counts as 0, so macro F1 is at most {_best(missing, labels):.3f}"
        )
        logger.warning("no test row has %s%s", _joined(missing), best)


def _joined(labels: Sequence[str]) -> str:
    return " or ".join(map(repr, labels))


def _best(missing: Sequence[str], labels: Sequence[str]) -> float:
    return 1 - len(missing) / len(labels)
