"""`serve:serve`: the program that serves a project's model."""

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings

CreateModel = Callable[..., ServedModel]
"""Makes the model from a version's directory, `None` if it is code alone, and its own settings."""


def serve_program(
    project: Project, create_model: CreateModel, *model_settings: type[MeshSettings]
) -> Program:
    """The program `serve:serve` of a project.

    Args:
        model_settings: of the model itself; `create_model` gets an instance of each, after the
            directory.
    """

    class ProjectServeSettings(ServeSettings):
        """Serve the model over HTTP."""

        port: int = Field(
            project.port, ge=0, le=65535, description="TCP port; 0 takes any free one."
        )
        model_directory: Path | None = Field(
            None, description="Directory of a compiled version; by default the one downloaded last."
        )

    def serve(
        settings: ProjectServeSettings, workspace: WorkspaceSettings, *own: MeshSettings
    ) -> int:
        directory = settings.model_directory or workspace.served_model(project)
        return run_server(create_model(directory, *own), settings)

    return Program(
        component=f"{project.package}.serve",
        name="serve",
        run=serve,
        settings=(ProjectServeSettings, WorkspaceSettings, *model_settings),
        serves=True,
    )
