"""Serve lsh over HTTP."""

from pathlib import Path

from lsh.project import PROJECT
from lsh.serve.model import LshModel
from mesh.serve.program import serve_program


def create_model(_directory: Path | None) -> LshModel:
    """Make the model; it needs no directory."""
    return LshModel()


main = serve_program(PROJECT, create_model)

if __name__ == "__main__":
    main()
