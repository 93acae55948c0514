"""Documents per second of the keyword extractor and of KeyBERT, in one process, same weights.

They take turns of a few documents, so that other work on the machine slows all of them alike.
"""

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.answers import Keywords, check_nearly_same, check_same
from benchmarks.models import WEIGHTS, compiled_keywords, paragraphs
from benchmarks.report import print_table
from keywords.model import KeywordExtractor
from keywords.schema import Configuration
from mesh.core.devices import Placement
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.keywords_in_process")

WORKLOADS: dict[str, dict[str, Any]] = {
    "words": {"keyphrase_ngram_range": (1, 1)},
    "1-2-grams": {"keyphrase_ngram_range": (1, 2)},
    "1-3-grams": {"keyphrase_ngram_range": (1, 3)},
    "1-2-grams, maxsum": {
        "keyphrase_ngram_range": (1, 2),
        "use_maxsum": True,
        "nr_candidates": 20,
    },
}

Extract = Callable[[Sequence[str]], list[Keywords]]


class Settings(MeshSettings):
    """Compare keyword extraction with KeyBERT."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    documents: int = Field(32, ge=8, le=64, description="Number of paragraphs.")
    rounds: int = Field(1, ge=1, description="Number of rounds; the median is shown.")
    threads: int = Field(1, ge=1, description="Cores that each of them may use.")
    clock: Literal["wall", "cpu"] = Field(
        "wall",
        description="With cpu, time of other processes doesn't count; for one thread on a busy "
        "machine.",
    )
    precision: Precision = Field(
        FLOAT32,
        description="What the extractor's network computes in; lower ones than float32 by OpenVINO, "
        "if the processor has them.",
    )


@dataclass
class Contestant:
    """One way to extract keywords.

    Args:
        name: its row in the table.
        together: number of documents that it gets at once.
        extract: returns the keywords of each document.
        clock: counts seconds.
        rounds: seconds for all documents, in each round.
    """

    name: str
    together: int
    extract: Extract
    clock: Callable[[], float]
    rounds: list[float] = field(default_factory=list)

    def run(self, documents: Sequence[str]) -> list[Keywords]:
        """Extract and add the time to the current round."""
        started = self.clock()
        answers = [
            answer for some in chunks(documents, self.together) for answer in self.extract(some)
        ]
        self.rounds[-1] += self.clock() - started
        return answers


def run(settings: Settings) -> None:
    """Measure all workloads and print the table.

    Raises:
        MeshError: keywords differ from KeyBERT's.
    """
    documents = paragraphs()[: settings.documents]
    keybert = load_keybert(settings.threads)
    measured: dict[str, list[Contestant]] = {}
    notes: list[str] = []
    with _compiled(settings.precision) as directory:
        for workload, options in WORKLOADS.items():
            if settings.precision != FLOAT32 and "use_maxsum" in options:
                # It takes whole combinations, so one rounded score exchanges several keywords.
                continue
            logger.info("measuring %s", workload)
            measured[workload], compared = measure(keybert, directory, documents, options, settings)
            notes += [f"{workload}: {sentence}" for sentence in compared]
    names = [contestant.name for contestant in next(iter(measured.values()))]
    rows = [
        [name, *(cell(contestants, row, len(documents)) for contestants in measured.values())]
        for row, name in enumerate(names)
    ]
    print_table(
        f"Documents per second (x KeyBERT, one document at a time), {len(documents)} paragraphs, "
        f"{settings.threads} thread(s), {settings.rounds} round(s), {settings.clock} clock",
        ["", *measured],
        rows,
        packages=("keybert", "sentence-transformers", "torch", "onnxruntime", "openvino"),
        notes=[
            *(notes or ["All results were the same: keywords, order, and scores within 0.001."]),
            "First pass: starts with an empty cache. Seen before: all candidates are cached.",
        ],
    )


def _compiled(precision: Precision) -> AbstractContextManager[Path]:
    if precision == FLOAT32:
        return compiled_keywords()
    return compiled_keywords("openvino", precisions=(FLOAT32, precision))


def cell(contestants: Sequence[Contestant], row: int, documents: int) -> str:
    """Documents per second, and their ratio to the first contestant's; medians over rounds."""
    first, own = contestants[0].rounds, contestants[row].rounds
    speed = documents / statistics.median(own)
    ratio = statistics.median(theirs / seconds for theirs, seconds in zip(first, own, strict=True))
    return f"{speed:.1f} ({ratio:.2f}x)"


