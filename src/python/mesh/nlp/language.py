"""The language of a text, by the package `py3langid` and its model."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.core.errors import MeshError, UsageError
from mesh.core.files import read_json, write_json_atomic
from mesh.nlp.document import read_document

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MINIMUM_PROBABILITY = 0.6
"""Below it the language is unknown; at 0.6, all of 872 English sentences are right or unknown."""

CERTAIN_PROBABILITY = 0.95
CERTAIN_WORDS = 4
"""A text of fewer words, often only a name, is never refused for its detected language."""

LANGUAGES_FILE = "languages.json"
"""Beside a model: the ISO 639 codes of the languages that it supports."""

_READ_CHARACTERS = 2_000
_CHECKED_CHARACTERS = 10_000
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
    sample = _NO_LANGUAGE.sub(" ", text[:_READ_CHARACTERS])
    if not _LETTER.search(sample):
        return DetectedLanguage(None, 0.0)
    code, probability = _identifier().classify(sample.strip())
    return DetectedLanguage(code if probability >= minimum else None, float(probability))


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


def require_languages(
    documents: Sequence[str], declared: str, supported: Collection[str], *, detect: bool
) -> None:
    """Refuse documents in a language that a model doesn't support.

    Args:
        documents: may contain HTML.
        declared: their language according to the client, as ISO 639 code.
        detect: whether to refuse also documents that are almost certainly in another language.

    Raises:
        UsageError: the declared language is not supported, or the detected one of a document is
            not.
    """
    known = ", ".join(sorted(supported))
    if declared not in supported:
        raise UsageError(f"The language {declared!r} is not supported; this model knows {known}.")
    for number, document in enumerate(documents if detect else ()):
        text = read_document(document[:_CHECKED_CHARACTERS]).text
        found = detect_language(text, CERTAIN_PROBABILITY)
        if found.code and found.code not in supported and len(text.split()) >= CERTAIN_WORDS:
            raise UsageError(
                f"Document {number} looks like {found.code!r} (probability {found.probability:.3f}), not {declared!r}; "
                f"this model knows {known}. Set check_language to false if it is {declared!r}."
            )


@cache
def _identifier() -> "LanguageIdentifier":
    """The model, which takes most of a second to read."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
