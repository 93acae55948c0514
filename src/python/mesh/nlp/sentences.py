"""Sentences of a text in many languages, by the rules of the `sentencex` package."""

import re
from typing import NamedTuple

# Halves of characters, which no UTF-8 text holds.
_SURROGATES = re.compile("[\ud800-\udfff]")


class Span(NamedTuple):
    """Where a part of a text begins and ends, in characters; the end is exclusive."""

    start: int
    end: int


def split_sentences(text: str, language: str = "en") -> list[Span]:
    """The spans of a text's sentences, in order, without the white space around them.

    An empty line ends a sentence too. The time grows linearly with the text.

    Args:
        language: ISO 639-1 code, whose abbreviations and punctuation are used; for a language without rules of its
            own, those of the nearest that has, in the end English.
    """
    import sentencex

    found = sentencex.get_sentence_boundaries(language, _SURROGATES.sub("?", text))
    spans = (_strip(text, part["start_index"], part["end_index"]) for part in found)
    return [span for span in spans if span.start < span.end]


def _strip(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return Span(start, start + len(part.strip()))
