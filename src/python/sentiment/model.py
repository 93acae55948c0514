"""Sentiment of documents, and of entities from the sentences that mention them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
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
    """A document with its entities, and the sentences of each of them.

    Args:
        sentences: of the document; empty where no entity is given.
        found: for each entity the numbers of its sentences, ascending.
    """

    document: Document
    mentions: tuple[Mention, ...]
    sentences: list[Span]
    found: list[list[int]]

    @property
    def needed(self) -> list[int]:
        """The sentences with entities, each once."""
        return sorted({number for numbers in self.found for number in numbers})

    @property
    def texts(self) -> list[str]:
        """The texts for the network: the document and the needed sentences."""
        text = self.document.text
        spans = [self.sentences[number] for number in self.needed]
        return [text, *(text[span.start : span.end] for span in spans)]


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
        """Find the sentences of a document's entities.

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
                "The model can't read most of the text, such as emoji or letters of other "
                "scripts, so there is no sentiment."
            )
        sentences = document.sentences(language) if mentions else []
        found = [_numbers(sentences, spans) for spans in _places(document, mentions)]
        return Reading(document, tuple(mentions), sentences, found)

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


def _prediction(reading: Reading, probabilities: Probabilities) -> Prediction:
    rows = {number: row for row, number in enumerate(reading.needed, start=1)}
    entities = [
        EntitySentiment(
            entity_text=mention.entity_text,
            entity_type=mention.entity_type,
            sentence_indexes=numbers,
            sentiment=(
                _sentiment(probabilities[[rows[number] for number in numbers]].mean(axis=0))
                if numbers
                else None
            ),
        )
        for mention, numbers in zip(reading.mentions, reading.found, strict=True)
    ]
    whole = _sentiment(probabilities[0])
    return Prediction(**whole.model_dump(), entities=entities, markup=reading.document.markup)


def _sentiment(probabilities: Probabilities) -> Sentiment:
    rounded = {
        f"{label}_prob": round(float(probability), 4)
        for label, probability in zip(LABELS, probabilities, strict=True)
    }
    return Sentiment.model_validate({"label": LABELS[int(probabilities.argmax())], **rounded})
