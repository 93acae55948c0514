"""Sentences: stops by Unicode's property, their meaning by each language's rules."""

import re
from collections.abc import Iterator
from functools import lru_cache
from string import ascii_lowercase
from typing import NamedTuple

import regex

from mesh.core.passes import checkpoint
from mesh.nlp.abbreviations import rules_of
from mesh.nlp.quotations import quotations
from mesh.nlp.stops import Stop, Stops

_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_SPACE = re.compile(r"\s*")
_CLOSING = r"[\p{Pe}\p{Pf}\p{Pi}\"'\uff02\uff07*_]"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
# Marks that are stops in one language.
_MORE_STOPS = {"el": ";\u037e", "hy": ":"}
# The number or letter of a list's item; or a run of stops with its closing marks and notes.
_CANDIDATE = (
    r"(?V1)(?<!\S)\(?(?P<item>\d{{1,3}}|[IVX]{{1,4}}|\p{{L}})[.\)]{{1,2}}(?=\s)"
    r"|(?P<stops>{stop}++)(?:{stop}|{closing})*+(?:\[\d{{1,3}}\])*+"
)
_LONGEST_ITEM = 5
"""Characters before the mark behind an item's number, with the bracket that opens it."""


class Span(NamedTuple):
    """The start and the end of a part of a text, in characters; the end is exclusive."""

    start: int
    end: int


def split_sentences(text: str, language: str = "en") -> list[Span]:
    """The spans of a text's sentences, in order, without the white space around them.

    An empty line ends a sentence too. A quotation or bracket of up to 300 characters is never
    divided. The time grows linearly with the text.

    Args:
        text: any text.
        language: ISO 639-1 code, also with a region ("pt-BR"); selects abbreviations and stops. A
            language without rules uses those of the nearest one, or of English.
    """
    code = re.split("[-_]", language.lower())[0]
    spans: list[Span] = []
    first = 0
    for last in [*(line.end() for line in _EMPTY_LINE.finditer(text)), len(text)]:
        block = text[first:last]
        start = 0
        for end in [*_borders(block, code), len(block)]:
            span = _strip(block, start, end)
            if span.start < span.end:
                spans.append(Span(first + span.start, first + span.end))
            start = end
        first = last
    return spans


def _borders(text: str, language: str) -> Iterator[int]:
    """The ends of a block's sentences, without the last one."""
    stops = Stops(text, rules_of(language))
    quoted = iter([*quotations(text), None])
    quotation = next(quoted)
    sentence = _after_space(text, 0)
    item = 0
    for match in _candidates(text, language):
        checkpoint()
        number = _number(match["item"])
        if match["item"] and match.start() == sentence:
            item = number
            continue
        border = match.end()
        while quotation and quotation.end < border:
            quotation = next(quoted)
        inside = quotation if quotation and quotation.start < border else None
        if inside and border < inside.end:
            if text[border : inside.end - 1].strip():
                continue
            # A closing mark behind a space, as in French.
            border = inside.end
        if item and number == item + 1 and stops.begins_item(match):
            item += 1
            border = match.start()
        else:
            start = match.end("item") if match["item"] else match.start()
            marks = match["stops"] or text[start : match.end()].rstrip(")")
            if not stops.end_sentence(Stop(sentence, start, border, marks, inside)):
                continue
        yield border
        sentence = _after_space(text, border)


def _candidates(text: str, language: str) -> Iterator[regex.Match[str]]:
    """What may end a sentence or begin the item of a list: the matches of `_CANDIDATE`."""
    mark, candidate = _patterns(language)
    position = 0
    # A set is searched for much faster than the whole pattern.
    while found := mark.search(text, position):
        match = candidate.search(text, max(position, found.start() - _LONGEST_ITEM))
        if match is None:
            return
        yield match
        position = match.end()


@lru_cache(maxsize=8)
def _patterns(language: str) -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    """The marks of which each candidate has one, and the candidates."""
    more = _MORE_STOPS.get(language, "")
    stop = rf"[\p{{Sentence_Terminal}}…‥{more}--\u104a]"
    mark = regex.compile(rf"(?V1)[{stop}.\)]")
    return mark, regex.compile(_CANDIDATE.format(stop=stop, closing=_CLOSING))


def _number(item: str | None) -> int:
    """The number of a list's item, also of a Roman one or a small letter; 0 of another one."""
    if not item:
        return 0
    if item.isdecimal():
        return int(item)
    return next((part.index(item) + 1 for part in (_ROMAN, ascii_lowercase) if item in part), 0)


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _strip(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return Span(start, start + len(part.strip()))
