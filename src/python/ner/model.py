"""Named entities: sentence by sentence, each word gets a tag, and tags make entities."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from mesh.compile.artifact import CompiledModel
from mesh.compile.text_model import MOST_UNKNOWN, TokenLogits
from mesh.core.passes import checkpoint
from mesh.nlp.addresses import cuts, find_domains
from mesh.nlp.document import Document
from mesh.nlp.sentences import Span
from mesh.nlp.tagger_text import TaggerText, tagger_text
from mesh.nlp.tagging import read_tags, tagged_spans
from ner.schema import Configuration, Entity, Prediction


class Tagger(Protocol):
    """A token-classification network."""

    def token_logits(self, texts: Sequence[str]) -> list[TokenLogits]:
        """The offsets and logits of each text's tokens."""
        ...

    def unknown_fractions(self, texts: Sequence[str]) -> list[float]:
        """For each text the fraction of its words that the network can't read, from 0 to 1."""
        ...


@dataclass(frozen=True)
class Reading:
    """A document as the recogniser reads it.

    Args:
        sentences: their spans in its text.
        read: the sentences as the network reads them.
        domains: names of hosts in the document's text.
        min_score: least score of a name that is wanted.
    """

    document: Document
    sentences: list[Span]
    read: list[TaggerText]
    domains: list[Span]
    min_score: float

    @classmethod
    def of(cls, document: Document, configuration: Configuration) -> Self:
        """Read a document as its request wants it."""
        text = document.text
        sentences = document.sentences(configuration.language)
        read = [tagger_text(text[span.start : span.end]) for span in sentences]
        return cls(document, sentences, read, find_domains(text), configuration.min_score)


class EntityRecogniser:
    """Finds entities with a network that tags words; as thread-safe as its network.

    Args:
        tags: `O`, `B-<type>` and `I-<type>`, in the order of the logits.
    """

    def __init__(self, network: Tagger, tags: Sequence[str]) -> None:
        self._network = network
        self._tags = tuple(tags)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the network in the folder `compiled/` of a version, as `CompiledModel.load` does."""
        network = CompiledModel.load(folder)
        return cls(network, network.spec.labels)

    def recognise(self, readings: Sequence[Reading]) -> list[Prediction]:
        """The entities of each document, in the documents' order.

        A sentence of which the network can't read most words has none.
        """
        texts = [each.text for reading in readings for each in reading.read]
        readable = [unknown <= MOST_UNKNOWN for unknown in self._network.unknown_fractions(texts)]
        outputs = iter(
            self._network.token_logits(
                [text for text, kept in zip(texts, readable, strict=True) if kept]
            )
        )
        kept = iter(readable)
        return [
            Prediction(
                entities=[
                    entity
                    for number in range(len(reading.sentences))
                    if next(kept)
                    for entity in self._entities(reading, number, next(outputs))
                ],
                markup=reading.document.markup,
            )
            for reading in readings
        ]

    def _entities(self, reading: Reading, number: int, found: TokenLogits) -> Iterator[Entity]:
        """The entities of one sentence."""
        checkpoint()
        document, sentence = reading.document, reading.sentences[number]
        words, tags, probabilities = read_tags(
            reading.read[number], found.offsets, found.logits, self._tags
        )
        for span in tagged_spans(tags):
            start = sentence.start + words[span.first].start
            end = sentence.start + words[span.last].end
            if cuts(reading.domains, start) or cuts(reading.domains, end):
                continue
            if not any(map(str.isalnum, document.text[start:end])):
                continue
            score = round(float(probabilities[span.first : span.last + 1].mean()), 4)
            if score < reading.min_score:
                continue
            first, last = document.to_original(start, end)
            yield Entity(
                entity_type=span.label,
                entity_text=document.text[start:end],
                score=score,
                sentence_index=number,
                start=first,
                end=last,
            )
