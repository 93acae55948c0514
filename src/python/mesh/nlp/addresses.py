"""Addresses, handles and tags in a text, which are no names although names are in them."""

from bisect import bisect_left
from collections.abc import Sequence

import regex

from mesh.nlp.sentences import Span

# Each part begins where no run of its own characters goes on, so the time is linear.
_PATH = r"[^\s<>\"\u201c\u201d\u00ab\u00bb\u2026\u3000-\u303f\uff00-\uffef]"
_ADDRESS = regex.compile(
    rf"""
    (?<![\w+.-]) [A-Za-z][A-Za-z0-9+.-]*+ :// {_PATH}+
    | (?<!\w) www \. {_PATH}+
    | (?<![\w+.-]) [\w+.-]*+ (?: [@\uff20] [\w-]++ (?: \. [\w-]++ )*+ )+
    | (?<![\w&]) (?: [#\uff03] \w+ )+
    | (?<![\w.-]) (?: [A-Za-z0-9-]++ \. )++ [A-Za-z]{{2,}} / {_PATH}*
    """,
    regex.VERBOSE,
)
# A letter after the run belongs to the last label, which then is no top level.
_HOST = regex.compile(r"(?<![\w.-])[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++\w?")
_TOP_LEVELS = frozenset(
    "com org net edu gov info io ai app dev tv eu uk us ca au in de at ch fr es it pt br nl be se no dk "
    "fi pl cz ie jp cn ru".split()
)
_CLOSING = ".,;:!?\"'()[]{}<>\u2019\u201d\u00bb\u2026"


def find_addresses(text: str) -> list[Span]:
    """The URLs, e-mail addresses, handles and hashtags of a text, in order."""
    return [
        Span(match.start(), match.start() + len(match[0].rstrip(_CLOSING)))
        for match in _ADDRESS.finditer(text)
    ]


def find_domains(text: str) -> list[Span]:
    """The names of hosts, in order; some are names of companies too, such as `Amazon.com`."""
    found = []
    for match in _HOST.finditer(text):
        labels = match[0].split(".")
        end = match.end()
        # A name ends with its last label that is a top level; `Amazon.com.Then` ends before `Then`.
        while len(labels) > 1:
            if labels[-1] in _TOP_LEVELS:
                found.append(Span(match.start(), end))
                break
            end -= len(labels.pop()) + 1
    return found


def cuts(spans: Sequence[Span], position: int) -> bool:
    """Whether a position is within one of the ordered spans, and at neither of its ends."""
    last = bisect_left(spans, position, key=lambda span: span.start) - 1
    return last >= 0 and position < spans[last].end
