"""Sentences of a text in many languages, by the rules of the package `sentencex`."""

import re
from typing import NamedTuple

# Surrogates, which have no UTF-8 form.
_SURROGATES = re.compile("[\ud800-\udfff]")


class Span(NamedTuple):
    """The start and the end of a part of a text, in characters; the end is exclusive."""

    start: int
    end: int


def split_sentences(text: str, language: str = "en") -> list[Span]:
    """The spans of a text's sentences, in order, without the white space around them.

    An empty line ends a sentence too. The time grows linearly with the text.

    Args:
        language: ISO 639-1 code; selects abbreviations and punctuation. A language without rules
            uses those of the nearest one, or of English.
    """
    import sentencex

    found = sentencex.get_sentence_boundaries(language, _SURROGATES.sub("?", text))
    spans = (_strip(text, part["start_index"], part["end_index"]) for part in found)
    return [span for span in spans if span.start < span.end]


def _strip(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return Span(start, start + len(part.strip()))
