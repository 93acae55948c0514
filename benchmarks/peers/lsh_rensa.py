"""Signatures and near-duplicates by rensa, as its documentation shows them."""

from collections.abc import Callable
from typing import Any

from lsh_words import shingles
from rensa import RMinHash, RMinHashLSH


def load(setup: dict[str, Any]) -> Callable[[list[Any]], list[Any]]:
    """The work named by `work`; `num_perm`, `threshold` and `bands` are the settings."""
    num_perm = setup["num_perm"]

    def sketch(sets: list[list[str]]) -> list[RMinHash]:
        return RMinHash.from_token_sets(sets, num_perm=num_perm, seed=1)

    def pairs(sets: list[list[str]]) -> list[tuple[int, int]]:
        index = RMinHashLSH(setup["threshold"], num_perm, setup["bands"])
        found = []
        for number, made in enumerate(sketch(sets)):
            found += [(other, number) for other in index.query(made)]
            index.insert(number, made)
        return sorted(found)

    return {
        "hash": lambda inputs: [made.digest() for made in sketch(inputs)],
        "text": lambda inputs: [
            made.digest() for made in sketch([shingles(each) for each in inputs])
        ],
        "pairs": lambda inputs: [pairs(each) for each in inputs],
    }[setup["work"]]
