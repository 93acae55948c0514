"""Offsets in UTF-16 units, which programs in Java and other languages use."""

from bisect import bisect_left
from itertools import accumulate

_LAST_OF_ONE_UNIT = "\uffff"


class Utf16Offsets:
    """The positions of a text's characters in UTF-16; emoji and rare letters are two units."""

    def __init__(self, text: str) -> None:
        sizes = (2 if character > _LAST_OF_ONE_UNIT else 1 for character in text)
        self._units = list(accumulate(sizes, initial=0))

    def to_utf16(self, position: int) -> int:
        """The unit at which the character at `position` begins."""
        return self._units[position]

    def from_utf16(self, unit: int) -> int | None:
        """The position of the character, or the end of the text, at a unit; None inside of one."""
        position = bisect_left(self._units, unit)
        found = position < len(self._units) and self._units[position] == unit
        return position if found else None
