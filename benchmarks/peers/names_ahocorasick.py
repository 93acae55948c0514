"""Names by the automaton of Aho and Corasick, in C, as whole words."""

from collections.abc import Callable
from typing import Any

import ahocorasick


def load(setup: dict[str, Any]) -> Callable[[list[str]], list[Any]]:
    """The places of `names`, in the letter case that they are given in; the longest ones."""
    automaton = ahocorasick.Automaton()
    for name in setup["names"]:
        automaton.add_word(name, len(name))
    automaton.make_automaton()

    def places(text: str) -> list[tuple[int, int]]:
        spans = sorted(
            (last + 1 - length, -last)
            for last, length in automaton.iter(text)
            if not text[last + 1 : last + 2].isalnum()
            and not (last + 1 > length and text[last - length].isalnum())
        )
        found: list[tuple[int, int]] = []
        for start, minus_last in spans:
            if not found or start >= found[-1][1]:
                found.append((start, 1 - minus_last))
        return found

    return lambda texts: [places(text) for text in texts]
