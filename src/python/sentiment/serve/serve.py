"""Serve sentiment over HTTP."""

from pathlib import Path

from mesh.core.errors import UsageError
from mesh.serve.program import serve_program
from sentiment.project import PROJECT
from sentiment.serve.model import SentimentModel


def create_model(directory: Path | None) -> SentimentModel:
    """Make the model of a compiled version.

    Raises:
        UsageError: no directory is given.
    """
    if directory is None:
        raise UsageError("sentiment needs the directory of a compiled version.")
    return SentimentModel(directory)


main = serve_program(PROJECT, create_model)

if __name__ == "__main__":
    main()
