"""Clauses: the part of a sentence that judges one of its entities."""

import re

from mesh.nlp.sentences import Span

_CONJUNCTIONS = {
    "en": "although|and|because|but|so|that|though|unlike|when|where|whereas|which|while|who|whom|yet"
}
_MARK = r"[,;:]\s+|\s[\u2013\u2014-]\s+"
_FEWEST_WORDS = 3


def split_clauses(sentence: str, language: str = "en") -> list[Span]:
    """The spans of a sentence's clauses, in order; together they cover it.

    A clause ends at a comma, semicolon, colon or dash, or before a conjunction. One of fewer than
    three words goes with the next one. The time is linear.

    Args:
        language: ISO 639-1 code; sentences of a language without conjunctions here end at marks
            alone.
    """
    borders = [found.end() for found in _border(language).finditer(sentence)]
    clauses: list[Span] = []
    start = 0
    for end in (*borders, len(sentence)):
        if len(sentence[start:end].split()) >= _FEWEST_WORDS:
            clauses.append(Span(start, end))
            start = end
    if start < len(sentence):
        # What is left at the end goes with the clause before.
        first = clauses.pop().start if clauses else 0
        clauses.append(Span(first, len(sentence)))
    return clauses


def _border(language: str) -> re.Pattern[str]:
    words = _CONJUNCTIONS.get(language)
    # Without the first condition, each character of a long space would begin another search.
    before_word = rf"|(?<!\s)\s+(?=(?:{words})\b)" if words else ""
    return re.compile(_MARK + before_word, re.IGNORECASE)
