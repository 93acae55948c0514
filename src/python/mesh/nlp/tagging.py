"""Entities as tags of words: `O`, `B-<label>` or `I-<label>` (Ramshaw & Marcus, 1995)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mesh.nlp.segmentation import Word

OUTSIDE = "O"


class TaggedSpan(NamedTuple):
    """An entity of the words `first` to `last`, both included."""

    first: int
    last: int
    label: str


class LabelledSpan(NamedTuple):
    """An entity in a text: `text[start:end]`."""

    start: int
    end: int
    label: str


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
    """The entities of tags; an `I` without a `B` of its label begins one, as in seqeval."""
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
    """For each word the number of the first token that covers a part of it, or None.

    Args:
        offsets: of each token, the first character and the one after the last; special tokens are
            empty.
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
