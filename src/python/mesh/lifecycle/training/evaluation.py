"""The scores of a trained version, on rows that it wasn't trained on."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh.compile.text_model import TextModel
from mesh.core.card import ARTIFACTS
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError
from mesh.core.files import write_json_atomic
from mesh.core.samples import packaged_file
from mesh.lifecycle.recipe import HeldOut, Recipe, Training
from mesh.lifecycle.training.details import DETAILS_FILE
from mesh.lifecycle.training.plots import write_plots
from mesh.lifecycle.training.reference import write_reference
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.base import ModelRegistry, ModelVersion

logger = logging.getLogger(__name__)

EVALUATION = "evaluation"
"""Folder of plots and details below a version's directory."""
_MAIN_SCORE = {"text-classification": "macro_f1", "token-classification": "f1"}


def score_version(
    recipe: Recipe,
    training: Training,
    model: TextModel,
    test: Sequence[Any],
    held_out: Mapping[str, Sequence[Any]],
    directory: Path,
) -> dict[str, Any]:
    """The scores on the test split and on the project's own sets.

    Args:
        test: the rows of the test split.
        held_out: the rows of each of the sets.
        directory: of the version; plots, details and the reference for drift go below it.
    """
    from mesh.lifecycle.training.predictions import evaluate, predict

    predictions = predict(recipe, model, test)
    scores = predictions.scores()
    main = _MAIN_SCORE[recipe.task]
    logger.info("%s on the %d rows of the test split: %.3f", main, len(test), scores[main])
    found_there = {}
    for name, each in training.held_out.items():
        rows = held_out[name]
        found = each.score(model, rows) if each.score else evaluate(recipe, model, rows)
        logger.info("%s on the %d rows of %s: %.3f", main, len(rows), name, found[main])
        found_there[name] = found
    plots = write_plots(scores, directory / EVALUATION)
    details = predictions.details().model_dump(mode="json")
    write_json_atomic(directory / EVALUATION / DETAILS_FILE, details)
    write_reference(recipe, model, test, directory)
    return {"test": scores, "held_out": found_there, "plots": plots}


def read_held_out(held_out: HeldOut) -> list[Any]:
    """The rows of a set.

    Raises:
        ValidationError: one isn't of the set's type.
    """
    with packaged_file(held_out.file).open(encoding="utf-8") as lines:
        return [held_out.row.model_validate_json(line) for line in lines]


def held_out_digests(training: Training) -> dict[str, str]:
    """The digests of the project's own sets, by their names."""
    calibration = {"calibration": training.calibration} if training.calibration else {}
    sets = {**training.held_out, **calibration}
    return {name: sha256_file(packaged_file(each.file)) for name, each in sets.items()}


def compare(
    recipe: Recipe,
    registry: ModelRegistry,
    alias: str,
    scores: dict[str, Any],
    test: Sequence[Any],
    device: str,
    work: Path,
) -> dict[str, Any]:
    """The scores of the version with an alias, on the same rows of the test split.

    Args:
        scores: of the new version.
        device: as for `Recipe.load_reference`.
        work: folder for the other version's files.

    Returns:
        The part of the card about the comparison; empty if no version has the alias.
    """
    from mesh.lifecycle.training.predictions import evaluate

    before = _versions_by_alias(recipe, registry).get(alias)
    if before is None:
        logger.info("no version is %s:%s, so none is compared", recipe.project.trained_model, alias)
        return {}
    registry.fetch(before.reference, work / before.reference)
    model = recipe.load_reference(work / before.reference / ARTIFACTS, device)
    other = evaluate(recipe, model, test)
    main = _MAIN_SCORE[recipe.task]
    logger.log(
        logging.INFO if scores[main] >= other[main] else logging.WARNING,
        "%s, which is %s now, has %.3f on the same rows",
        before.reference,
        alias,
        other[main],
    )
    return {"compared_with": {"version": before.reference, "alias": alias, "test": other}}


def check_alias(recipe: Recipe, registry: ModelRegistry, alias: str) -> None:
    """Refuse to compare with an alias that no version has, but for the default: it comes later.

    Raises:
        MeshError: there is no such version.
    """
    if alias == FineTuneSettings.model_fields["compare_with"].default:
        return
    known = _versions_by_alias(recipe, registry)
    if alias not in known:
        raise MeshError(
            f"No version of {recipe.project.trained_model} has the alias {alias!r}, which "
            f"TRAIN_COMPARE_WITH names; there is {', '.join(sorted(known)) or 'none'}."
        )


def _versions_by_alias(recipe: Recipe, registry: ModelRegistry) -> dict[str, ModelVersion]:
    """The trained versions that have aliases."""
    versions = [one for one in registry.list() if one.name == recipe.project.trained_model]
    return {alias: one for one in versions for alias in one.aliases}
