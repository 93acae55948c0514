"""`serve:serve`: the program that serves a project's model."""

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings

CreateModel = Callable[[Path | None], ServedModel]
"""Makes the model from a version's directory; from nothing if the project's code is the model."""


def serve_program(project: Project, create_model: CreateModel) -> Program:
    """The program `serve:serve` of a project."""

    class ProjectServeSettings(ServeSettings):
        """Serve the model over HTTP."""

        port: int = Field(
            project.port, ge=0, le=65535, description="TCP port; 0 takes any free one."
        )
        model_directory: Path | None = Field(
            None, description="Directory of a compiled version; by default the one downloaded last."
        )

    def serve(settings: ProjectServeSettings, workspace: WorkspaceSettings) -> int:
        directory = settings.model_directory
        if project.kind == "trained" and directory is None:
            directory = workspace.current_model(project)
        return run_server(create_model(directory), settings)

    return Program(
        component=f"{project.package}.serve",
        name="serve",
        run=serve,
        settings=(ProjectServeSettings, WorkspaceSettings),
    )
