"""Sentiment of documents, and of entities from the sentences and clauses that mention them."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mesh.compile.artifact import CompiledModel
from mesh.compile.text_model import MOST_UNKNOWN
from mesh.core.errors import UsageError
from mesh.nlp.document import Document
from mesh.nlp.names import occurrences, place
from mesh.nlp.sentences import Span
from mesh.nlp.softmax import softmax
from sentiment.clauses import split_clauses
from sentiment.labels import LABELS
from sentiment.schema import EntitySentiment, Mention, Prediction, Sentiment

Probabilities = NDArray[np.float64]


class Classifier(Protocol):
    """A text-classification network."""

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Logits, float32 (texts, labels); texts that are too long are split into windows."""
        ...

    def unknown_fractions(self, texts: Sequence[str]) -> list[float]:
        """For each text the fraction of its words that the network can't read, from 0 to 1."""
        ...


@dataclass(frozen=True)
class Reading:
    """A document with its entities, and what is said about each of them.

    Args:
        found: for each entity the numbers of its sentences, ascending.
        passages: for each entity the spans of its sentences, or of the clauses with it in those
            that name other entities too, in order.
    """

    document: Document
    mentions: tuple[Mention, ...]
    found: list[list[int]]
    passages: list[list[Span]]

    @property
    def needed(self) -> list[Span]:
        """The passages of all entities, each once, in order."""
        return sorted({passage for passages in self.passages for passage in passages})

    @property
    def texts(self) -> list[str]:
        """The texts for the network: the document and the needed passages."""
        text = self.document.text
        return [text, *(text[start:end] for start, end in self.needed)]


class SentimentAnalyser:
    """Finds sentiments with a network that classifies texts; as thread-safe as its network.

    Args:
        labels: the project's labels in the order of the logits.
    """

    def __init__(self, network: Classifier, labels: Sequence[str]) -> None:
        self._network = network
        self._order = [list(labels).index(label) for label in LABELS]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the network in the folder `compiled/` of a version, as `CompiledModel.load` does."""
        network = CompiledModel.load(folder)
        return cls(network, network.spec.labels)

    def read(self, document: Document, mentions: Sequence[Mention], language: str) -> Reading:
        """Find the sentences of a document's entities, and their clauses where names share one.

        Args:
            language: ISO 639 code.

        Raises:
            UsageError: the network can't read the document, an entity isn't at its place, or the
                entities occur too often.
        """
        if not document.text:
            raise UsageError("There is no text, so there is no sentiment.")
        [unknown] = self._network.unknown_fractions([document.text])
        if unknown > MOST_UNKNOWN:
            raise UsageError(
                "The model can't read most of the text, such as letters of other scripts, so "
                "there is no sentiment."
            )
        sentences = document.sentences(language) if mentions else []
        places = _places(document, mentions)
        found = [_numbers(sentences, spans) for spans in places]
        names = [mention.entity_text.casefold() for mention in mentions]
        clauses = _clauses(document.text, sentences, found, names, language)
        passages = [
            _passages(sentences, clauses, numbers, spans)
            for numbers, spans in zip(found, places, strict=True)
        ]
        return Reading(document, tuple(mentions), found, passages)

    def analyse(self, readings: Sequence[Reading]) -> list[Prediction]:
        """The sentiment of each document and its entities, in the documents' order."""
        probabilities = softmax(
            self._network.logits([text for reading in readings for text in reading.texts])
        )[:, self._order]
        predictions = []
        position = 0
        for reading in readings:
            count = len(reading.texts)
            predictions.append(_prediction(reading, probabilities[position : position + count]))
            position += count
        return predictions


def _places(document: Document, mentions: Sequence[Mention]) -> list[list[Span]]:
    """The spans of each entity in a document's text, in order."""
    searched = iter(
        occurrences(
            [mention.entity_text for mention in mentions if mention.start is None], document.text
        )
    )
    return [
        (
            next(searched)
            if mention.start is None or mention.end is None
            else [place(document, mention.entity_text, mention.start, mention.end)]
        )
        for mention in mentions
    ]


def _numbers(sentences: Sequence[Span], spans: Sequence[Span]) -> list[int]:
    """The numbers of the sentences that the spans touch; both are in order."""
    numbers: list[int] = []
    for start, end in spans:
        first = bisect_right(sentences, start, key=lambda sentence: sentence.end)
        last = bisect_left(sentences, end, key=lambda sentence: sentence.start)
        numbers.extend(range(max(first, numbers[-1] + 1 if numbers else 0), last))
    return numbers


def _clauses(
    text: str,
    sentences: Sequence[Span],
    found: Sequence[Sequence[int]],
    names: Sequence[str],
    language: str,
) -> dict[int, list[Span]]:
    """The clauses of the sentences with several names, by their numbers."""
    inside: defaultdict[int, set[str]] = defaultdict(set)
    for name, numbers in zip(names, found, strict=True):
        for number in numbers:
            inside[number].add(name)
    return {
        number: [
            Span(sentences[number].start + start, sentences[number].start + end)
            for start, end in split_clauses(text[slice(*sentences[number])], language)
        ]
        for number, together in inside.items()
        if len(together) > 1
    }


def _passages(
    sentences: Sequence[Span],
    clauses: Mapping[int, Sequence[Span]],
    numbers: Sequence[int],
    spans: Sequence[Span],
) -> list[Span]:
    """What is said about an entity: its sentences, or its clauses where there are some.

    Args:
        numbers: of its sentences.
        spans: of its occurrences.
    """
    found: list[Span] = []
    for number in numbers:
        parts = clauses.get(number)
        if parts is None:
            found.append(sentences[number])
            continue
        first = bisect_right(spans, parts[0].start, key=lambda span: span.end)
        last = bisect_left(spans, parts[-1].end, key=lambda span: span.start)
        found.extend(parts[part] for part in _numbers(parts, spans[first:last]))
    return found


def _prediction(reading: Reading, probabilities: Probabilities) -> Prediction:
    rows = {passage: row for row, passage in enumerate(reading.needed, start=1)}
    entities = [
        EntitySentiment(
            entity_text=mention.entity_text,
            entity_type=mention.entity_type,
            sentence_indexes=numbers,
            sentiment=(
                _sentiment(probabilities[[rows[passage] for passage in passages]].mean(axis=0))
                if passages
                else None
            ),
        )
        for mention, numbers, passages in zip(
            reading.mentions, reading.found, reading.passages, strict=True
        )
    ]
    whole = _sentiment(probabilities[0])
    return Prediction(**whole.model_dump(), entities=entities, markup=reading.document.markup)


def _sentiment(probabilities: Probabilities) -> Sentiment:
    rounded = {
        f"{label}_prob": round(float(probability), 4)
        for label, probability in zip(LABELS, probabilities, strict=True)
    }
    return Sentiment.model_validate({"label": LABELS[int(probabilities.argmax())], **rounded})
