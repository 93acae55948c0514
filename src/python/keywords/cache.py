"""Embeddings of phrases, remembered from one request to the next."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST_PHRASE = 200
"""Longer phrases, in characters, are not remembered: a text without spaces is one word of any length."""


class CacheInfo(NamedTuple):
    """How a cache was used since it was made."""

    hits: int
    misses: int
    entries: int
    capacity: int


class EmbeddingCache:
    """The most recently used phrases and their embeddings, safe to use from several threads.

    Args:
        capacity: number of phrases to remember. An entry of 384 dimensions takes about 1,720 bytes: 1,536 for
            the embedding, the rest for the phrase and its place in the order of use. Memory is taken as
            entries come in.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"A cache of {capacity} entries can't be made: use 1 or more.")
        self._capacity = capacity
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._embeddings: NDArray[np.float32] | None = None
        self._hits = 0
        self._misses = 0
        self._lock = Lock()

    def info(self) -> CacheInfo:
        """Counts of phrases found and not found, and the number of entries now and at most."""
        with self._lock:
            return CacheInfo(self._hits, self._misses, len(self._slots), self._capacity)

    def find(self, phrases: Sequence[str]) -> tuple[list[int], NDArray[np.float32]]:
        """Look phrases up.

        Returns:
            The positions in `phrases` of the k known ones, ascending, and their embeddings, float32 (k, dim);
            (0, 0) where none is known.
        """
        with self._lock:
            known: list[int] = []
            slots: list[int] = []
            for position, phrase in enumerate(phrases):
                slot = self._slots.get(phrase)
                if slot is not None:
                    self._slots.move_to_end(phrase)
                    known.append(position)
                    slots.append(slot)
            self._hits += len(known)
            self._misses += len(phrases) - len(known)
            if self._embeddings is None or not slots:
                return [], np.empty((0, 0), dtype=np.float32)
            return known, self._embeddings[slots]

    def store(self, phrases: Sequence[str], embeddings: NDArray[np.float32]) -> None:
        """Remember phrases, forgetting those that were not used for longest where the cache is full.

        Args:
            embeddings: float32 (len(phrases), dim), always of the same dim.
        """
        with self._lock:
            if self._embeddings is None:
                # The operating system hands out the pages of an untouched array only when they are written.
                self._embeddings = np.empty((self._capacity, embeddings.shape[1]), dtype=np.float32)
            for phrase, embedding in zip(phrases, embeddings, strict=True):
                if len(phrase) <= LONGEST_PHRASE:
                    self._embeddings[self._slot(phrase)] = embedding

    def _slot(self, phrase: str) -> int:
        """The row for a phrase, which becomes the most recently used one."""
        slot = self._slots.pop(phrase, None)
        if slot is None:
            full = len(self._slots) == self._capacity
            slot = self._slots.popitem(last=False)[1] if full else len(self._slots)
        self._slots[phrase] = slot
        return slot
