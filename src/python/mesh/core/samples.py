"""Sample documents of a project: a JSON list of texts."""

import importlib.resources
from pathlib import Path

from mesh.core.errors import MeshError
from mesh.core.files import read_json


def read_samples(source: str | Path) -> list[str]:
    """Read sample documents.

    Args:
        source: a file of a package, as `package:file`, or the path of another file.

    Raises:
        MeshError: the file is missing, or isn't a JSON list of at least one non-empty text.
    """
    samples = read_json(packaged_file(source) if isinstance(source, str) else source)
    if not isinstance(samples, list) or not samples or not all(map(_is_text, samples)):
        raise MeshError(f"{source} must hold a JSON list of at least one non-empty text.")
    return samples


def packaged_file(source: str) -> Path:
    """The path of a file of a package, given as `package:file`."""
    package, _, name = source.partition(":")
    return Path(str(importlib.resources.files(package).joinpath(name)))


def _is_text(value: object) -> bool:
    """Whether a value is a text that can be written again: JSON allows surrogates."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
