"""Sentiment of documents, and of entities from the sentences that mention them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mesh.compile.artifact import CompiledModel
from mesh.nlp.document import Document, read_document
from mesh.nlp.sentences import Span, split_sentences
from mesh.nlp.softmax import softmax
from sentiment.labels import LABELS
from sentiment.schema import EntitySentiment, Input, Mention, Prediction, Sentiment

Probabilities = NDArray[np.float64]


class Classifier(Protocol):
    """A text-classification network."""

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Logits, float32 (texts, labels); texts that are too long are split into windows."""
        ...


@dataclass(frozen=True)
class _Reading:
    """A document with its entities, and the sentences of each of them."""

    text: Document
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
        spans = [self.sentences[number] for number in self.needed]
        return [self.text.text, *(self.text.text[span.start : span.end] for span in spans)]


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

    def analyse(self, documents: Sequence[tuple[Input, str]]) -> list[Prediction]:
        """The sentiment of each document and its entities, in the documents' order.

        Args:
            documents: each with the ISO 639 code of its language.
        """
        readings = [_read(document, language) for document, language in documents]
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


def _read(source: Input, language: str) -> _Reading:
    text = read_document(source.document)
    mentions = tuple(source.entities)
    sentences = split_sentences(text.text, language) if mentions else []
    found = [
        [
            number
            for number, sentence in enumerate(sentences)
            if any(start < sentence.end and end > sentence.start for start, end in spans)
        ]
        for spans in (_spans(text, mention) for mention in mentions)
    ]
    return _Reading(text, mentions, sentences, found)


def _spans(text: Document, mention: Mention) -> list[tuple[int, int]]:
    """The spans of an entity in the cleaned text."""
    if mention.start is not None and mention.end is not None:
        span = text.to_text(mention.start, mention.end)
        return [span] if span else []
    name = r"\s+".join(re.escape(word) for word in mention.entity_text.split())
    if not name:
        return []
    pattern = re.compile(rf"(?<!\w){name}(?!\w)", re.IGNORECASE)
    return [match.span() for match in pattern.finditer(text.text)]


def _prediction(reading: _Reading, probabilities: Probabilities) -> Prediction:
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
    return Prediction(**whole.model_dump(), entities=entities)


def _sentiment(probabilities: Probabilities) -> Sentiment:
    rounded = {
        f"{label}_prob": round(float(probability), 4)
        for label, probability in zip(LABELS, probabilities, strict=True)
    }
    return Sentiment.model_validate({"label": LABELS[int(probabilities.argmax())], **rounded})
