"""Known embeddings: those of common words, and those of recent phrases.

The vocabulary is computed when a model is compiled, and mapped into memory when it is used. The
cache keeps phrases from one request to the next.
"""

import mmap
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError
from mesh.core.files import read_model
from mesh.core.manifest import Manifest

VOCABULARY_FOLDER = "vocabulary"
"""The folder of the vocabulary, below a compiled model's directory."""
WORDS_FILE = f"{VOCABULARY_FOLDER}/words.json"
EMBEDDINGS_FILE = f"{VOCABULARY_FOLDER}/embeddings.npy"

_ADVICE = "compile the model again"

LONGEST_PHRASE = 200
"""In characters. Longer ones are not remembered, nor found as key phrases: a text without spaces is
one long word."""


class VocabularyRecord(BaseModel):
    """The words of the embeddings, and the model that computed them.

    Args:
        source: the origin of the words.
        model_digest: of the compiled model's other files, see `model_digest`.
        dtype: of the embeddings.
        dimension: numbers of each embedding.
        words: in the order of the embeddings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: Literal[1] = 1
    source: str
    model_digest: str
    dtype: Literal["float32"] = "float32"
    dimension: int = Field(ge=1)
    words: tuple[str, ...] = Field(min_length=1)

    @field_validator("words")
    @classmethod
    def _distinct(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(words)) < len(words):
            raise ValueError("a word is repeated")
        return words


class Vocabulary:
    """Words and their embeddings; never changed, so safe to use from several threads.

    Args:
        words: distinct ones.
        embeddings: float32 (len(words), dim).
        mapping: of the file that they are in, if they are mapped into memory.
    """

    def __init__(
        self,
        words: Sequence[str],
        embeddings: NDArray[np.float32],
        mapping: mmap.mmap | None = None,
    ) -> None:
        self._rows = {word: row for row, word in enumerate(words)}
        self._embeddings = embeddings
        self._mapping = mapping

    def __len__(self) -> int:
        return len(self._rows)

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """Open the vocabulary of a compiled model; None if it has none.

        The embeddings are mapped, not read, so that processes share the system's copy of the file.

        Raises:
            MeshError: a file of it is missing or damaged, or it belongs to another model.
        """
        record = read_vocabulary_record(directory)
        if record is None:
            return None
        if record.model_digest != model_digest(Manifest.read(directory)):
            raise MeshError(
                f"{directory / WORDS_FILE} was made with another model than the one in "
                f"{directory}; {_ADVICE}."
            )
        dimension = CompileSpec.read(directory).dimension
        if record.dimension != dimension:
            raise MeshError(
                f"{directory / WORDS_FILE} has embeddings of {record.dimension} numbers, but the "
                f"model's have {dimension}; {_ADVICE}."
            )
        return cls(record.words, *_map_embeddings(directory / EMBEDDINGS_FILE, record))

    def find(self, phrases: Sequence[str]) -> tuple[list[int], NDArray[np.float32]]:
        """Look phrases up.

        Returns:
            The positions in `phrases` of the k known ones, ascending, and their embeddings,
            float32 (k, dim).
        """
        known: list[int] = []
        rows: list[int] = []
        for position, phrase in enumerate(phrases):
            row = self._rows.get(phrase)
            if row is not None:
                known.append(position)
                rows.append(row)
        found = self._embeddings[rows]
        if self._mapping is not None:
            # With each page, Linux maps 15 more around it: words that are looked up here and there
            # would soon keep the whole file in this process's memory.
            self._mapping.madvise(mmap.MADV_DONTNEED)
        return known, found


def read_vocabulary_record(directory: Path) -> VocabularyRecord | None:
    """Read the record of a compiled model's vocabulary; None if it has none.

    Raises:
        MeshError: the record is missing or malformed.
    """
    if not (directory / VOCABULARY_FOLDER).is_dir():
        return None
    return read_model(VocabularyRecord, directory / WORDS_FILE, _ADVICE)


def model_digest(manifest: Manifest) -> str:
    """The digest of a compiled model's files without those of its vocabulary."""
    others = (file for file in manifest.files if not file.path.startswith(f"{VOCABULARY_FOLDER}/"))
    return Manifest(files=tuple(others)).digest


def _map_embeddings(path: Path, record: VocabularyRecord) -> tuple[NDArray[np.float32], mmap.mmap]:
    """The embeddings, and the mapping that they are in."""
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise MeshError(f"{path} can't be read: {error}; {_ADVICE}.") from error
    expected = (len(record.words), record.dimension)
    if mapped.shape != expected or mapped.dtype != np.dtype(record.dtype):
        raise MeshError(
            f"{path} holds {mapped.dtype} {mapped.shape} instead of {record.dtype} {expected}; "
            f"{_ADVICE}."
        )
    # A plain array over the same memory: looking rows up in it is faster than in a memmap.
    return np.asarray(mapped), mapped.base


class CacheInfo(NamedTuple):
    """The use of a cache since it was made."""

    hits: int
    misses: int
    entries: int
    capacity: int


class EmbeddingCache:
    """The most recently used phrases and their embeddings, safe to use from several threads.

    Args:
        capacity: number of phrases to remember. An entry of 384 dimensions takes about 1,720 bytes:
            1,536 for the embedding, the rest for the phrase and its place in the order of use.
            Memory is taken as entries come in.
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
            The positions in `phrases` of the k known ones, ascending, and their embeddings,
            float32 (k, dim); (0, 0) where none is known.
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
        """Remember phrases; a full cache forgets the least recently used ones.

        Args:
            embeddings: float32 (len(phrases), dim), always of the same dim.
        """
        with self._lock:
            if self._embeddings is None:
                # The pages of an untouched array take memory only when they are written.
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
