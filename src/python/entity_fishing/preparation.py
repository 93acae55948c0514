"""Turns documents into texts without markup, and links into predictions for the documents."""

from collections.abc import Iterator, Sequence

from entity_fishing.linker import Link, Mention, Task
from entity_fishing.ordinary import is_stop_word
from entity_fishing.schema import (
    Configuration,
    Entity,
    GivenEntity,
    Input,
    Language,
    Prediction,
    Reason,
)
from mesh.nlp.document import Document, read_document
from mesh.nlp.names import occurrences, place
from mesh.nlp.sentences import Span
from mesh.serve.documents import MAX_ENTITIES

WIKIDATA = "https://www.wikidata.org/wiki/"


class PreparedDocument:
    """A document as it is read, with the places of its given names.

    Raises:
        UsageError: a given name isn't at its place, or those without a place occur too often.
    """

    def __init__(self, source: Input, configuration: Configuration) -> None:
        language = configuration.language
        self._document = read_document(source.document, configuration.markup, language)
        self._given: list[tuple[GivenEntity, Mention | None]] | None = None
        mentions = None
        if source.entities is not None:
            self._given = list(_places(source.entities, self._document, language))
            mentions = [mention for _, mention in self._given if mention]
        self.task = Task(self._document, language, mentions)

    def prediction(self, links: Sequence[Link]) -> Prediction:
        """The prediction for the document.

        Args:
            links: one for each mention of `task`, or for each that the backend found.
        """
        remaining = iter(links)
        if self._given is None:
            entities = [self._entity(link) for link in remaining]
        else:
            entities = [
                _lost(entity) if mention is None else self._entity(next(remaining), entity)
                for entity, mention in self._given
            ]
        return Prediction(entities=entities, markup=self._document.markup)

    def _entity(self, link: Link, given: GivenEntity | None = None) -> Entity:
        start, end = self._document.to_original(link.mention.start, link.mention.end)
        if given and given.start is not None:
            start, end = given.start, given.end or end
        text = self._document.text[link.mention.start : link.mention.end]
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


def _places(
    entities: Sequence[GivenEntity], document: Document, language: Language
) -> Iterator[tuple[GivenEntity, Mention | None]]:
    """Each given name with each of its places, in the order of the names; None if it has none."""
    placed = [entity for entity in entities if entity.start is not None]
    searched = dict.fromkeys(entity.entity_text for entity in entities if entity.start is None)
    limit = MAX_ENTITIES - len(placed)
    found = dict(
        zip(searched, occurrences(list(searched), document.text, limit=limit), strict=True)
    )
    for entity in entities:
        if entity.start is None or entity.end is None:
            spans = _as_written(entity.entity_text, found[entity.entity_text], document, language)
        else:
            spans = [place(document, entity.entity_text, entity.start, entity.end)]
        for span in spans:
            yield entity, Mention(*span, entity.entity_type)
        if not spans:
            yield entity, None


def _as_written(
    name: str, spans: Sequence[Span], document: Document, language: Language
) -> Sequence[Span]:
    """The occurrences of a name that aren't ordinary words, as "us" and "may" can be.

    Where the name stands with capital letters, it isn't meant where it has none.
    """
    if name.islower():
        return spans
    capital = [span for span in spans if not document.text[slice(*span)].islower()]
    if capital or (name.isupper() and is_stop_word(name, language)):
        return capital
    return spans


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
