"""Predictions without a server, by the server's own code."""

from pydantic import BaseModel, ValidationError

from mesh.core.errors import UsageError
from mesh.core.project import Project
from mesh.core.steps import find_program
from mesh.serve.model import ServedModel
from mesh.serve.program import model_class


def create_model(project: Project, *, load: bool) -> ServedModel:
    """Create the model that the project's server serves.

    Raises:
        MeshError: no compiled version is in `models/`, or it can't be loaded.
    """
    settings, workspace, *own = find_program(project, "serve:serve").load_settings()
    directory = settings.model_directory or workspace.served_model(project)
    model = model_class(project)(directory, *own)
    if load:
        with settings.placement.applied():
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
