"""Reading documents: a text each of whose characters knows where it came from."""

import unicodedata
from array import array
from dataclasses import dataclass
from typing import Self

import regex

from mesh.nlp.normal_form import MANY_MARKS, SEQUENCE

# Invisible control and format characters, except for the joiners, which change letters and emoji.
_INVISIBLE = regex.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u180e\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]++"
)
# A soft hyphen at a line's end takes the line break with it.
_SOFT_HYPHEN = regex.compile(r"\xad++(?:[ \t]*+(?:\r\n|[\n\r\u2028])[ \t]*+)?+")


@dataclass(frozen=True)
class TracedText:
    """A text and its origin: `text[i]` stands for `original[starts[i]:ends[i]]`.

    Args:
        text: the characters.
        starts: for each character, the start of its origin; never decreasing.
        ends: the end of its origin, exclusive; never decreasing.
        is_original: whether it is the original text, of which nothing was taken out or replaced.
    """

    text: str
    starts: "array[int]"
    ends: "array[int]"
    is_original: bool = False

    @classmethod
    def of(cls, original: str) -> Self:
        """The original text, which stands for itself."""
        length = len(original)
        return cls(original, _numbers(0, length), _numbers(1, length + 1), is_original=True)


class Tracing:
    """Writes a text made of the parts of another one."""

    def __init__(self, source: TracedText) -> None:
        self.source = source
        self._parts: list[str] = []
        self._starts = array("l")
        self._ends = array("l")

    def __len__(self) -> int:
        """The number of characters so far."""
        return len(self._starts)

    def keep(self, start: int, end: int) -> None:
        """Append `source.text[start:end]` as it is."""
        self._parts.append(self.source.text[start:end])
        self._starts.extend(self.source.starts[start:end])
        self._ends.extend(self.source.ends[start:end])

    def put(self, value: str, start: int, end: int) -> None:
        """Append characters, each of which stands for the whole of `source.text[start:end]`."""
        self._append(value, self.source.starts[start], self.source.ends[end - 1])

    def separate(self, value: str, before: int, after: int) -> None:
        """Append characters for what is between the end `before` and the start `after`."""
        self._append(value, self.source.ends[before - 1], self.source.starts[after])

    def mark(self, value: str) -> None:
        """Append characters that stand for nothing."""
        end = self._ends[-1] if self._ends else 0
        self._append(value, end, end)

    def _append(self, value: str, start: int, end: int) -> None:
        self._parts.append(value)
        self._starts.extend([start] * len(value))
        self._ends.extend([end] * len(value))

    def written(self) -> TracedText:
        """The text."""
        return TracedText("".join(self._parts), self._starts, self._ends)


def without_invisible(source: TracedText) -> TracedText:
    """The text without invisible characters; a soft hyphen at a line's end joins the lines."""
    # What is printable isn't invisible; most texts are, and tell it at once.
    if source.text.replace("\n", "").isprintable():
        return source
    # In this order, since other invisible characters may stand between a soft hyphen and the break.
    return _without(_without(source, _INVISIBLE), _SOFT_HYPHEN)


def _without(source: TracedText, pattern: regex.Pattern[str]) -> TracedText:
    if not pattern.search(source.text):
        return source
    tracing = Tracing(source)
    position = 0
    for match in pattern.finditer(source.text):
        tracing.keep(position, match.start())
        position = match.end()
    tracing.keep(position, len(source.text))
    return tracing.written()


def composed(source: TracedText) -> TracedText:
    """The text in NFC; a composed character stands for all that it is composed of.

    In a row of more than 30 marks, marks can stay apart.
    """
    text = source.text
    if text.isascii():
        return source
    if not MANY_MARKS.search(text) and unicodedata.is_normalized("NFC", text):
        return source
    tracing = Tracing(source)
    kept = 0
    for match in SEQUENCE.finditer(text):
        normal = unicodedata.normalize("NFC", match[0])
        if normal != match[0]:
            tracing.keep(kept, match.start())
            tracing.put(normal, *match.span())
            kept = match.end()
    tracing.keep(kept, len(text))
    return tracing.written()


def _numbers(start: int, end: int) -> "array[int]":
    import numpy as np

    # Faster than from a range, which makes an object of each number.
    return array("l", np.arange(start, end, dtype="l").tobytes())
