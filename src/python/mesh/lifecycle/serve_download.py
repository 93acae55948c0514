"""`serve:download`: put a compiled version into `models/<version>`, ready to serve."""

import logging
from functools import partial

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.compile.backends import warn_of_serving
from mesh.compile.spec import CompileSpec
from mesh.core.card import COMPILED
from mesh.core.files import remove_partials
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.tracing import annotate_version
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.results import chosen_reference
from mesh.lifecycle.status import find_chosen
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class ServeDownloadSettings(MeshSettings):
    """Download a compiled model for serving."""

    model_config = SettingsConfigDict(env_prefix="SERVE_DOWNLOAD_")

    reference: str = Field(
        "",
        description="NAME-COMPILED-3, NAME-COMPILED:prod; by default the one that compile:upload made or "
        "found last in this workspace, else the latest.",
    )


def download(
    project: Project,
    settings: ServeDownloadSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Fetch a compiled version and let the project's server load it by default."""
    name = project.compiled_model
    reference = chosen_reference(
        workspace,
        project,
        name,
        settings.reference,
        registry_settings,
        lambda: open_registry(registry_settings).list(name),
    )
    registry = open_registry(registry_settings)
    found = registry.get(reference)
    annotate_version(found.reference, found.card.fingerprint)
    directory = workspace.models / found.reference
    registry.fetch(found.reference, directory)
    remove_partials(workspace.models, f"{name}-*")
    workspace.set_current_model(project, found.reference)
    logger.info("%s is in %s, every file verified", found.reference, directory)
    warn_of_serving(CompileSpec.read(directory / COMPILED).backend)


def status(
    project: Project,
    settings: ServeDownloadSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> Status:
    """Whether the server loads the version that would be downloaded now."""
    here = workspace.find_model(project)
    if here is None:
        return NEVER_RUN
    found = find_chosen(
        workspace, project, project.compiled_model, settings.reference, registry_settings
    )
    if found is None or found.reference == here.name:
        return up_to_date(here.name)
    return out_of_date(here.name, [f"compiled version ({here.name} -> {found.reference})"])


def program(project: Project) -> Program:
    """The program `serve:download` of a project."""
    return Program(
        component=f"{project.package}.serve",
        name="download",
        run=partial(download, project),
        status=partial(status, project),
        settings=(ServeDownloadSettings, WorkspaceSettings, RegistrySettings),
    )
