"""`register:tag`: give a version of features a name that always means the same rows."""

import logging
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from mesh.core.data_names import LATEST, check_tag
from mesh.core.files import atomic_directory
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore

logger = logging.getLogger(__name__)


class TagSettings(MeshSettings):
    """Tag a version of features, as DVC reads it."""

    model_config = SettingsConfigDict(env_prefix="TAG_")

    tag: Annotated[str, AfterValidator(check_tag)] = Field(description="Tag, such as dataset_v22.")
    data: str = Field(
        LATEST, description="Version of features: its name, a prefix of it, or another tag."
    )


def tag(
    project: Project, settings: TagSettings, workspace: WorkspaceSettings, data: DataSettings
) -> None:
    """Tag a version; repeating a tag for the same version repairs its files in DVC.

    Raises:
        MeshError: there is no such version, it is damaged, or the tag belongs to another version.
    """
    store = DataStore(project, "features", data)
    manifest = store.get(settings.data)
    with atomic_directory(workspace.output(project, "tag"), replace=True) as folder:
        tagging = store.tag(settings.tag, manifest, folder)
    logger.info(
        "%s %s %s (%d rows)",
        settings.tag,
        tagging,
        store.url(manifest.version),
        manifest.rows,
    )


def program(project: Project) -> Program:
    """The program `register:tag` of a project."""
    return Program(
        component=f"{project.package}.register",
        name="tag",
        run=partial(tag, project),
        settings=(TagSettings, WorkspaceSettings, DataSettings),
    )
