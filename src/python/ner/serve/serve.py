"""Serve ner over HTTP."""

from pathlib import Path

from mesh.core.errors import UsageError
from mesh.serve.program import serve_program
from ner.project import PROJECT
from ner.serve.model import NerModel


def create_model(directory: Path | None) -> NerModel:
    """Make the model of a compiled version.

    Raises:
        UsageError: no directory is given.
    """
    if directory is None:
        raise UsageError("ner needs the directory of a compiled version.")
    return NerModel(directory)


main = serve_program(PROJECT, create_model)

if __name__ == "__main__":
    main()
