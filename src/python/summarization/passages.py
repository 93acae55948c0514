"""Splits texts into sentences, but keeps quotations of several sentences whole."""

from mesh.nlp.sentences import Span, split_sentences

LONGEST_QUOTATION = 1_000
"""In characters. A mark not closed within this distance and paragraph opens no quotation."""

_CLOSING = {"“": "”", "„": "“”", "«": "»", "「": "」", "『": "』", '"': '"', "»": "«"}


def split_passages(text: str, language: str) -> list[str]:
    """The sentences of a text, with whole quotations; inner white space becomes one space.

    Args:
        language: ISO 639-1 code.
    """
    quotations = iter(_quotations(text))
    quotation = next(quotations, None)
    passages: list[Span] = []
    for sentence in split_sentences(text, language):
        while quotation and quotation.end <= sentence.start:
            quotation = next(quotations, None)
        if passages and quotation and quotation.start < passages[-1].end < quotation.end:
            passages[-1] = Span(passages[-1].start, sentence.end)
        else:
            passages.append(sentence)
    return [" ".join(text[span.start : span.end].split()) for span in passages]


def _quotations(text: str) -> list[Span]:
    """The outermost quotations, with their marks."""
    found: list[Span] = []
    position = 0
    while position < len(text):
        if (closing := _CLOSING.get(text[position])) and (end := _end(text, position, closing)):
            found.append(Span(position, end))
            position = end
        else:
            position += 1
    return found


def _end(text: str, start: int, closing: str) -> int:
    """The end, exclusive, of the quotation that opens at `start`; 0 if it isn't closed."""
    limit = min(len(text), start + LONGEST_QUOTATION)
    paragraph = text.find("\n\n", start, limit)
    limit = paragraph if paragraph >= 0 else limit
    ends = [end for mark in closing if (end := text.find(mark, start + 1, limit)) >= 0]
    return min(ends) + 1 if ends else 0
