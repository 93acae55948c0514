"""Signatures and near-duplicates of this repository, for `peers/worker.py`."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from lsh.model import bands, min_hash, sign
from lsh.schema import Configuration
from mesh.nlp.near_duplicates import similar_pairs


def load(setup: dict[str, Any]) -> Callable[[list[Any]], list[Any]]:
    """The work named by `work`; `num_perm` and `threshold` are the settings."""
    num_perm, threshold = setup["num_perm"], setup["threshold"]
    configuration = Configuration(num_perm=num_perm, threshold=threshold)
    count, rows = bands(threshold, num_perm)

    def candidates(sets: list[list[str]]) -> list[tuple[int, int]]:
        """The pairs that share a band, as docs/lsh.md describes them."""
        index: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
        found: set[tuple[int, int]] = set()
        for number, elements in enumerate(sets):
            values = min_hash(elements, num_perm).tobytes()
            for band in range(count):
                same = index[band, values[8 * rows * band : 8 * rows * (band + 1)]]
                found.update((other, number) for other in same)
                same.append(number)
        return sorted(found)

    def exact(sets: list[list[str]]) -> list[tuple[int, int]]:
        found = similar_pairs([frozenset(elements) for elements in sets], threshold)
        return sorted((first, second) for first, second, _ in found)

    return {
        "hash": lambda inputs: [min_hash(each, num_perm).tolist() for each in inputs],
        "text": lambda inputs: [sign(each, configuration).signature for each in inputs],
        "pairs": lambda inputs: [candidates(each) for each in inputs],
        "exact": lambda inputs: [exact(each) for each in inputs],
    }[setup["work"]]
