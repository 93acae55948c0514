"""Predictions without a server, by the server's own code."""

from pydantic import BaseModel, ValidationError

from mesh.core.errors import UsageError
from mesh.core.program import component_folder
from mesh.core.project import Project
from mesh.core.settings import find_env_file, load_settings
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.model import ServedModel
from mesh.serve.program import model_class


def create_model(project: Project, *, load: bool) -> ServedModel:
    """Create the model that the project's server serves.

    Raises:
        MeshError: no compiled version is in `models/`, or it can't be loaded.
    """
    env_file = find_env_file(component_folder(f"{project.package}.serve"))
    kind = model_class(project)
    workspace, *own = load_settings([WorkspaceSettings, *kind.settings], env_file=env_file)
    model = kind(workspace.served_model(project), *own)
    if load:
        model.load()
    return model


def make_request(model: ServedModel, text: str) -> BaseModel:
    """The request to predict one text.

    Raises:
        UsageError: the model doesn't accept this text.
    """
    try:
        return model.example_request(text)
    except ValidationError as error:
        raise UsageError(f"This text can't be predicted: {error.errors()[0]['msg']}.") from error
