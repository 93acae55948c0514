"""A compiled model as the server uses it."""

from pathlib import Path

from keywords.model import KeywordExtractor
from keywords.stop_words import read_english_stop_words
from keywords.vocabulary import Vocabulary
from mesh.compile.artifact import CompiledModel


def load_extractor(directory: Path, threads: int = 1) -> KeywordExtractor:
    """Load the network, the English stop words and the vocabulary of a compiled model.

    Args:
        directory: the folder `compiled/` of a version.
        threads: cores that one call may use.

    Raises:
        MeshError: a file is missing or damaged, or what the backend needs is not installed.
    """
    return KeywordExtractor(
        CompiledModel.load(directory, threads),
        read_english_stop_words(directory),
        vocabulary=Vocabulary.read(directory),
    )
