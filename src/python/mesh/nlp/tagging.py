"""Entities as tags of words: one `O`, `B-<label>` or `I-<label>` (Ramshaw & Marcus, 1995) for each word."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import regex

OUTSIDE = "O"

# Scripts written without spaces give one word for each character, as tokenizers cut them.
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
    r"|[\p{L}\p{M}\p{N}--\p{Han}--\p{Hiragana}--\p{Katakana}--\p{Thai}--\p{Lao}--\p{Khmer}--\p{Myanmar}]+"
    r"|[^\s\p{L}\p{M}\p{N}]",
    regex.VERSION1,
)


class Word(NamedTuple):
    """A run of letters and digits, or a single other character: `text[start:end]`."""

    start: int
    end: int


class TaggedSpan(NamedTuple):
    """The words `first` to `last`, both included, which together are an entity."""

    first: int
    last: int
    label: str


class LabelledSpan(NamedTuple):
    """An entity in a text: `text[start:end]`."""

    start: int
    end: int
    label: str


def split_words(text: str) -> list[Word]:
    """The words and punctuation marks of a text, in order."""
    return [Word(*match.span()) for match in _WORD.finditer(text)]


def tag_set(labels: Sequence[str]) -> tuple[str, ...]:
    """Every tag for these labels, `O` first."""
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


def tag_words(words: Sequence[Word], entities: Iterable[LabelledSpan]) -> list[str]:
    """The tag of each word; a word that begins within an entity belongs to it."""
    tags = [OUTSIDE] * len(words)
    for entity in entities:
        prefix = "B"
        for number, word in enumerate(words):
            if entity.start <= word.start < entity.end:
                tags[number] = f"{prefix}-{entity.label}"
                prefix = "I"
    return tags


def tagged_spans(tags: Sequence[str]) -> list[TaggedSpan]:
    """The entities that tags stand for; an `I` without a `B` of its label before it begins one, as seqeval has it."""
    found: list[TaggedSpan] = []
    label = ""
    for number, tag in enumerate(tags):
        prefix, _, new = tag.partition("-")
        if prefix == "I" and new == label:
            found[-1] = found[-1]._replace(last=number)
        elif new:
            found.append(TaggedSpan(number, number, new))
        label = new
    return found


def first_tokens(words: Sequence[Word], offsets: Sequence[tuple[int, int]]) -> list[int | None]:
    """For each word the number of the first token that covers a part of it; None where none does.

    Args:
        offsets: first character and the one after the last, for each token; special tokens are empty.
    """
    tokens = [(number, start, end) for number, (start, end) in enumerate(offsets) if start < end]
    found: list[int | None] = []
    position = 0
    for word in words:
        while position < len(tokens) and tokens[position][2] <= word.start:
            position += 1
        covered = position < len(tokens) and tokens[position][1] < word.end
        found.append(tokens[position][0] if covered else None)
    return found
