"""Names of the sample knowledge base, beside spaCy's entity ruler and an automaton, in turns."""

import random
from collections.abc import Iterator, Sequence

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.models import compiled_keywords, paragraphs
from benchmarks.peer_workers import Contestant, TurnsSettings, Worker, measure, print_workers
from entity_fishing.sample import sample_records
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.nlp.sentences import split_sentences

LEAST_FOUND = 0.9
"""Of the names that were put into texts: every contestant knows all of them."""


class Settings(TurnsSettings):
    """Compare finding names with other packages'."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    documents: int = Field(64, ge=8, le=64, description="Number of texts, of 150 words or more.")


def run(settings: Settings) -> None:
    """Measure finding and linking.

    Raises:
        MeshError: a contestant fails, or misses most names that were put into the texts.
    """
    names = sorted({name.text for record in sample_records() for name in record.names})
    texts, places = zip(*list(_texts())[: settings.documents], strict=True)
    # The encoder of entity-fishing; its vocabulary makes no difference.
    with compiled_keywords(vocabulary_words=0) as encoder:
        contestants = [
            _own("mesh, names alone", None),
            _own("mesh, names and links, with its network", str(encoder)),
            Contestant("spaCy, entity ruler", "names_spacy", "spacy", {"names": names}),
            Contestant("pyahocorasick", "names_ahocorasick", "ahocorasick", {"names": names}),
        ]
        workers = measure(contestants, texts, settings)
    print_workers(
        f"{len(names):,} names in {len(texts)} texts",
        workers,
        len(texts),
        _check(workers, places),
    )


def _own(name: str, encoder: str | None) -> Contestant:
    return Contestant(name, "benchmarks.apps.names_work", setup={"encoder": encoder})


def _texts() -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Each paragraph with a sentence about an entity behind every one of its own.

    Yields:
        A text, and the places of the names that were put into it.
    """
    made = random.Random(1)  # noqa: S311 - no secret
    labels = [record.label for record in sample_records() if record.label[0].isupper()]
    for paragraph in paragraphs():
        text, places = "", []
        for start, end in split_sentences(paragraph, "en"):
            label = made.choice(labels)
            text += f"{paragraph[start:end]} So they say of "
            places.append((len(text), len(text) + len(label)))
            text += f"{label}. "
        yield text.rstrip(), places


def _check(workers: Sequence[Worker], places: Sequence[Sequence[tuple[int, int]]]) -> list[str]:
    count = sum(map(len, places))
    shares: dict[str, str] = {}
    for worker in workers:
        found = [set(map(tuple, each)) for each in worker.outputs]
        hits = sum(len(own.intersection(put)) for own, put in zip(found, places, strict=True))
        others = sum(map(len, found)) - hits
        if hits < LEAST_FOUND * count:
            raise MeshError(f"{worker.name} finds only {hits} of {count} names.")
        shares[worker.name] = f"{hits / count:.1%} and {others} others"
    return [
        f"Of {count} names that were put in: "
        + "; ".join(f"{name} {share}" for name, share in shares.items())
        + "."
    ]


main = Program(component="benchmarks", name="names_peers", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
