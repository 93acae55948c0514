"""Turns documents into texts without markup, and links into predictions for the documents."""

from collections.abc import Iterator, Sequence

from entity_fishing.linker import Link, Mention, Task
from entity_fishing.names import occurrences
from entity_fishing.schema import (
    Entity,
    GivenEntity,
    Input,
    Language,
    Prediction,
    Reason,
)
from mesh.core.errors import UsageError
from mesh.nlp.document import Document, read_document
from mesh.serve.documents import MAX_ENTITIES

WIKIDATA = "https://www.wikidata.org/wiki/"


class PreparedDocument:
    """A cleaned document with the spans of its given names.

    Raises:
        UsageError: names given without offsets occur too often.
    """

    def __init__(self, source: Input, language: Language) -> None:
        self._clean = read_document(source.document)
        self._given = None if source.entities is None else list(self._places(source.entities))
        if self._given is not None and len(self._given) > MAX_ENTITIES:
            raise UsageError(
                f"The names of a document occur {len(self._given):,} times, more than "
                f"{MAX_ENTITIES:,}: send fewer."
            )
        self.task = Task(self._clean.text, language, self._mentions())

    def prediction(self, links: Sequence[Link]) -> Prediction:
        """The prediction for the document.

        Args:
            links: one for each mention of `task`, or for each that the backend found.
        """
        if self._given is None:
            return Prediction(entities=[self._entity(link) for link in links])
        remaining = iter(links)
        return Prediction(
            entities=[
                _lost(entity) if mention is None else self._entity(next(remaining), entity)
                for entity, mention in self._given
            ]
        )

    def _places(
        self, entities: Sequence[GivenEntity]
    ) -> Iterator[tuple[GivenEntity, Mention | None]]:
        for entity in entities:
            spans = list(_spans(entity, self._clean))
            for start, end in spans:
                yield entity, Mention(start, end, entity.entity_type)
            if not spans:
                yield entity, None

    def _mentions(self) -> list[Mention] | None:
        if self._given is None:
            return None
        return [mention for _, mention in self._given if mention]

    def _entity(self, link: Link, given: GivenEntity | None = None) -> Entity:
        start, end = self._clean.to_original(link.mention.start, link.mention.end)
        if given and given.start is not None:
            start, end = given.start, given.end or end
        text = self._clean.text[link.mention.start : link.mention.end]
        return Entity(
            entity_text=given.entity_text if given else text,
            entity_type=link.mention.entity_type or link.entity_type,
            start=start,
            end=end,
            score=round(link.score, 4),
            wikidata_id=link.wikidata_id,
            wiki_link=f"{WIKIDATA}{link.wikidata_id}" if link.wikidata_id else None,
            label=link.label,
            description=link.description,
            reason=link.reason,
        )


def _spans(entity: GivenEntity, text: Document) -> Iterator[tuple[int, int]]:
    """The spans of a given name in the cleaned text."""
    if entity.start is None or entity.end is None:
        yield from occurrences(entity.entity_text.strip(), text.text)
    elif span := text.to_text(entity.start, entity.end):
        yield span


def _lost(entity: GivenEntity) -> Entity:
    return Entity(
        entity_text=entity.entity_text,
        entity_type=entity.entity_type,
        start=None,
        end=None,
        score=0.0,
        wikidata_id=None,
        wiki_link=None,
        label=None,
        description=None,
        reason=Reason.NOT_IN_DOCUMENT,
    )
