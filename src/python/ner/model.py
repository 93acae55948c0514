"""Named entities: sentence by sentence, each word gets a tag, and tags make entities."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from mesh.compile.artifact import CompiledModel
from mesh.compile.text_model import MOST_UNKNOWN, TokenLogits
from mesh.nlp.document import Document
from mesh.nlp.segmentation import Word
from mesh.nlp.sentences import Span
from mesh.nlp.softmax import softmax
from mesh.nlp.tagging import OUTSIDE, TaggedSpan, first_tokens, tagged_spans
from mesh.nlp.words import split_words
from ner.addresses import cuts, find_addresses, find_domains, touches
from ner.schema import Entity, Prediction

_MARKS_THAT_BEGIN = frozenset(".'\u2019")
_MARKS_THAT_END = frozenset(".!)")
"""Marks that may belong to a name: `.NET`, `'s-Hertogenbosch`, `U.S.`, `Yahoo!`."""


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
        addresses: URLs, e-mail addresses, handles and hashtags.
        domains: names of hosts.
    """

    document: Document
    sentences: list[Span]
    addresses: list[Span]
    domains: list[Span]

    @classmethod
    def of(cls, document: Document, language: str) -> Self:
        """Read a document.

        Args:
            language: its ISO 639 code.
        """
        text = document.text
        return cls(document, document.sentences(language), find_addresses(text), find_domains(text))

    @property
    def texts(self) -> list[str]:
        """The sentences' texts."""
        return [self.document.text[span.start : span.end] for span in self.sentences]


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
        texts = [text for reading in readings for text in reading.texts]
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
        document, sentence = reading.document, reading.sentences[number]
        words = split_words(document.text[sentence.start : sentence.end])
        tokens = first_tokens(words, [(int(start), int(end)) for start, end in found.offsets])
        probabilities = softmax(found.logits)
        best = probabilities.argmax(axis=1) if len(probabilities) else []
        tags = [
            (
                OUTSIDE
                if token is None
                or touches(
                    reading.addresses, sentence.start + word.start, sentence.start + word.end
                )
                else self._tags[best[token]]
            )
            for word, token in zip(words, tokens, strict=True)
        ]
        for span in _names(document.text, sentence.start, words, tags):
            start = sentence.start + words[span.first].start
            end = sentence.start + words[span.last].end
            if cuts(reading.domains, start) or cuts(reading.domains, end):
                continue
            inside = [token for token in tokens[span.first : span.last + 1] if token is not None]
            first, last = document.to_original(start, end)
            yield Entity(
                entity_type=span.label,
                entity_text=document.text[start:end],
                score=round(float(probabilities[inside].max(axis=1).mean()), 4),
                sentence_index=number,
                start=first,
                end=last,
            )


def _names(
    text: str, offset: int, words: Sequence[Word], tags: Sequence[str]
) -> Iterator[TaggedSpan]:
    """The entities of a sentence's tags, without marks at their ends that belong to no name.

    Args:
        offset: of the sentence in the text.
    """

    def stays(number: int, marks: frozenset[str]) -> bool:
        word = text[offset + words[number].start : offset + words[number].end]
        return word[0].isalnum() or word in marks

    for span in tagged_spans(tags):
        first, last = span.first, span.last
        while first <= last and not stays(first, _MARKS_THAT_BEGIN):
            first += 1
        while first <= last and not stays(last, _MARKS_THAT_END):
            last -= 1
        if any(stays(number, frozenset()) for number in range(first, last + 1)):
            yield TaggedSpan(first, last, span.label)
