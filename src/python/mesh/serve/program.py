"""`serve:serve`: the program that serves a project's model."""

import importlib
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError, describe_invalid
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.serving_defaults import SERVING, ServingDefaults
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings

Settings = TypeVar("Settings", bound=ServeSettings)


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
        return run_server(model(directory, *own), with_defaults_of(directory, settings))

    return Program(
        component=f"{project.package}.serve",
        name="serve",
        run=serve,
        settings=(ProjectServeSettings, WorkspaceSettings, *model.settings),
        serves=True,
    )


def with_defaults_of(directory: Path | None, settings: Settings) -> Settings:
    """The settings, with what was measured for a version in place of those that nobody has set.

    Raises:
        MeshError: they are malformed.
    """
    try:
        stored = ModelCard.read(directory).settings.get(SERVING) if directory else None
    except MeshError:
        # Loading refuses the version, with the names of all damaged files.
        return settings
    if not stored:
        return settings
    try:
        measured = ServingDefaults.model_validate(stored)
    except ValidationError as error:
        raise MeshError(
            f"The card of {directory} is malformed: {SERVING}: {describe_invalid(error)}; get or "
            "make the version again."
        ) from error
    chosen = measured.model_dump(exclude=settings.model_fields_set)
    return settings.model_copy(update=chosen)


def model_class(project: Project) -> type[ServedModel]:
    """The class of a project's served model, which its `serve/model.py` declares as `MODEL`."""
    model: type[ServedModel] = importlib.import_module(f"{project.package}.serve.model").MODEL
    return model
