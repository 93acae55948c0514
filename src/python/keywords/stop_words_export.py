"""Writes the English stop words for a compiled model, so that serving it needs no scikit-learn."""

from pathlib import Path

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS as SKLEARN_ENGLISH_STOP_WORDS

from keywords.candidates import ENGLISH_STOP_WORDS
from mesh.core.files import write_json_atomic


def english_stop_words() -> frozenset[str]:
    """The list that scikit-learn, and so KeyBERT, calls "english"."""
    return frozenset(SKLEARN_ENGLISH_STOP_WORDS)


def write_english_stop_words(directory: Path) -> Path:
    """Write the English list below `directory`, and return the file.

    `read_english_stop_words` reads it there.
    """
    path = directory / ENGLISH_STOP_WORDS
    write_json_atomic(path, sorted(english_stop_words()))
    return path
