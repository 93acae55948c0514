"""Texts that say nearly the same, found exactly among many.

Two sets can only be as similar as `threshold` if they share one of the elements of their prefixes, the rarest
`n - ceil(threshold * n) + 1` of each, in one order for all (Chaudhuri et al., "A primitive operator for similarity
joins in data cleaning", 2006; Bayardo et al., "Scaling up all pairs similarity search", 2007). So nothing is missed,
which a probabilistic index could not say, and pairs without a rare element in common are never compared.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

from mesh.nlp.words import jaccard


def similar_pairs(
    sets: Sequence[frozenset[str]], threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Yield every pair of sets whose Jaccard similarity is at least the threshold, as (earlier, later, similarity).

    Empty sets are similar to none. The pairs come in the order of the later one, then of the earlier one.

    Raises:
        ValueError: the threshold is not above 0 and at most 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"a threshold is above 0 and at most 1, not {threshold}")
    # As written: 0.6 * 5 is more than 3 in binary fractions.
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
    """The cluster of each of `size` items, named by its earliest member: what pairs join, directly or by others."""
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
