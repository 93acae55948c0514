"""`serve:serve`: the program that serves a project's model."""

import importlib
from pathlib import Path

from pydantic import Field

from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings


def program(project: Project) -> Program:
    """The program `serve:serve` of a project."""
    model = model_class(project)

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
        return run_server(model(directory, *own), settings)

    return Program(
        component=f"{project.package}.serve",
        name="serve",
        run=serve,
        settings=(ProjectServeSettings, WorkspaceSettings, *model.settings),
        serves=True,
    )


def model_class(project: Project) -> type[ServedModel]:
    """The class of a project's served model, which its `serve/model.py` declares as `MODEL`."""
    model: type[ServedModel] = importlib.import_module(f"{project.package}.serve.model").MODEL
    return model
