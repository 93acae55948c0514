"""Text to shingles to MinHash to bands: near-duplicates share a band.

The method is from chapter 3 of "Mining of Massive Datasets" (Leskovec, Rajaraman and Ullman). The
values and the bands are those of the package datasketch 2, which isn't imported: its import of SciPy
takes longer than the rest of a server's start.
"""

import base64
from collections.abc import Collection, Iterator
from functools import lru_cache
from hashlib import sha1

import numpy as np
from numpy.typing import NDArray

from lsh.schema import Configuration, Prediction
from mesh.core.errors import UsageError
from mesh.core.passes import checkpoint
from mesh.nlp.document import read_document
from mesh.nlp.near_duplicates import shingles
from mesh.nlp.words import content_words

SIGNATURE_VERSION = 3
"""Increase it with every change that alters a signature: here, in `mesh.nlp` or in a package, and
with every new default, since many a caller sends no configuration."""

_SEED = 1
# Each shingle takes a row of `num_perm` hashes; blocks limit the memory.
_BLOCK = 4096
# The first 64 bits of a SHA-1: their collisions don't bias the similarity of long texts; those of 32
# bits do.
_DIGEST = np.dtype({"names": ["hash"], "formats": ["<u8"], "itemsize": 20})
_MIXING = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
_SHIFT = np.uint64(33)


@lru_cache(maxsize=4096)
def bands(threshold: float, num_perm: int) -> tuple[int, int]:
    """The bands of a MinHash: their number, and the values in each. The rest is unused.

    They minimise the summed areas of false positives and false negatives at the threshold.
    Documents of Jaccard similarity s share at least one of b bands of r values with probability
    1 - (1 - s^r)^b.

    Raises:
        UsageError: the best choice would be a single band.
    """
    _, count, rows = min(_errors(threshold, num_perm))
    if count < 2:
        raise UsageError(
            f"threshold={threshold:g} leaves a single band of {num_perm} values: raise num_perm, "
            "or lower threshold."
        )
    return count, rows


def _errors(threshold: float, num_perm: int) -> Iterator[tuple[float, int, int]]:
    """The summed areas of errors of each choice of bands, with their number and the values in each.

    That of false positives is the integral of 1 - (1 - s^r)^b from 0 to the threshold; that of
    false negatives is the integral of (1 - s^r)^b from there to 1. Integrated by parts,
    (1 + r b) I(b) = s (1 - s^r)^b + r b I(b - 1), if I(b) is the integral of (1 - s^r)^b up to s.
    """
    for rows in range(1, num_perm + 1):
        apart = 1 - threshold**rows
        power, below, whole = 1.0, threshold, 1.0
        for count in range(1, num_perm // rows + 1):
            used = rows * count
            power *= apart
            below = (threshold * power + used * below) / (used + 1)
            whole = used * whole / (used + 1)
            yield threshold + whole - 2 * below, count, rows


@lru_cache(maxsize=256)
def _permutations(num_perm: int) -> NDArray[np.uint64]:
    """(2, num_perm), the factors and summands of the permutations of all sketches."""
    # Of datasketch's scheme "affine64": only odd factors make permutations.
    generator = np.random.RandomState(_SEED)
    factors = generator.randint(0, 1 << 63, num_perm, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    summands = generator.randint(0, 1 << 64, num_perm, dtype=np.uint64)
    return np.stack([factors, summands])


def min_hash(elements: Collection[str], num_perm: int) -> NDArray[np.uint64]:
    """The MinHash of a set; the fraction of values two share estimates their similarity.

    They are the values of datasketch's `MinHash.update_batch`, without its objects.

    Returns:
        (num_perm,).
    """
    factors, summands = _permutations(num_perm)
    values = np.full(num_perm, np.iinfo(np.uint64).max, dtype=np.uint64)
    encoded = [text.encode() for text in elements]
    for start in range(0, len(encoded), _BLOCK):
        checkpoint()
        digests = b"".join(
            [sha1(text, usedforsecurity=False).digest() for text in encoded[start : start + _BLOCK]]
        )
        hashes = _mixed(np.frombuffer(digests, _DIGEST)["hash"].astype(np.uint64))
        permuted = hashes[:, None] * factors
        permuted += summands
        np.minimum(values, permuted.min(axis=0), out=values)
    return values


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of MurmurHash3 (Appleby, 2011), which spreads hashes that are alike."""
    for factor in _MIXING:
        hashes ^= hashes >> _SHIFT
        hashes *= factor
    hashes ^= hashes >> _SHIFT
    return hashes


def sign(text: str, configuration: Configuration) -> Prediction:
    """The signature of a document as it was sent.

    Raises:
        UsageError: the configuration has no bands.
    """
    document = read_document(text, configuration.markup, configuration.language)
    made = signature(document.text, configuration)
    return Prediction(markup=document.markup, signature=made)


def signature(text: str, configuration: Configuration) -> list[str] | None:
    """The bands of a text without markup, each the base64 of its values as big-endian 64-bit integers.

    Returns:
        One string for each band; `None` for a text that is too short for one shingle.

    Raises:
        UsageError: the configuration has no bands.
    """
    count, rows = bands(configuration.threshold, configuration.num_perm)
    found = shingles(content_words(text, configuration.language), configuration.shingle_list)
    if not found:
        return None
    values = min_hash(found, configuration.num_perm).astype(">u8")
    return [
        base64.b64encode(values[start : start + rows].tobytes()).decode()
        for start in range(0, count * rows, rows)
    ]
