"""The interface of the backends that link names to entities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from entity_fishing.schema import Language, Reason
from mesh.nlp.document import Document


@dataclass(frozen=True)
class Mention:
    """A name in a text.

    Args:
        start: its first character.
        end: the character after its last one.
        entity_type: the kind of entity, if known.
        reason: why it can't be linked, if that is already known.
        doubt: how likely it is an ordinary word, as in "Turkey tastes best": the similarity with its
            entity that the rest of its sentence must exceed; 0 if it is surely a name.
    """

    start: int
    end: int
    entity_type: str | None = None
    reason: Reason | None = None
    doubt: float = 0.0


@dataclass(frozen=True)
class Task:
    """A document, and the names to link in its text; None if the backend is to find them."""

    document: Document
    language: Language
    mentions: Sequence[Mention] | None

    @property
    def text(self) -> str:
        """The document's text, without markup."""
        return self.document.text


@dataclass(frozen=True)
class Link:
    """The entity of a mention, or why there is none.

    Args:
        mention: the name in the text.
        score: certainty, from 0 to 1; without a link, that of the best candidate.
        wikidata_id: such as `Q90`; exactly one of this and `reason` is set.
        reason: why there is no link.
        entity_type: person, organisation, place or other, if known.
        label: the entity's name, if known.
        description: a description of the entity, if known.
    """

    mention: Mention
    score: float
    wikidata_id: str | None = None
    reason: Reason | None = None
    entity_type: str | None = None
    label: str | None = None
    description: str | None = None


class Linker(Protocol):
    """A thread-safe backend."""

    def link(self, tasks: Sequence[Task], end: float, /) -> list[list[Link] | Exception]:
        """Link the names of several texts together.

        Args:
            end: time of `time.monotonic()` by which other services must have responded.

        Returns:
            For each text, one link for each of its mentions, in their order, or its error. If the
            task has none, one for each name that was found.
        """
        ...
