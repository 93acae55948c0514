"""`register:tag`: give a version of features a name that always means the same rows."""

import logging
from functools import partial

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.files import atomic_directory
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.data.store import LATEST, DataSettings, DataStore

logger = logging.getLogger(__name__)


class TagSettings(MeshSettings):
    """Tag a version of features by DVC."""

    model_config = SettingsConfigDict(env_prefix="TAG_")

    tag: str = Field(description="Tag, such as dataset_v22.")
    data: str = Field(LATEST, description="Version of features, or a prefix of its name.")


def tag(
    project: Project, settings: TagSettings, workspace: WorkspaceSettings, data: DataSettings
) -> None:
    """Tag a version; repeating a tag for the same version changes nothing.

    Raises:
        UsageError: the tag is malformed.
        MeshError: there is no such version, it is damaged, or the tag belongs to another version.
    """
    store = DataStore(project, "features", data)
    manifest = store.get(settings.data)
    with atomic_directory(workspace.output(project, "tag"), replace=True) as folder:
        new = store.tag(settings.tag, manifest, folder)
    logger.info(
        "%s %s %s (%d rows)",
        settings.tag,
        "names" if new else "already names",
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
