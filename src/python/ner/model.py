"""Named entities: sentence by sentence, each word gets a tag, and tags make entities."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self

from mesh.compile.artifact import CompiledModel
from mesh.compile.text_model import TokenLogits
from mesh.nlp.document import Document, read_document
from mesh.nlp.sentences import Span, split_sentences
from mesh.nlp.softmax import softmax
from mesh.nlp.tagging import OUTSIDE, first_tokens, tagged_spans
from mesh.nlp.words import split_words
from ner.schema import Entity, Prediction


class Tagger(Protocol):
    """A token-classification network."""

    def token_logits(self, texts: Sequence[str]) -> list[TokenLogits]:
        """The offsets and logits of each text's tokens."""
        ...


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

    def recognise(self, documents: Sequence[tuple[str, str]]) -> list[Prediction]:
        """The entities of each document, in the documents' order.

        Args:
            documents: texts, which may contain HTML, each with the ISO 639 code of its language.
        """
        texts = [read_document(document) for document, _ in documents]
        sentences = [
            split_sentences(text.text, language)
            for text, (_, language) in zip(texts, documents, strict=True)
        ]
        outputs = iter(
            self._network.token_logits(
                [
                    text.text[span.start : span.end]
                    for text, spans in zip(texts, sentences, strict=True)
                    for span in spans
                ]
            )
        )
        return [
            Prediction(
                entities=[
                    entity
                    for number, span in enumerate(spans)
                    for entity in self._entities(text, span, number, next(outputs))
                ]
            )
            for text, spans in zip(texts, sentences, strict=True)
        ]

    def _entities(
        self, text: Document, sentence: Span, number: int, found: TokenLogits
    ) -> Iterator[Entity]:
        """The entities of one sentence of a cleaned text."""
        words = split_words(text.text[sentence.start : sentence.end])
        tokens = first_tokens(words, [(int(start), int(end)) for start, end in found.offsets])
        probabilities = softmax(found.logits)
        best = probabilities.argmax(axis=1) if len(probabilities) else []
        tags = [self._tags[best[token]] if token is not None else OUTSIDE for token in tokens]
        for span in tagged_spans(tags):
            start = sentence.start + words[span.first].start
            end = sentence.start + words[span.last].end
            inside = [token for token in tokens[span.first : span.last + 1] if token is not None]
            first, last = text.to_original(start, end)
            yield Entity(
                entity_type=span.label,
                entity_text=text.text[start:end],
                score=round(float(probabilities[inside].max(axis=1).mean()), 4),
                sentence_index=number,
                start=first,
                end=last,
            )
