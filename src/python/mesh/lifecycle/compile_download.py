"""`compile:download`: put the trained or base model into `outputs/<project>/download`."""

import logging
from functools import partial
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.card import ModelCard
from mesh.core.devices import AUTO
from mesh.core.files import atomic_directory
from mesh.core.inputs import Inputs, differences
from mesh.core.manifest import Manifest
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings, Url
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.tracing import annotate_version
from mesh.core.urls import mask_url
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.base_model import BaseModel, resolve_base_model
from mesh.lifecycle.compile_records import BASE_FOLDER, DOWNLOADED_FILE, Downloaded
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.lifecycle.results import chosen_reference
from mesh.lifecycle.status import find_chosen
from mesh.lifecycle.version import assemble, base_card, base_inputs, regression_inputs
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class DownloadSettings(MeshSettings):
    """Download the model to compile."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_DOWNLOAD_")

    reference: Url = Field(
        "",
        description="A trained version (NAME-TRAINED-3, NAME-TRAINED:prod), or the address of a "
        "base model (hf://, package://); by default the one that train:train made or found last in "
        "this workspace, else the latest.",
    )


def download(
    recipe: Recipe,
    settings: DownloadSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Fetch a trained version, or assemble one from a base model."""
    target = workspace.output(recipe.project, "download")
    if "://" in settings.reference:
        downloaded = _assemble_base(recipe, settings.reference, target)
    else:
        name = recipe.project.trained_model
        reference = chosen_reference(
            workspace,
            recipe.project,
            name,
            settings.reference,
            registry_settings,
            lambda: open_registry(registry_settings).list(name),
        )
        registry = open_registry(registry_settings)
        found = registry.get(reference).reference
        registry.fetch(found, target / found)
        downloaded = Downloaded(source=found, trained_version=found, folder=found)
    downloaded.write(target)
    annotate_version(mask_url(downloaded.source), None)
    logger.info("%s is in %s, every file verified", downloaded.source, target / downloaded.folder)


def _assemble_base(recipe: Recipe, address: str, target: Path) -> Downloaded:
    base = resolve_base_model(address)
    inputs = regression_inputs(recipe.read_samples())
    made_from = _base_inputs(recipe, base)
    with atomic_directory(target / BASE_FOLDER, replace=True) as directory:
        assemble(recipe, base, inputs, recipe.inference_params, AUTO, directory)
        base_card(
            recipe, base, recipe.inference_params, model_type="base", made_from=made_from
        ).write(directory)
        Manifest.of(directory).write(directory)
    return Downloaded(source=address, trained_version=None, folder=BASE_FOLDER)


def _base_inputs(recipe: Recipe, base: BaseModel) -> Inputs:
    samples = regression_inputs(recipe.read_samples())
    return base_inputs(recipe, base.source, samples, recipe.inference_params)


def status(
    recipe: Recipe,
    settings: DownloadSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> Status:
    """Whether the model that would be downloaded now is here."""
    target = workspace.output(recipe.project, "download")
    if not (target / DOWNLOADED_FILE).exists():
        return NEVER_RUN
    here = Downloaded.read(target)
    if "://" in settings.reference:
        if here.source != settings.reference:
            return out_of_date(here.source, [f"base model ({here.source} -> {settings.reference})"])
        inputs = _base_inputs(recipe, resolve_base_model(settings.reference, download=False))
        changed = differences(ModelCard.read(target / here.folder).made_from, inputs)
        return out_of_date(here.source, changed) if changed else up_to_date(here.source)
    found = find_chosen(
        workspace,
        recipe.project,
        recipe.project.trained_model,
        settings.reference,
        registry_settings,
    )
    if found is None or found.reference == here.source:
        return up_to_date(here.source)
    return out_of_date(here.source, [f"trained version ({here.source} -> {found.reference})"])


def program(project: Project) -> Program:
    """The program `compile:download` of a project."""
    return Program(
        component=f"{project.package}.compile",
        name="download",
        run=partial(download, load_recipe(project)),
        status=partial(status, load_recipe(project)),
        settings=(DownloadSettings, WorkspaceSettings, RegistrySettings),
    )
