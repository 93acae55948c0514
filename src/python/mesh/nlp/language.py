"""The language of a text, by the package `py3langid` and its model."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.core.errors import MeshError
from mesh.core.files import read_json, write_json_atomic

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MINIMUM_PROBABILITY = 0.6
"""Below it the language is unknown; at 0.6, all of 872 English sentences are right or unknown."""

LANGUAGES_FILE = "languages.json"
"""Beside a model: the ISO 639 codes of the languages that it supports."""

READ_CHARACTERS = 2_000
"""The language is that of a text's first characters."""

_NO_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class DetectedLanguage:
    """The likeliest language of a text.

    Args:
        code: ISO 639 code, or None if the text is too short or too mixed.
        probability: of the likeliest language, whether it is named or not.
    """

    code: str | None
    probability: float


def detect_language(text: str, minimum: float = MINIMUM_PROBABILITY) -> DetectedLanguage:
    """Detect the language of a text's first 2,000 characters, without URLs, mentions and tags.

    Args:
        minimum: probability below which the language is unknown.
    """
    found = language_probabilities(without_addresses(text[:READ_CHARACTERS]))
    if not found:
        return DetectedLanguage(None, 0.0)
    code, probability = next(iter(found.items()))
    return DetectedLanguage(code if probability >= minimum else None, probability)


def without_addresses(text: str) -> str:
    """A text with a space in the place of each URL, address, mention and tag."""
    return _NO_LANGUAGE.sub(" ", text)


def language_probabilities(text: str) -> dict[str, float]:
    """The probability of each language, the likeliest first; empty for a text without letters."""
    if not _LETTER.search(text):
        return {}
    return {code: float(probability) for code, probability in _identifier().rank(text.strip())}


def write_languages(folder: Path, languages: Collection[str]) -> None:
    """Store the languages of a model in its folder."""
    write_json_atomic(folder / LANGUAGES_FILE, sorted(languages))


def read_languages(folder: Path) -> frozenset[str]:
    """The languages of the model in a folder.

    Raises:
        MeshError: the file is missing, or isn't a list of codes.
    """
    languages = read_json(folder / LANGUAGES_FILE)
    if not isinstance(languages, list) or not all(isinstance(code, str) for code in languages):
        raise MeshError(
            f"{folder / LANGUAGES_FILE} isn't a list of codes; compile the model again."
        )
    return frozenset(languages)


@cache
def _identifier() -> "LanguageIdentifier":
    """The model, which takes most of a second to read."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
