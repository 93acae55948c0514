"""Predictions without a server, by the code that the server runs."""

import importlib

from pydantic import BaseModel
from pydantic import ValidationError

from mesh.core.errors import UsageError
from mesh.core.program import component_folder
from mesh.core.project import Project
from mesh.core.settings import find_env_file
from mesh.core.settings import load_settings
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel


def create_model(project: Project, *, load: bool) -> ServedModel:
    """Make the model that the project's server serves.

    Raises:
        MeshError: no compiled version is in `models/`, or it can't be loaded.
    """
    env_file = find_env_file(component_folder(f"{project.package}.serve"))
    (workspace,) = load_settings([WorkspaceSettings], env_file=env_file)
    directory = workspace.current_model(project) if project.kind == "trained" else None
    model: ServedModel = importlib.import_module(project.module("serve:serve")).create_model(
        directory
    )
    if load:
        model.load()
    return model


def make_request(model: ServedModel, text: str) -> BaseModel:
    """The request that asks a model about one text.

    Raises:
        UsageError: the model does not take this text.
    """
    try:
        return model.example_request(text)
    except ValidationError as error:
        raise UsageError(f"This text can't be predicted: {error.errors()[0]['msg']}.") from error
