"""Predictions without a server, by the code that the server runs."""

import importlib

from mesh.core.project import Project
from mesh.core.settings import load_settings
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel


def create_model(project: Project, *, load: bool) -> ServedModel:
    """Make the model that the project's server serves.

    Raises:
        MeshError: no compiled version is in `models/`, or it can't be loaded.
    """
    (workspace,) = load_settings([WorkspaceSettings])
    directory = workspace.current_model(project) if project.kind == "trained" else None
    model: ServedModel = importlib.import_module(project.module("serve:serve")).create_model(
        directory
    )
    if load:
        model.load()
    return model
