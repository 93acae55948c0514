"""Entities as tags of words: `O`, `B-<label>` or `I-<label>` (Ramshaw & Marcus, 1995)."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesh.nlp.segmentation import Word
from mesh.nlp.softmax import softmax
from mesh.nlp.tagger_text import TaggerText
from mesh.nlp.words import split_words

OUTSIDE = "O"

_MARKS_THAT_BEGIN = frozenset(".'\u2019")
_MARKS_THAT_END = frozenset(".!)")
"""Marks that may belong to a name: `.NET`, `'s-Hertogenbosch`, `U.S.`, `Yahoo!`."""


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


class TaggedWords(NamedTuple):
    """A text's words, with the tag of each and its probability."""

    words: list[Word]
    tags: list[str]
    probabilities: NDArray[np.float64]


def tag_set(labels: Sequence[str]) -> tuple[str, ...]:
    """Every tag for these labels, `O` first."""
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


def tag_words(
    words: Sequence[Word], entities: Iterable[LabelledSpan], outside: Collection[int] = ()
) -> list[str]:
    """The tag of each word; a word that begins within an entity belongs to it.

    Args:
        outside: the starts of words that belong to none; an entity begins again after them.
    """
    tags = [OUTSIDE] * len(words)
    starts = [word.start for word in words]
    for entity in entities:
        prefix = "B"
        for number in range(bisect_left(starts, entity.start), bisect_left(starts, entity.end)):
            if starts[number] in outside:
                prefix = "B"
            else:
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


def read_tags(
    read: TaggerText,
    offsets: NDArray[np.int64],
    logits: NDArray[np.floating[Any]],
    tags: Sequence[str],
) -> TaggedWords:
    """The likeliest tags of a text's words that are the tags of names.

    A name begins with a word or one of `.'\u2019`, and ends with a word or one of `.!)`. A word
    without a token, or an address, is in no name.

    Args:
        read: the text that the network read.
        offsets: (tokens, 2), first character of each token and the one after its last.
        logits: (tokens, tags).
        tags: in the order of the logits.
    """
    words = split_words(read.text)
    tokens = first_tokens(words, [(int(start), int(end)) for start, end in offsets])
    outside = np.array([[tag == OUTSIDE for tag in tags]], dtype=np.float64)
    # The last row is that of words outside of names.
    probabilities = np.concatenate([softmax(logits), outside])[
        [
            -1 if token is None or word.start in read.addresses else token
            for word, token in zip(words, tokens, strict=True)
        ]
    ]
    firsts = [read.text[word.start] for word in words]
    begins = np.array([mark.isalnum() or mark in _MARKS_THAT_BEGIN for mark in firsts], dtype=bool)
    ends = np.array([mark.isalnum() or mark in _MARKS_THAT_END for mark in firsts], dtype=bool)
    best = best_tags(probabilities, tags, begins, ends)
    return TaggedWords(
        words, [tags[number] for number in best], probabilities[np.arange(len(words)), best]
    )


def best_tags(
    probabilities: NDArray[np.float64],
    tags: Sequence[str],
    begins: NDArray[np.bool_],
    ends: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The likeliest row of tags in which every `I` goes on a name (Viterbi, 1967).

    Tags of which a label has no `B` aren't of this kind (in Ramshaw & Marcus, 1995, `I` begins a
    name too): each word gets its likeliest tag then. The time is linear in the words.

    Args:
        probabilities: (words, tags).
        tags: in the order of the columns.
        begins: (words,), whether a name may begin with the word.
        ends: (words,), whether a name may end with it.

    Returns:
        (words,), the numbers of the tags.
    """
    best: NDArray[np.int64] = probabilities.argmax(axis=1)
    follows = _follows(tags)
    if follows.all() or not len(best):
        return best
    starts = np.array([tag.startswith("B") for tag in tags])
    inside = np.array([tag.startswith("I") for tag in tags])
    named = starts | inside
    # For words with which no name may end: after a name's tag only its own `I`.
    goes_on = follows & (~named[:, None] | inside)
    legal = (
        not inside[best[0]]
        and (ends[-1] or not named[best[-1]])
        and not (starts[best] & ~begins).any()
        and np.where(ends[:-1], follows[best[:-1], best[1:]], goes_on[best[:-1], best[1:]]).all()
    )
    if legal:
        return best
    with np.errstate(divide="ignore"):
        scores = np.log(probabilities)
        steps = {True: np.log(follows), False: np.log(goes_on)}
    scores[np.ix_(~begins, starts)] = -np.inf
    scores[0, inside] = -np.inf
    if not ends[-1]:
        scores[-1, named] = -np.inf
    total = scores[0]
    before = np.zeros(scores.shape, dtype=np.int64)
    for word in range(1, len(scores)):
        paths = total[:, None] + steps[bool(ends[word - 1])]
        before[word] = paths.argmax(axis=0)
        total = paths.max(axis=0) + scores[word]
    best[-1] = total.argmax()
    for word in range(len(best) - 1, 0, -1):
        best[word - 1] = before[word, best[word]]
    return best


def _follows(tags: Sequence[str]) -> NDArray[np.bool_]:
    """(tags, tags), whether the second may follow the first."""
    known = set(tags)
    if any(f"B-{tag[2:]}" not in known for tag in tags if tag.startswith("I-")):
        return np.ones((len(tags), len(tags)), dtype=bool)
    return np.array(
        [[tag[0] != "I" or old in (f"B-{tag[2:]}", tag) for tag in tags] for old in tags]
    )
