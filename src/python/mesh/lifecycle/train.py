"""`train:train`: register a base model as it is, or fine-tune it first, with its regression test."""

import logging

from mesh.core.files import atomic_directory
from mesh.core.program import Program
from mesh.core.workspace import WorkspaceSettings
from mesh.data.store import DataSettings
from mesh.lifecycle.base_model import resolve_base_model
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.train_settings import TrainSettings
from mesh.lifecycle.training.fine_tuning import fine_tune
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.lifecycle.version import (
    assemble,
    base_card,
    base_fingerprint,
    check_params,
    regression_inputs,
)
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


def train(
    recipe: Recipe,
    settings: TrainSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Publish `<KEY>-TRAINED-N`, unless a version with the same fingerprint exists."""
    inputs = regression_inputs(recipe.read_samples(settings.samples))
    params = {**recipe.inference_params, **settings.inference_params}
    check_params(recipe, params)
    base = resolve_base_model(settings.base_model)
    fingerprint = base_fingerprint(recipe, base.source, inputs, params)
    registry = open_registry(registry_settings)
    name = recipe.project.trained_model
    if not settings.force and (found := registry.find(name, fingerprint)):
        logger.info("%s is up to date: nothing it depends on has changed", found.reference)
        return
    with atomic_directory(workspace.output(recipe.project, "train"), replace=True) as directory:
        assemble(recipe, base, inputs, params, directory)
        card = base_card(recipe, base, params, model_type="trained", fingerprint=fingerprint)
        version = registry.publish(name, directory, card)
    logger.info(
        "registered %s (%d files, %.1f MB)",
        version.reference,
        len(version.manifest.files),
        version.manifest.size / 1e6,
    )


def train_program(recipe: Recipe) -> Program:
    """The program `train:train` of a project: it fine-tunes if the recipe says how."""
    component = f"{recipe.project.package}.train"
    training = recipe.training
    if training is None:
        return Program(
            component=component,
            name="train",
            run=lambda *settings: train(recipe, *settings),
            settings=(TrainSettings, WorkspaceSettings, RegistrySettings),
        )
    return Program(
        component=component,
        name="train",
        run=lambda *settings: fine_tune(recipe, training, *settings),
        settings=(FineTuneSettings, WorkspaceSettings, DataSettings, RegistrySettings),
    )
