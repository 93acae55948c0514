"""Signatures and near-duplicates by datasketch, as its documentation shows them."""

from collections.abc import Callable
from typing import Any

from datasketch import MinHash, MinHashLSH
from lsh_words import shingles


def load(setup: dict[str, Any]) -> Callable[[list[Any]], list[Any]]:
    """The work named by `work`; `num_perm` and `threshold` are the settings."""
    num_perm = setup["num_perm"]

    def sketch(elements: list[str]) -> MinHash:
        made = MinHash(num_perm, seed=1, scheme="affine64")
        for element in elements:
            made.update(element.encode())
        return made

    def sketch_batch(elements: list[str]) -> MinHash:
        made = MinHash(num_perm, seed=1, scheme="affine64")
        made.update_batch([element.encode() for element in elements])
        return made

    def bulk(sets: list[list[str]]) -> list[MinHash]:
        encoded = ([element.encode() for element in elements] for elements in sets)
        return MinHash.bulk(encoded, num_perm=num_perm, seed=1, scheme="affine64")

    def pairs(sets: list[list[str]]) -> list[tuple[int, int]]:
        index = MinHashLSH(threshold=setup["threshold"], num_perm=num_perm)
        found = []
        for number, made in enumerate(bulk(sets)):
            found += [(other, number) for other in index.query(made)]
            index.insert(number, made)
        return sorted(found)

    return {
        "update": lambda inputs: [sketch(each).hashvalues.tolist() for each in inputs],
        "update_batch": lambda inputs: [sketch_batch(each).hashvalues.tolist() for each in inputs],
        "bulk": lambda inputs: [made.hashvalues.tolist() for made in bulk(inputs)],
        "text": lambda inputs: [sketch(shingles(each)).hashvalues.tolist() for each in inputs],
        "text_bulk": lambda inputs: [
            made.hashvalues.tolist() for made in bulk([shingles(each) for each in inputs])
        ],
        "pairs": lambda inputs: [pairs(each) for each in inputs],
    }[setup["work"]]
