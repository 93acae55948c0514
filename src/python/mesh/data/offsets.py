"""Places of entities in texts, counted in the ways that tools count them."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Any, Literal

import regex

Unit = Literal["characters", "utf16", "bytes"]

# A letter or digit of a script that separates words.
_IN_WORD = regex.compile(
    r"[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]",
    regex.VERSION1,
)
_NEARLY_ALL = 0.98
_SAMPLE_ROWS = 2_000


@dataclass(frozen=True)
class Offsets:
    """How the places of entities are counted.

    Args:
        unit: characters, code units of UTF-16 or bytes of UTF-8.
        first: the number of the first one.
        is_inclusive: whether an end is the place of the last one, not that after it.
    """

    unit: Unit = "characters"
    first: Literal[0, 1] = 0
    is_inclusive: bool = False

    def __str__(self) -> str:
        """The setting for it."""
        parts = [
            *([self.unit] if self.unit != "characters" else []),
            *(["from-1"] if self.first else []),
            *(["inclusive"] if self.is_inclusive else []),
        ]
        return ",".join(parts) or "characters"

    @classmethod
    def parse(cls, text: str) -> "Offsets":
        """The offsets that a setting names.

        Raises:
            ValueError: a part of it is unknown.
        """
        parts = [part.strip() for part in text.split(",")]
        for offsets in _ALL:
            if sorted(str(offsets).split(",")) == sorted(parts):
                return offsets
        raise ValueError(
            f"{text!r} isn't a way to count; use characters, utf16 or bytes, from-1, inclusive, "
            "joined by commas"
        )

    def places(self, text: str) -> "Places":
        """The places of a text, to look up many."""
        return Places(text, self)


class Places:
    """The characters that places of a text stand for."""

    def __init__(self, text: str, offsets: Offsets) -> None:
        self._offsets = offsets
        self._starts = _unit_starts(text, offsets.unit)
        self._size = len(text)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in characters, from 0, the end exclusive; beyond the text if there is none."""
        last = end - self._offsets.first + self._offsets.is_inclusive
        return self._character(start - self._offsets.first), self._character(last)

    def _character(self, place: int) -> int:
        if self._starts is None or place < 0:
            return place
        found = bisect_left(self._starts, place)
        # Within a character, or after the text.
        return found if found <= self._size and self._starts[found : found + 1] == [place] else -1


def _unit_starts(text: str, unit: Unit) -> list[int] | None:
    """The place of each character and of the text's end; None where they are those of characters."""
    if unit == "characters" or text.isascii():
        return None
    if unit == "utf16":
        widths: Iterator[int] = (2 if ord(each) > 0xFFFF else 1 for each in text)
    else:
        widths = (len(each.encode("utf-8", "surrogatepass")) for each in text)
    return list(accumulate(widths, initial=0))


def span_problem(text: str, start: int, end: int, surface: object = None) -> str:
    """Why `text[start:end]` can't be an entity, or nothing.

    Args:
        surface: the entity's text, where the file has it.
    """
    if not 0 <= start < end <= len(text):
        return f"entity {start}:{end} is not within a text of {len(text)} characters"
    found = text[start:end]
    if found != found.strip():
        return f"entity {start}:{end}, {found!r}, begins or ends with white space"
    if _is_within_word(text, start) or _is_within_word(text, end):
        return f"entity {start}:{end}, {found!r}, begins or ends within a word"
    if isinstance(surface, str) and surface.split() != found.split():
        return f"entity {start}:{end} is {found!r}, not {surface!r}"
    return ""


def _is_within_word(text: str, place: int) -> bool:
    around = text[max(place - 1, 0) : place + 1]
    return 0 < place < len(text) and all(map(_IN_WORD.match, around))


class OffsetsCheck:
    """Finds out in which way most places of a file fit.

    Args:
        chosen: how they are read.
    """

    def __init__(self, chosen: Offsets) -> None:
        self._chosen = chosen
        self._rows: list[tuple[str, list[tuple[int, int, object]]]] = []

    def add(self, text: str, entities: Sequence[Mapping[str, Any]]) -> None:
        """Remember a row, with its places as the file has them."""
        if entities and len(self._rows) < _SAMPLE_ROWS:
            spans = [(each["start"], each["end"], each.get("surface")) for each in entities]
            self._rows.append((text, spans))

    def advice(self) -> str:
        """The way in which nearly all places fit, if it isn't the chosen one."""
        if self._fitting(self._chosen) >= _NEARLY_ALL:
            return ""
        better = max((each for each in _ALL if each != self._chosen), key=self._fitting)
        if self._fitting(better) < _NEARLY_ALL:
            return ""
        return f"nearly all entities fit as {better}: set INGEST_OFFSETS={better}"

    def _fitting(self, offsets: Offsets) -> float:
        total = fitting = 0
        for text, spans in self._rows:
            places = offsets.places(text)
            total += len(spans)
            fitting += sum(
                not span_problem(text, *places.span(start, end), surface)
                for start, end, surface in spans
            )
        return fitting / total if total else 1.0


_UNITS: tuple[Unit, ...] = ("characters", "utf16", "bytes")
_FIRST: tuple[Literal[0, 1], ...] = (0, 1)
_ALL = tuple(
    Offsets(unit, first, is_inclusive)
    for is_inclusive, first, unit in product((False, True), _FIRST, _UNITS)
)
