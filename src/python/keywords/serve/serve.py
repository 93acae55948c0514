"""Serve keywords over HTTP."""

from pathlib import Path

from keywords.project import PROJECT
from keywords.serve.model import KeywordsModel
from mesh.core.errors import UsageError
from mesh.serve.program import serve_program


def create_model(directory: Path | None) -> KeywordsModel:
    """Make the model of a compiled version.

    Raises:
        UsageError: no directory is given.
    """
    if directory is None:
        raise UsageError("keywords needs the directory of a compiled version.")
    return KeywordsModel(directory)


main = serve_program(PROJECT, create_model)

if __name__ == "__main__":
    main()