def chunks(documents: Sequence[str], size: int) -> list[Sequence[str]]:
    """The documents in their order, `size` at a time."""
    return [documents[start : start + size] for start in range(0, len(documents), size)]


def load_keybert(threads: int) -> Any:
    """KeyBERT on sentence-transformers, as in its documentation."""
    import torch
    from keybert import KeyBERT
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    keybert = KeyBERT(model=SentenceTransformer(str(WEIGHTS), device="cpu"))
    keybert.extract_keywords("The first call takes longer than the others.")
    return keybert


def measure(
    keybert: Any,
    directory: Path,
    documents: Sequence[str],
    options: dict[str, Any],
    settings: Settings,
) -> tuple[list[Contestant], list[str]]:
    """Give the documents to all contestants, eight at a time.

    Returns:
        The contestants, and in a lower precision a sentence on each one's keywords.
    """
    from keywords.candidates import read_english_stop_words
    from keywords.embeddings import Vocabulary
    from mesh.compile.artifact import CompiledModel

    with Placement(precision=settings.precision).applied():
        encoder = CompiledModel.load(directory, settings.threads)
    stop_words = read_english_stop_words(directory)
    vocabulary = Vocabulary.read(directory)
    configuration = Configuration(**options)
    # The first call takes longer than the others.
    KeywordExtractor(encoder, stop_words).extract([documents[-1]], configuration)
    extractors: dict[str, KeywordExtractor] = {}

    def of_keybert(some: Sequence[str]) -> list[Keywords]:
        answers = keybert.extract_keywords(list(some), stop_words="english", **options)
        return [answers] if len(some) == 1 else answers

    def own(name: str) -> Extract:
        def extract(some: Sequence[str]) -> list[Keywords]:
            predictions = extractors[name].extract(some, configuration)
            return [
                [(item.keyword_token, item.keyword_score) for item in prediction.predicted_document]
                for prediction in predictions
            ]

        return extract

    clock = time.perf_counter if settings.clock == "wall" else time.process_time
    contestants = [
        Contestant(name, together, extract, clock)
        for name, together, extract in (
            ("KeyBERT, one document at a time", 1, of_keybert),
            ("KeyBERT, 8 documents at a time", 8, of_keybert),
            ("first pass, no vocabulary", 1, own("plain")),
            ("first pass, no vocabulary, 8 documents at a time", 8, own("plain 8")),
            ("first pass", 1, own("one")),
            ("first pass, 8 documents at a time", 8, own("eight")),
            # They come after the two above, which fill the caches.
            ("seen before", 1, own("one")),
            ("seen before, 8 documents at a time", 8, own("eight")),
        )
    ]
    for _ in range(settings.rounds):
        for name in ("plain", "plain 8", "one", "eight"):
            shipped = None if name.startswith("plain") else vocabulary
            extractors[name] = KeywordExtractor(encoder, stop_words, vocabulary=shipped)
        for contestant in contestants:
            contestant.rounds.append(0.0)
        found: list[list[Keywords]] = [[] for _ in contestants]
        for some in chunks(documents, 8):
            for contestant, answers in zip(contestants, found, strict=True):
                answers += contestant.run(some)
        compared = _compare(contestants, found, settings.precision)
    return contestants, compared


def _compare(
    contestants: Sequence[Contestant], found: Sequence[Sequence[Keywords]], precision: Precision
) -> list[str]:
    """Compare all keywords with KeyBERT's; in a lower precision, return a sentence on them."""
    expected, *others = found
    compared: dict[str, None] = {}
    for contestant, answers in zip(contestants[1:], others, strict=True):
        if precision == FLOAT32 or contestant.name.startswith("KeyBERT"):
            for theirs, answer in zip(expected, answers, strict=True):
                check_same(theirs, answer, contestant.name)
        else:
            compared[check_nearly_same(expected, answers, precision)] = None
    return list(compared)


main = Program(component="benchmarks", name="keywords_in_process", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
