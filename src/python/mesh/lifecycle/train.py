"""`train:train`: register a base model, unchanged or fine-tuned, with a regression test."""

import logging
from functools import partial

from pydantic import Field, create_model

from mesh.core.digest import fingerprint
from mesh.core.files import atomic_directory
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import Url
from mesh.core.status import Status
from mesh.core.workspace import WorkspaceSettings
from mesh.data.settings import DataSettings
from mesh.lifecycle.base_model import resolve_base_model
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.lifecycle.results import publish, record_result
from mesh.lifecycle.status import status_of_model
from mesh.lifecycle.training.fine_tuning import fine_tune
from mesh.lifecycle.training.planning import fine_tuning_status
from mesh.lifecycle.training.recording import record
from mesh.lifecycle.training.settings import FineTuneSettings, TrainSettings
from mesh.lifecycle.training.team import check_device, find_team
from mesh.lifecycle.version import (
    assemble,
    base_card,
    base_inputs,
    stored_test,
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
    """Publish `<KEY>-TRAINED-N`, unless a version with the same fingerprint exists.

    Raises:
        MeshError: the base model is missing, or the device isn't here.
    """
    check_device(settings.device)
    team = find_team()
    if not team.leads:
        logger.info("the first process registers the base model")
        return
    with record(recipe.project, registry_settings, settings, team) as recording:
        inputs, params = stored_test(recipe, settings.samples, settings.inference_params)
        base = resolve_base_model(settings.base_model)
        made_from = base_inputs(recipe, base.source, inputs, params)
        registry = open_registry(registry_settings)
        name = recipe.project.trained_model
        if not settings.force and (found := registry.find(name, fingerprint(made_from))):
            logger.info("%s is up to date: nothing it depends on has changed", found.reference)
            recording.discard()
            record_result(workspace, recipe.project, found, registry_settings)
            return
        recording.describe({}, {"mesh.base_digest": base.source.digest})
        recording.start()
        folder = workspace.output(recipe.project, "train")
        with atomic_directory(folder, replace=True) as directory:
            assemble(recipe, base, inputs, params, settings.device, directory)
            card = base_card(recipe, base, params, model_type="trained", made_from=made_from)
            if run := recording.reference():
                card = card.model_copy(update={"settings": {**card.settings, "run": run}})
            version = publish(registry, name, directory, card, force=settings.force)
        record_result(workspace, recipe.project, version, registry_settings)
        recording.keep(version, folder)
    logger.info(
        "registered %s (%d files, %.1f MB)",
        version.reference,
        len(version.manifest.files),
        version.manifest.size / 1e6,
    )


def status(
    recipe: Recipe,
    settings: TrainSettings,
    _workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> Status:
    """Whether the base model that would be registered now is registered."""
    samples, params = stored_test(recipe, settings.samples, settings.inference_params)
    base = resolve_base_model(settings.base_model, download=False)
    inputs = base_inputs(recipe, base.source, samples, params)
    return status_of_model(registry_settings, recipe.project.trained_model, inputs)


def program(project: Project) -> Program:
    """The program `train:train` of a project; it fine-tunes if the recipe says how."""
    recipe = load_recipe(project)
    training = recipe.training
    return Program(
        component=f"{project.package}.train",
        name="train",
        run=partial(fine_tune, recipe, training) if training else partial(train, recipe),
        status=(
            partial(fine_tuning_status, recipe, training) if training else partial(status, recipe)
        ),
        settings=(
            _with_default(FineTuneSettings if training else TrainSettings, recipe.base_model),
            WorkspaceSettings,
            *((DataSettings,) if training else ()),
            RegistrySettings,
        ),
    )


def _with_default(settings: type[TrainSettings], base_model: str | None) -> type[TrainSettings]:
    if base_model is None:
        return settings
    field = Field(base_model, description=settings.model_fields["base_model"].description)
    return create_model(
        settings.__name__, __base__=settings, __doc__=settings.__doc__, base_model=(Url, field)
    )
