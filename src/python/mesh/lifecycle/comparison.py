"""The scores of two versions on the same rows."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.core.card import ARTIFACTS, COMPILED
from mesh.core.devices import AUTO
from mesh.core.errors import MeshError
from mesh.data.settings import DataSettings
from mesh.data.splitting import TEST
from mesh.data.store import DataStore
from mesh.lifecycle.recipe import Recipe
from mesh.registry.base import ModelRegistry, ModelVersion

logger = logging.getLogger(__name__)

_SLICES = "per_"
"""What the names of tables by slice begin with."""


@dataclass(frozen=True)
class SliceLoss:
    """A score of one slice in two versions.

    Args:
        kind: what divides the rows, such as `domain`.
        rows: its rows, or entities.
    """

    kind: str
    name: str
    rows: int
    score: str
    new: float
    old: float

    @property
    def loss(self) -> float:
        """By how much the new version is worse."""
        return round(self.old - self.new, 4)


@dataclass(frozen=True)
class SameRows:
    """The scores of a version and of another one on the first one's test rows."""

    data_version: str
    new: Mapping[str, Any]
    old: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """How many rows were scored."""
        return int(self.new["rows"])

    @property
    def scores(self) -> dict[str, tuple[float, float]]:
        """Both versions' scores of all rows, by their names."""
        return {
            name: (value, self.old[name])
            for name, value in self.new.items()
            if isinstance(value, float) and isinstance(self.old.get(name), float)
        }

    @property
    def slices(self) -> Iterator[SliceLoss]:
        """Each slice and label that both versions were scored on."""
        for table in filter(lambda name: name.startswith(_SLICES), self.new):
            for name, new in self.new[table].items():
                if old := self.old.get(table, {}).get(name):
                    score = "f1" if "f1" in new else "accuracy"
                    rows = new["rows"] if "rows" in new else new["support"]
                    kind = table.removeprefix(_SLICES)
                    yield SliceLoss(kind, name, rows, score, new[score], old[score])


def score_same_rows(
    recipe: Recipe,
    registry: ModelRegistry,
    data: DataSettings,
    new: ModelVersion,
    old: ModelVersion,
) -> SameRows:
    """Compare two versions on the test rows of the new one.

    The scores of their cards are taken if both are of the same rows; otherwise the old version is
    scored now.

    Raises:
        MeshError: a version has no scores, or the rows aren't there.
    """
    found = new.card.metrics.get(TEST)
    if not found or not new.card.data_version:
        raise MeshError(f"{new.reference} was not scored on a test split.")
    stored = old.card.metrics.get(TEST)
    if (
        stored
        and old.card.data_version == new.card.data_version
        and _tables(stored) >= _tables(found)
    ):
        return SameRows(new.card.data_version, found, stored)
    logger.info("scoring %s on the test rows of %s", old.reference, new.reference)
    return SameRows(new.card.data_version, found, _score(recipe, registry, data, new, old))


def _tables(scores: Mapping[str, Any]) -> set[str]:
    return {name for name in scores if name.startswith(_SLICES)}


def _score(
    recipe: Recipe,
    registry: ModelRegistry,
    data: DataSettings,
    new: ModelVersion,
    old: ModelVersion,
) -> dict[str, Any]:
    """Run the old version on the test rows of the new one."""
    from mesh.compile.artifact import CompiledModel
    from mesh.lifecycle.training.predictions import evaluate

    rows = rows_of_test_split(recipe, data, new.card.data_version)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        registry.fetch(old.reference, folder / old.reference)
        if old.card.model_type == "compiled":
            return evaluate(recipe, CompiledModel.load(folder / old.reference / COMPILED), rows)
        model = recipe.load_reference(folder / old.reference / ARTIFACTS, AUTO)
        return evaluate(recipe, model, rows)


def rows_of_test_split(recipe: Recipe, data: DataSettings, data_version: str | None) -> list[Any]:
    """The rows of a test split.

    Args:
        data_version: of the features that a version was trained on.

    Raises:
        MeshError: there is no such split, or its files are missing or damaged.
    """
    training = recipe.training
    if training is None or data_version is None:
        raise MeshError(f"{recipe.project.name} trains no model, so no rows can be scored.")
    store = DataStore(recipe.project, "features", data)
    features = store.get(data_version)
    with (
        tempfile.TemporaryDirectory() as temporary,
        store.local(features, Path(temporary)) as local,
    ):
        return [training.row_of(fields) for fields in local.rows(TEST)]
