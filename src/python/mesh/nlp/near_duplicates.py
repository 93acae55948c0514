"""Texts that are nearly the same, as sets of shingles, found exactly among many.

Two sets can be as similar as `threshold` only if they share an element of their prefixes: the
rarest `n - ceil(threshold * n) + 1` elements of each, in one order for all (Chaudhuri et al., "A
primitive operator for similarity joins in data cleaning", 2006; Bayardo et al., "Scaling up all
pairs similarity search", 2007). So, unlike with a probabilistic index, no pair is missed, and pairs
without a common rare element are never compared.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil


def shingles(words: Sequence[str], size: int, *, keep_short: bool = False) -> frozenset[str]:
    """The distinct runs of `size` successive words, joined by spaces.

    Args:
        keep_short: whether fewer words make one shingle of all of them, instead of none.

    Raises:
        ValueError: `size` is less than 1.
    """
    if size < 1:
        raise ValueError(f"a shingle has at least 1 word, not {size}")
    if keep_short and 0 < len(words) < size:
        return frozenset((" ".join(words),))
    return frozenset(
        " ".join(words[first : first + size]) for first in range(len(words) - size + 1)
    )


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """The fraction of the elements of either set that are in both; 1 for two empty sets."""
    if not left and not right:
        return 1.0
    common = len(left & right)
    return common / (len(left) + len(right) - common)


def similar_pairs(
    sets: Sequence[frozenset[str]], threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of sets whose Jaccard similarity is at least the threshold.

    Each is (earlier, later, similarity), in the order of the later one, then of the earlier one.
    Empty sets are similar to none.

    Raises:
        ValueError: the threshold is not above 0 and at most 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"a threshold is above 0 and at most 1, not {threshold}")
    # The decimal value: in binary fractions, 0.6 * 5 is more than 3.
    exact = Fraction(str(threshold))
    frequency = Counter(element for elements in sets for element in elements)
    index: defaultdict[str, list[int]] = defaultdict(list)
    for position, elements in enumerate(sets):
        ordered = sorted(elements, key=lambda element: (frequency[element], element))
        prefix = ordered[: len(ordered) - ceil(exact * len(ordered)) + 1] if ordered else []
        candidates = {other for element in prefix for other in index[element]}
        for other in sorted(candidates):
            similarity = jaccard(sets[other], elements)
            if similarity >= threshold:
                yield other, position, similarity
        for element in prefix:
            index[element].append(position)


def clusters(size: int, pairs: Iterator[tuple[int, int, float]]) -> list[int]:
    """The cluster of each of `size` items, named by its earliest member.

    Pairs join items to clusters, directly or through others.
    """
    parents = list(range(size))

    def root(item: int) -> int:
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    for left, right, _ in pairs:
        first, second = sorted((root(left), root(right)))
        parents[second] = first
    return [root(item) for item in range(size)]
