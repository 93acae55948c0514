"""Reading JSON files into pydantic models, with errors for people."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mesh.core.errors import MeshError
from mesh.core.files import read_json

Model = TypeVar("Model", bound=BaseModel)


def read_model(cls: type[Model], path: Path, advice: str) -> Model:
    """Read a JSON file.

    Args:
        advice: what to do about a file that is missing or malformed; ends the error's sentence.

    Raises:
        MeshError: the file is missing, not JSON, or not what the model asks for; the message names file and field.
    """
    try:
        return cls.model_validate(read_json(path))
    except ValidationError as error:
        raise MeshError(f"{path} is malformed: {describe_invalid(error)}; {advice}.") from error
    except MeshError as error:
        raise MeshError(f"{str(error).removesuffix('.')}; {advice}.") from error


def describe_invalid(error: ValidationError) -> str:
    """The first problem of a validation error, as `field: message`."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}" if field else str(first["msg"])
