"""Summaries of the backend `extractive` beside sumy and bert-extractive-summarizer, in turns."""

from collections.abc import Sequence

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.models import paragraphs
from benchmarks.peer_workers import Contestant, TurnsSettings, Worker, measure, print_workers
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.nlp.sentences import split_sentences

WORDS_OF_SENTENCE = 20
SENTENCES = 5
WORDS = SENTENCES * WORDS_OF_SENTENCE
"""Of a summary; the peers count sentences."""


class Settings(TurnsSettings):
    """Compare summaries with other packages'."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    lengths: tuple[int, ...] = Field(
        (1, 8, 32), min_length=1, description="Paragraphs of a document, for one table each."
    )


def run(settings: Settings) -> None:
    """Measure documents of each length.

    Raises:
        MeshError: a contestant fails, or a summary isn't made of the document's sentences.
    """
    peer = {"sentences": SENTENCES}
    contestants = [
        Contestant("mesh", "benchmarks.apps.summaries_work", setup={"words": WORDS}),
        Contestant("sumy, TextRank", "summaries_sumy", "sumy", {**peer, "method": "text_rank"}),
        Contestant("sumy, LexRank", "summaries_sumy", "sumy", {**peer, "method": "lex_rank"}),
        Contestant("bert-extractive-summarizer", "summaries_bert", "bert_summarizer", peer),
    ]
    for length in settings.lengths:
        found = paragraphs()
        texts = [
            "\n\n".join(found[first : first + length]) for first in range(0, len(found), length)
        ]
        workers = measure(contestants, texts, settings)
        print_workers(
            f"Summaries of {len(texts)} document(s) of {length} paragraph(s)",
            workers,
            len(texts),
            _check(workers, texts),
        )


def _check(workers: Sequence[Worker], texts: Sequence[str]) -> list[str]:
    for text, summary in zip(texts, workers[0].outputs, strict=True):
        if not summary or any(
            summary[start:end] not in text for start, end in split_sentences(summary, "en")
        ):
            raise MeshError(f"{summary!r} isn't made of a document's sentences.")
    lengths = (
        f"{worker.name} {sum(len(summary.split()) for summary in worker.outputs) / len(texts):.0f}"
        for worker in workers
    )
    return [
        "No two have the same method, so summaries differ.",
        f"Mean words of a summary: {', '.join(lengths)}.",
    ]


main = Program(component="benchmarks", name="summaries_peers", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
