"""The words that are dropped from keywords."""

from collections.abc import Sequence, Set
from pathlib import Path

from mesh.core.errors import MeshError
from mesh.core.files import read_json
from mesh.nlp.stop_words import language_code, stop_words

ENGLISH_STOP_WORDS = "stop_words/english.json"
"""The English list of a compiled model: a JSON list of strings, below the model's directory."""


def read_english_stop_words(directory: Path) -> frozenset[str]:
    """Read the English list of a compiled model.

    Raises:
        MeshError: the file is missing, or not a list of strings.
    """
    path = directory / ENGLISH_STOP_WORDS
    words = read_json(path)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise MeshError(f"{path} does not hold a list of strings: compile the model again.")
    return frozenset(words)


def resolve_stop_words(choice: str | Sequence[str] | None, english: Set[str]) -> Set[str]:
    """The words that a configuration drops.

    Args:
        choice: a language by English name or ISO 639-1 code, or the words themselves, or none.
        english: the list for English; those of other languages come from `mesh.nlp`.

    Raises:
        UsageError: the language is unknown.
    """
    if choice is None:
        return frozenset()
    if not isinstance(choice, str):
        return frozenset(choice)
    code = language_code(choice)
    return english if code == "en" else stop_words(code)
