"""`serve:download`: bring a compiled version into `models/<version>`, ready to serve."""

import logging
from functools import partial

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.registry.factory import open_registry
from mesh.registry.reference import reference_to
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class ServeDownloadSettings(MeshSettings):
    """Download a compiled model for serving."""

    model_config = SettingsConfigDict(env_prefix="SERVE_DOWNLOAD_")

    reference: str = Field(
        "",
        description="NAME-COMPILED-3, NAME-COMPILED:prod; by default the latest compiled version.",
    )


def download(
    project: Project,
    settings: ServeDownloadSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Fetch a compiled version and let the project's server load it by default."""
    reference = reference_to(project.compiled_model, settings.reference)
    registry = open_registry(registry_settings)
    found = registry.get(reference)
    directory = workspace.models / found.reference
    registry.fetch(found.reference, directory)
    workspace.set_current_model(project, found.reference)
    logger.info("%s is in %s, every file verified", found.reference, directory)


def program(project: Project) -> Program:
    """The program `serve:download` of a project."""
    return Program(
        component=f"{project.package}.serve",
        name="download",
        run=partial(download, project),
        settings=(ServeDownloadSettings, WorkspaceSettings, RegistrySettings),
    )
