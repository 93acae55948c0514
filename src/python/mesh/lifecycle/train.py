"""`train:train` of projects whose base model already does the task: register it with its regression test."""

import logging
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.files import atomic_directory
from mesh.core.program import Program
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.base_model import resolve_base_model
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.version import assemble
from mesh.lifecycle.version import base_card
from mesh.lifecycle.version import base_fingerprint
from mesh.lifecycle.version import check_params
from mesh.lifecycle.version import regression_inputs
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class TrainSettings(MeshSettings):
    """Register a base model, with its predictions of sample documents, as the next trained version."""

    model_config = SettingsConfigDict(env_prefix="TRAIN_")

    base_model: str = Field(
        description="hf://org/name@revision, package://module/folder, or a folder."
    )
    samples: Path | None = Field(
        None, description="JSON list of documents, instead of the project's own samples."
    )
    inference_params: dict[str, Any] = Field(
        {}, description="JSON object, merged over the project's own parameters."
    )
    force: bool = Field(False, description="Register a new version even if an equal one exists.")


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
    """The program `train:train` of a project."""
    return Program(
        component=f"{recipe.project.package}.train",
        name="train",
        run=lambda *settings: train(recipe, *settings),
        settings=(TrainSettings, WorkspaceSettings, RegistrySettings),
    )
