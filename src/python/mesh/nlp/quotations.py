"""Quotations and brackets of a text, by their marks; no sentence ends within one."""

import re
from typing import NamedTuple

BRACKETS = frozenset("([{\uff08")
"""Opening marks of brackets, which aren't marks of quotations."""

LONGEST = 300
"""In characters. Longer ones are several sentences rather than a part of one."""

# What closes each opening mark; some languages open with the others' closing mark.
_CLOSING = {
    "(": ")", "[": "]", "{": "}", "\uff08": "\uff09", "「": "」", "『": "』", "《": "》", "〈": "〉",
    "【": "】", "“": "”", "„": "“”", "”": "”", "«": "»", "»": "«", "\u2039": "\u203a",
    "\u203a": "\u2039", "\u2018": "\u2019", "\u201a": "\u2018\u2019", '"': '"', "\uff02": "\uff02",
}  # fmt: skip
# Marks that open only where a word begins, because they close elsewhere.
_BOTH = frozenset('"”»\u203a\u2018\u2019«\u2039')
_MARK = re.compile(f"[{re.escape(''.join([*_CLOSING, *_CLOSING.values()]))}]")
# More are never open at a time; a row of opening marks costs no more than any other text.
_DEEPEST = 8


class Quotation(NamedTuple):
    """The positions of the opening mark and of the end of the closing one; the mark itself."""

    start: int
    end: int
    mark: str


def quotations(text: str, longest: int = LONGEST) -> list[Quotation]:
    """The outermost quotations and brackets of at most `longest` characters, in order."""
    found: list[Quotation] = []
    opened: list[tuple[str, int]] = []
    for match in _MARK.finditer(text):
        mark, start = match.group(), match.start()
        for depth in range(len(opened) - 1, -1, -1):
            opening, position = opened[depth]
            if mark in _CLOSING[opening] and _closes(text, start, mark):
                del opened[depth:]
                if start - position < longest:
                    while found and found[-1].start > position:
                        found.pop()
                    found.append(Quotation(position, start + 1, opening))
                break
        else:
            if mark in _CLOSING and (mark not in _BOTH or _begins(text, start)):
                opened = [*opened[-_DEEPEST:], (mark, start)]
    return found


def _begins(text: str, position: int) -> bool:
    return (
        not text[position - 1 : position].isalnum()
        and text[position + 1 : position + 2] not in ".,;:!?"
    )


def _closes(text: str, position: int, mark: str) -> bool:
    """Whether a mark isn't an apostrophe or the opening mark of the next quotation."""
    after = text[position + 1 : position + 2]
    if mark == "\u2019":
        return not after.isalnum()
    return mark not in _BOTH or not (after.isalnum() and text[position - 1 : position].isspace())
