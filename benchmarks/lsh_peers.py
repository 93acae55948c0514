"""Signatures and near-duplicates of lsh, beside datasketch and rensa: same texts, in turns."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.models import paragraphs
from benchmarks.peer_workers import Contestant, TurnsSettings, Worker, measure, print_workers
from lsh.model import bands
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.nlp.near_duplicates import jaccard, shingles
from mesh.nlp.words import content_words

NUM_PERM = 128
WIDTH = 3
"""Words of a shingle."""
LENGTH = 80
"""Words of a document among which near-duplicates are searched, as in the paragraphs."""
COPIES = 0.25


class Settings(TurnsSettings):
    """Compare signatures and their index with other packages'."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    documents: int = Field(64, ge=8, le=64, description="Number of paragraphs.")
    corpus: int = Field(2_000, ge=16, description="Documents among which near-duplicates are.")
    threshold: float = Field(0.5, gt=0, lt=1, description="Jaccard similarity of near-duplicates.")


def run(settings: Settings) -> None:
    """Measure signatures from shingles and from texts, and finding pairs; print the tables.

    Raises:
        MeshError: values or candidates differ from datasketch's.
    """
    texts = paragraphs()[: settings.documents]
    sets = [_shingles(text) for text in texts]
    _compare(
        f"MinHash of {NUM_PERM} values from the same shingles, {len(sets)} paragraphs",
        [
            _own("mesh", "hash", settings),
            _datasketch("datasketch, update for each shingle", "update", settings),
            _datasketch("datasketch, update_batch", "update_batch", settings),
            _datasketch("datasketch, bulk of several documents", "bulk", settings),
            _rensa("rensa, from_token_sets of several documents", "hash", settings),
        ],
        sets,
        settings,
        _check_values,
    )
    _compare(
        f"Signatures from the same texts, {len(texts)} paragraphs",
        [
            _own("mesh: markup, Unicode, function words, bands", "text", settings),
            _datasketch("datasketch, update; words by a regular expression", "text", settings),
            _datasketch("datasketch, bulk; the same", "text_bulk", settings),
            _rensa("rensa; the same", "text", settings),
        ],
        texts,
        settings,
        lambda _: ["Words and shingles differ, so signatures do."],
    )
    corpus = list(_corpus(settings.corpus))
    _compare(
        f"Near-duplicates among {len(corpus)} documents, from their shingles",
        [
            _own("mesh: bands in a dictionary", "pairs", settings),
            _own("mesh: exactly (mesh.nlp.near_duplicates)", "exact", settings),
            _datasketch("datasketch, MinHashLSH", "pairs", settings),
            _rensa("rensa, RMinHashLSH", "pairs", settings),
        ],
        [corpus],
        settings,
        lambda workers: _check_pairs(workers, corpus, settings.threshold),
    )


def _compare(
    title: str,
    contestants: Sequence[Contestant],
    inputs: Sequence[Any],
    settings: Settings,
    check: Callable[[Sequence[Worker]], list[str]],
) -> None:
    """Measure and print one table; `check` returns what it says of the outputs."""
    workers = measure(contestants, inputs, settings)
    print_workers(title, workers, len(inputs), check(workers))


def _own(name: str, work: str, settings: Settings) -> Contestant:
    return Contestant(name, "benchmarks.apps.lsh_work", setup=_setup(work, settings))


def _datasketch(name: str, work: str, settings: Settings) -> Contestant:
    return Contestant(name, "lsh_datasketch", "datasketch", _setup(work, settings))


def _rensa(name: str, work: str, settings: Settings) -> Contestant:
    return Contestant(name, "lsh_rensa", "rensa", _setup(work, settings))


def _setup(work: str, settings: Settings) -> dict[str, Any]:
    count, _ = bands(settings.threshold, NUM_PERM)
    return {
        "work": work,
        "num_perm": NUM_PERM,
        "threshold": settings.threshold,
        # The nearest number that rensa takes.
        "bands": max(n for n in range(1, count + 1) if NUM_PERM % n == 0),
    }


def _check_values(workers: Sequence[Worker]) -> list[str]:
    *workers, _ = workers
    for worker in workers:
        if worker.outputs != workers[1].outputs:
            raise MeshError(f"{worker.name} computes other values than {workers[1].name}.")
    return ["All values but those of rensa, which has another method, were the same."]


def _check_pairs(
    workers: Sequence[Worker], corpus: Sequence[Sequence[str]], threshold: float
) -> list[str]:
    found = [set(map(tuple, worker.outputs[0])) for worker in workers]
    bands_, exact, datasketch, _ = found
    if bands_ != datasketch:
        raise MeshError("mesh's bands and MinHashLSH find other pairs.")
    sets = [frozenset(elements) for elements in corpus]
    if wrong := [
        pair
        for pair in exact.union(*found)
        if (jaccard(*(sets[number] for number in pair)) >= threshold) != (pair in exact)
    ]:
        raise MeshError(f"The exact search is wrong about {wrong}.")
    shares = (
        f"{worker.name} {len(pairs & exact) / len(exact):.1%} and {len(pairs - exact):,} others"
        for worker, pairs in zip(workers, found, strict=True)
    )
    return [
        "Bands and MinHashLSH found the same pairs.",
        f"Of {len(exact):,} pairs above {threshold:g}: {'; '.join(shares)}.",
    ]


def _shingles(text: str) -> list[str]:
    return sorted(shingles(content_words(text, "en"), WIDTH))


def _corpus(count: int) -> Iterator[list[str]]:
    """The shingles of texts of words of the paragraphs; a quarter are copies of earlier ones.

    In copies, up to a fifth of the words is changed.
    """
    made = random.Random(1)  # noqa: S311 - no secret
    vocabulary = sorted({word for text in paragraphs() for word in content_words(text, "en")})
    written: list[list[str]] = []
    for _ in range(count):
        words = made.choices(vocabulary, k=LENGTH)
        if written and made.random() < COPIES:
            words = list(made.choice(written))
            for place in made.sample(range(LENGTH), k=made.randrange(LENGTH // 5)):
                words[place] = made.choice(vocabulary)
        written.append(words)
        yield sorted(shingles(words, WIDTH))


main = Program(component="benchmarks", name="lsh_peers", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
