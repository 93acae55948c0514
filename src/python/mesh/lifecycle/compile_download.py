"""`compile:download`: bring the uncompiled model, trained or base, into `outputs/<project>/download`."""

import logging
from functools import partial
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.files import atomic_directory
from mesh.core.manifest import Manifest
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.base_model import resolve_base_model
from mesh.lifecycle.compile_records import BASE_FOLDER, Downloaded
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.lifecycle.version import assemble, base_card, base_fingerprint, regression_inputs
from mesh.registry.factory import open_registry
from mesh.registry.reference import reference_to
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class DownloadSettings(MeshSettings):
    """Download the uncompiled model that is to be compiled."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_DOWNLOAD_")

    reference: str = Field(
        "",
        description="A trained version (NAME-TRAINED-3, NAME-TRAINED:prod), or the address of a base model "
        "(hf://, package://); by default the latest trained version.",
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
        reference = reference_to(recipe.project.trained_model, settings.reference)
        registry = open_registry(registry_settings)
        found = registry.get(reference).reference
        registry.fetch(found, target / found)
        downloaded = Downloaded(source=found, trained_version=found, folder=found)
    downloaded.write(target)
    logger.info("%s is in %s, every file verified", downloaded.source, target / downloaded.folder)


def _assemble_base(recipe: Recipe, address: str, target: Path) -> Downloaded:
    base = resolve_base_model(address)
    inputs = regression_inputs(recipe.read_samples())
    fingerprint = base_fingerprint(recipe, base.source, inputs, recipe.inference_params)
    with atomic_directory(target / BASE_FOLDER, replace=True) as directory:
        assemble(recipe, base, inputs, recipe.inference_params, directory)
        base_card(
            recipe, base, recipe.inference_params, model_type="base", fingerprint=fingerprint
        ).write(directory)
        Manifest.of(directory).write(directory)
    return Downloaded(source=address, trained_version=None, folder=BASE_FOLDER)


def program(project: Project) -> Program:
    """The program `compile:download` of a project."""
    return Program(
        component=f"{project.package}.compile",
        name="download",
        run=partial(download, load_recipe(project)),
        settings=(DownloadSettings, WorkspaceSettings, RegistrySettings),
    )
