"""Ranks the sentences of a document by shared words and by position, and chooses among them.

Every function takes time linear in the number of words.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mesh.nlp.words import content_words, words

Floats = npt.NDArray[np.float64]

STEM_LETTERS = 6
STEM_SYLLABLES = 2
"""Of Hangul, whose syllables are single characters."""

_DECAY_SENTENCES = 4
# A sentence of covered words only has this much less value.
_REDUNDANCY = 0.3
# Sentences with more of their words covered say nothing new.
_SAME = 0.8


def stems(text: str, language: str) -> list[str]:
    """The beginnings of a sentence's content words, in order; without such words, of all its words.

    A stem is a fixed number of letters, which suits many languages nearly as well as rules of each
    (Can et al., "Information retrieval on Turkish texts", 2008). In Korean, particles follow their
    noun without a space, and two syllables are kept. Words of Chinese and Japanese stay whole,
    since they are shorter.

    Args:
        language: ISO 639-1 code of `mesh.nlp.stop_words.LANGUAGES`.
    """
    return [_stem(word) for word in content_words(text, language) or words(text)]


def _stem(word: str) -> str:
    return word[: STEM_SYLLABLES if "\uac00" <= word[0] <= "\ud7a3" else STEM_LETTERS]


def centrality(sentences: Sequence[Sequence[str]]) -> Floats:
    """How many words each of n sentences shares with others, by the logarithm of its own length.

    It is the degree of a sentence in the graph of TextRank (Mihalcea and Tarau, "TextRank: Bringing
    order into texts", 2004), whose edges count shared words. There, an edge is divided by the
    logarithms of both lengths. With its own alone, the degree needs no edges, only the words'
    counts. Repeated sentences count once.

    Args:
        sentences: the stems of each.

    Returns:
        (n,), at least 0, of any scale.
    """
    total = Counter(stem for sentence in set(map(tuple, sentences)) for stem in sentence)
    shared = [
        sum(count * (total[stem] - count) for stem, count in Counter(sentence).items())
        for sentence in sentences
    ]
    lengths = np.array([max(1, len(sentence)) for sentence in sentences], np.float64)
    degree: Floats = np.array(shared, np.float64) / np.log1p(lengths)
    return degree


def position_prior(count: int, share: float, weight: float) -> Floats:
    """What each of n sentences is worth by its position: 1 - w (1 - s) (1 - e^(-i/4)).

    The beginning tells the most in news. The shorter a summary is beside its document, the more
    that matters.

    Args:
        count: n.
        share: s, the part of the document's words that a summary may have, from 0 to 1.
        weight: w, from 0 (the position doesn't count) to 1.

    Returns:
        (n,), 1 for the first sentence, which has i = 0, and falling.
    """
    decay = np.exp(-np.arange(count, dtype=np.float64) / _DECAY_SENTENCES)
    prior: Floats = 1 - weight * (1 - share) * (1 - decay)
    return prior


def choose(
    scores: Floats,
    sentences: Sequence[Sequence[str]],
    lengths: Sequence[int],
    desired_length: int,
) -> list[int]:
    """Choose sentences one by one: the best, less what chosen ones have said of it.

    If the best one doesn't fit, the next best does instead, as long as less than half of the length
    is used. After that, the choice ends: what fills the rest is there for its length alone.

    Args:
        scores: (n,), at least 0.
        sentences: the stems of each.
        lengths: number of words in each sentence; one without words is never chosen.
        desired_length: maximum number of words in all chosen sentences.

    Returns:
        Indices in the order of choice; empty if no sentence fits.
    """
    sizes = np.asarray(lengths)
    distinct = [set(sentence) for sentence in sentences]
    holders: dict[str, list[int]] = defaultdict(list)
    for index, own in enumerate(distinct):
        for stem in own:
            holders[stem].append(index)
    counts = np.array([max(1, len(own)) for own in distinct])
    covered = np.zeros(len(sizes))
    open_ = (sizes > 0) & (sizes <= desired_length)
    left = desired_length
    chosen: list[int] = []
    while open_.any():
        redundancy = covered / counts
        best = int(np.where(open_, scores * (1 - _REDUNDANCY * redundancy), -1).argmax())
        if sizes[best] > left:
            if 2 * left <= desired_length:
                break
            open_ &= sizes <= left
            continue
        chosen.append(best)
        left -= int(sizes[best])
        # Each stem is covered once.
        having = [index for stem in distinct[best] for index in holders.pop(stem, ())]
        covered += np.bincount(np.array(having, np.intp), minlength=len(sizes))
        open_ &= covered <= _SAME * counts
        open_[best] = False
    return chosen
