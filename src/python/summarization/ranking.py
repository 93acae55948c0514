"""Ranks the sentences of a document by shared words and by position, and chooses among them.

Every function takes time linear in the number of words, but for the logarithm of a heap. Most
documents have few sentences, for which lists are faster than arrays.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace
from itertools import chain

from mesh.nlp.words import content_words, words

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
    found = content_words(text, language) or words(text)
    if text.isascii():
        return [word[:STEM_LETTERS] for word in found]
    return list(map(_stem, found))


def _stem(word: str) -> str:
    return word[: STEM_SYLLABLES if "\uac00" <= word[0] <= "\ud7a3" else STEM_LETTERS]


def centrality(sentences: Sequence[Sequence[str]]) -> list[float]:
    """How many words each of n sentences shares with others, by the logarithm of its own length.

    It is the degree of a sentence in the graph of TextRank (Mihalcea and Tarau, "TextRank: Bringing
    order into texts", 2004), whose edges count shared words. There, an edge is divided by the
    logarithms of both lengths. With its own alone, the degree needs no edges, only the words'
    counts. Repeated sentences count once.

    Args:
        sentences: the stems of each.

    Returns:
        n numbers, at least 0, of any scale.
    """
    total = Counter(chain.from_iterable(set(map(tuple, sentences))))
    return [_shared(sentence, total) / math.log1p(max(1, len(sentence))) for sentence in sentences]


def _shared(sentence: Sequence[str], total: Counter[str]) -> int:
    """The number of pairs of a word of a sentence with the same word of another one."""
    everywhere = sum([total[stem] for stem in sentence])
    if len(set(sentence)) == len(sentence):
        return everywhere - len(sentence)
    return everywhere - sum([count * count for count in Counter(sentence).values()])


def position_prior(count: int, share: float, weight: float) -> list[float]:
    """What each of n sentences is worth by its position: 1 - w (1 - s) (1 - e^(-i/4)).

    The beginning tells the most in news. The shorter a summary is beside its document, the more
    that matters.

    Args:
        count: n.
        share: s, the part of the document's words that a summary may have, from 0 to 1.
        weight: w, from 0 (the position doesn't count) to 1.

    Returns:
        n numbers: 1 for the first sentence, which has i = 0, and falling.
    """
    most = weight * (1 - share)
    return [1 - most * (1 - math.exp(-index / _DECAY_SENTENCES)) for index in range(count)]


def choose(
    scores: Sequence[float],
    sentences: Sequence[Sequence[str]],
    lengths: Sequence[int],
    desired_length: int,
) -> list[int]:
    """Choose sentences one by one: the best, less what chosen ones have said of it.

    If the best one doesn't fit, the next best does instead, as long as less than half of the length
    is used. After that, the choice ends: what fills the rest is there for its length alone.

    Args:
        scores: n numbers, at least 0.
        sentences: the stems of each.
        lengths: number of words in each sentence; one without words is never chosen.
        desired_length: maximum number of words in all chosen sentences.

    Returns:
        Indices in the order of choice; empty if no sentence fits.
    """
    distinct = [set(sentence) for sentence in sentences]
    holders: dict[str, list[int]] = defaultdict(list)
    for index, own in enumerate(distinct):
        for stem in own:
            holders[stem].append(index)
    covered = [0] * len(distinct)
    # Of equals the first. What a sentence is worth only falls, so it is looked at in its turn.
    best = [
        (-score, index)
        for index, score in enumerate(scores)
        if 0 < lengths[index] <= desired_length
    ]
    heapify(best)
    longest = left = desired_length
    chosen: list[int] = []
    while best:
        worth, index = best[0]
        count = max(1, len(distinct[index]))
        if lengths[index] > longest or covered[index] > _SAME * count:
            heappop(best)
            continue
        now = -scores[index] * (1 - _REDUNDANCY * (covered[index] / count))
        if now > worth:
            heapreplace(best, (now, index))
            continue
        if lengths[index] > left:
            if 2 * left <= desired_length:
                break
            longest = left
            continue
        heappop(best)
        chosen.append(index)
        left -= lengths[index]
        # Each stem is covered once.
        for stem in distinct[index]:
            for other in holders.pop(stem, ()):
                covered[other] += 1
    return chosen
