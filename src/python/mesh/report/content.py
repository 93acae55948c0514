"""Everything that a report says of a version, read from registry and data."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mesh.core.errors import MeshError
from mesh.core.files import read_json, read_model
from mesh.core.inputs import differences
from mesh.data.settings import DataSettings
from mesh.data.splitting import TEST
from mesh.lifecycle.about import About
from mesh.lifecycle.comparison import SameRows
from mesh.lifecycle.compile_records import REPORT_FILE, ValidationReport
from mesh.lifecycle.lineage import trace_model
from mesh.lifecycle.promotion import (
    Condition,
    LoadTest,
    compared,
    conditions,
    load_tests,
    promoted,
    recipe_of,
)
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.training.details import DETAILS_FILE, Details
from mesh.lifecycle.training.evaluation import EVALUATION
from mesh.lifecycle.version import TEST_FILES
from mesh.registry.base import ModelRegistry, ModelVersion

Stored = TypeVar("Stored", Details, ValidationReport)


@dataclass(frozen=True, kw_only=True)
class Content:
    """A version, and what belongs to it.

    Args:
        trained: the version whose training made it: itself, or the one that it was compiled from.
        recipe: of its project; None if the project isn't here.
        details: of its test split; None if none are stored.
        documents: whose predictions are stored with it.
        validation: of the compiled model.
        load_tests: the last one last.
        lineage: as `trace_model` has it.
    """

    version: ModelVersion
    trained: ModelVersion | None
    recipe: Recipe | None
    details: Details | None
    documents: Sequence[str]
    validation: ValidationReport | None
    load_tests: Sequence[LoadTest]
    lineage: dict[str, Any]

    @property
    def about(self) -> About | None:
        """What the project declares about its models; None if that isn't here."""
        return self.recipe.about if self.recipe else None

    @property
    def scores(self) -> dict[str, Any]:
        """The scores on the test split; empty if there are none."""
        return dict(self.version.card.metrics.get(TEST) or {})

    @property
    def epochs(self) -> list[dict[str, float]]:
        """The figures of each epoch of its training."""
        return list(self.trained.card.metrics.get("epochs") or []) if self.trained else []

    @property
    def task(self) -> str:
        """The network's task."""
        settings = self.version.card.settings
        found = settings.get("task") or settings.get("compile", {}).get("task")
        return str(found or "unknown")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two versions of a model.

    Args:
        same: their scores on the same rows, or a clause that says why there are none.
        changed: inputs that differ.
    """

    new: Content
    old: Content
    same: SameRows | str
    changed: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A version, its comparison with the one that is `prod`, and the conditions of becoming it.

    Args:
        comparison: None if the version is `prod`, or none is.
    """

    content: Content
    comparison: Comparison | None
    conditions: Sequence[Condition]


def read_report(registry: ModelRegistry, data: DataSettings, reference: str) -> Report:
    """Read everything about a version.

    Raises:
        MeshError: there is no such version, or it is damaged.
    """
    content = read_content(registry, data, reference)
    version, recipe = content.version, content.recipe
    now = promoted(registry, version.name)
    comparison = (
        compare(registry, data, content, read_content(registry, data, now.reference))
        if now and now.version != version.version
        else None
    )
    asked = recipe.promote_if if recipe else None
    same = comparison.same if comparison else None
    return Report(
        content=content,
        comparison=comparison,
        conditions=(
            conditions(recipe, asked, registry, version, now, same) if recipe and asked else ()
        ),
    )


def read_content(registry: ModelRegistry, data: DataSettings, reference: str) -> Content:
    """Read what a report says of a version.

    Raises:
        MeshError: there is no such version, or it is damaged.
    """
    version = registry.get(reference)
    trained = _trained(registry, version)
    recipe = recipe_of(version)
    with tempfile.TemporaryDirectory() as temporary:
        references = {one.reference for one in (version, trained) if one}
        folders = {one: Path(temporary) / one for one in references}
        for one, folder in folders.items():
            registry.fetch(one, folder)
        own = folders[version.reference]
        made = folders[trained.reference] if trained else None
        return Content(
            version=version,
            trained=trained,
            recipe=recipe,
            details=_read(Details, made / EVALUATION / DETAILS_FILE) if made else None,
            documents=_documents(own / TEST_FILES.inputs),
            validation=_read(ValidationReport, own / "validation" / REPORT_FILE),
            load_tests=load_tests(registry, version),
            lineage=trace_model(registry, data, version.reference),
        )


def compare(registry: ModelRegistry, data: DataSettings, new: Content, old: Content) -> Comparison:
    """Compare two versions of one model."""
    recipe = new.recipe
    same = (
        compared(recipe, registry, data, new.version, old.version)
        if recipe
        else f"the recipe of {new.version.card.project} isn't here"
    )
    return Comparison(new=new, old=old, same=same, changed=_changes(new, old))


def _trained(registry: ModelRegistry, version: ModelVersion) -> ModelVersion | None:
    if version.card.model_type != "compiled":
        return version
    try:
        return registry.get(version.card.trained_version) if version.card.trained_version else None
    except MeshError:
        # The lineage says so.
        return None


def _read(kind: type[Stored], file: Path) -> Stored | None:
    return read_model(kind, file, "make the version again") if file.is_file() else None


def _documents(file: Path) -> list[str]:
    return list(map(str, read_json(file))) if file.is_file() else []


def _changes(new: Content, old: Content) -> list[str]:
    """The inputs that differ, of the versions themselves and of those that they were compiled from."""
    found = differences(old.version.card.made_from, new.version.card.made_from)
    if new.trained and old.trained and new.trained.version != new.version.version:
        found += differences(old.trained.card.made_from, new.trained.card.made_from)
    return list(dict.fromkeys(found))
