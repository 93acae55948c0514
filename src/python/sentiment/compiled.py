"""A compiled model as the server uses it."""

from pathlib import Path

from mesh.compile.artifact import CompiledModel
from sentiment.model import SentimentAnalyser


def load_analyser(directory: Path, threads: int = 1) -> SentimentAnalyser:
    """Load the network of a compiled model.

    Args:
        directory: the folder `compiled/` of a version.
        threads: cores that one call may use.

    Raises:
        MeshError: a file is missing or damaged, or what the backend needs is not installed.
    """
    model = CompiledModel.load(directory, threads)
    return SentimentAnalyser(model, model.spec.labels)
