"""The language that a text is written in, by the `py3langid` package and the model that it carries."""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MINIMUM_PROBABILITY = 0.6
"""Below it no language is named: at 0.6, none of 872 English sentences of 1 to 47 words was taken for another."""

_READ_CHARACTERS = 2_000
_NO_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class DetectedLanguage:
    """The likeliest language of a text.

    Args:
        code: ISO 639 code, or None where the text is too short or too mixed to tell.
        probability: of the likeliest language, named or not.
    """

    code: str | None
    probability: float


def detect_language(text: str, minimum: float = MINIMUM_PROBABILITY) -> DetectedLanguage:
    """Detect the language of a text from its first 2,000 characters, addresses, mentions and tags left out.

    Args:
        minimum: probability below which the language is unknown.
    """
    sample = _NO_LANGUAGE.sub(" ", text[:_READ_CHARACTERS])
    if not _LETTER.search(sample):
        return DetectedLanguage(None, 0.0)
    code, probability = _identifier().classify(sample.strip())
    return DetectedLanguage(code if probability >= minimum else None, float(probability))


@cache
def _identifier() -> "LanguageIdentifier":
    """The model, which takes most of a second to read."""
    from py3langid.langid import MODEL_FILE
    from py3langid.langid import LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
