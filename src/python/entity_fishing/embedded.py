"""Links by a knowledge base: candidates are ranked by name, popularity and description.

The features are those of classic entity linkers: the prior of an entity and the similarity of its
description to the mention's context (Milne and Witten, "Learning to link with Wikipedia", 2008),
here with sentence embeddings.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from entity_fishing.dictionary import find_names
from entity_fishing.knowledge import Candidate, KnowledgeBase
from entity_fishing.linker import Link, Mention, Task
from entity_fishing.names import name_key
from entity_fishing.schema import Reason
from mesh.core.errors import UsageError
from mesh.nlp.sentences import split_sentences
from mesh.nlp.softmax import softmax
from mesh.serve.documents import MAX_ENTITIES

Floats = NDArray[np.float32]

# Chosen on tests/python/entity_fishing/data/sentences.json.
_CONTEXT = 8.0
_POPULARITY = 4.0
_ALIAS = -1.0
_OTHER_CASE = -1.0
_PART = -4.0
_NAMED_BEFORE = 4.0
# The weight of no entity, which a candidate must exceed; a single word is often something else.
_NOTHING = 2.0
_NOTHING_ONE_WORD = 4.0
_SURE = 0.6
_CACHED = 50_000


class Encoder(Protocol):
    """A thread-safe sentence-embedding model."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Embeddings of n texts, float32 (n, dim), each of length 1."""
        ...


class EmbeddedLinker:
    """Links by a knowledge base. Equal requests get equal responses."""

    def __init__(self, knowledge: KnowledgeBase, encoder: Encoder) -> None:
        self._knowledge = knowledge
        self._encoder = encoder
        self._described: OrderedDict[str, Floats] = OrderedDict()

    def link(self, tasks: Sequence[Task], _end: float, /) -> list[list[Link] | Exception]:
        """Link the names of several texts with one call of the encoder, and no other service."""
        texts = [self._read(task) for task in tasks]
        embeddings = self._embed(text for text in texts if isinstance(text, _Text))
        return [text.links(embeddings) if isinstance(text, _Text) else text for text in texts]

    def _read(self, task: Task) -> "_Text | UsageError":
        mentions = task.mentions
        if mentions is None:
            mentions = find_names(task.text, task.language, self._knowledge)
        if len(mentions) > MAX_ENTITIES:
            return UsageError(
                f"A document has {len(mentions):,} names, more than {MAX_ENTITIES:,}: send a "
                "shorter one."
            )
        return _Text(task, mentions, self._candidates(task, mentions))

    def _candidates(
        self, task: Task, mentions: Sequence[Mention]
    ) -> Mapping[str, Sequence[Candidate]]:
        surfaces = {task.text[mention.start : mention.end] for mention in mentions}
        found = self._knowledge.find({name_key(surface) for surface in surfaces}, task.language)
        return {
            surface: found.get(name_key(surface))
            or self._knowledge.containing(surface, task.language)
            for surface in surfaces
        }

    def _embed(self, texts: Iterable["_Text"]) -> dict[str, Floats]:
        """The embeddings of contexts and descriptions; those of descriptions are cached."""
        contexts: dict[str, None] = {}
        descriptions: dict[str, None] = {}
        for text in texts:
            contexts.update(dict.fromkeys(text.contexts()))
            descriptions.update(dict.fromkeys(text.descriptions()))
        known = {
            description: embedding
            for description in descriptions
            if (embedding := self._described.get(description)) is not None
        }
        missing = [*contexts, *(text for text in descriptions if text not in known)]
        if missing:
            known.update(zip(missing, self._encoder.embed(missing), strict=True))
        for description in descriptions:
            self._described[description] = known[description]
        while len(self._described) > _CACHED:
            self._described.popitem(last=False)
        return known


class _Text:
    """A text that is being linked: its mentions, their candidates and contexts."""

    def __init__(
        self, task: Task, mentions: Sequence[Mention], candidates: Mapping[str, Sequence[Candidate]]
    ) -> None:
        self._text = task.text
        self._mentions = mentions
        self._candidates = candidates
        self._sentences = split_sentences(task.text, task.language)

    def contexts(self) -> Iterable[str]:
        """The contexts that descriptions are compared with."""
        return (self._context(mention) for mention in self._mentions if self._open(mention))

    def descriptions(self) -> Iterable[str]:
        """The descriptions of the candidates."""
        return (
            candidate.description for mention in self._mentions for candidate in self._open(mention)
        )

    def links(self, embeddings: Mapping[str, Floats]) -> list[Link]:
        """Choose the links, given the embeddings of all contexts and descriptions."""
        first = [self._link(mention, embeddings, frozenset()) for mention in self._mentions]
        # Later in a text, a short name stands for the entity that was named in full.
        named = frozenset(
            link.wikidata_id
            for link in first
            if link.wikidata_id and " " in self._surface(link.mention)
        )
        if not named:
            return first
        return [self._link(mention, embeddings, named) for mention in self._mentions]

    def _link(
        self, mention: Mention, embeddings: Mapping[str, Floats], named: frozenset[str]
    ) -> Link:
        candidates = self._open(mention)
        if mention.reason or not candidates:
            return Link(mention, 0.0, reason=mention.reason or Reason.UNKNOWN)
        context = embeddings[self._context(mention)]
        weights = [
            _weight(candidate, self._surface(mention))
            + _CONTEXT * float(context @ embeddings[candidate.description])
            + _NAMED_BEFORE * (candidate.id in named)
            for candidate in candidates
        ]
        is_word = " " not in self._surface(mention)
        rivals = [*weights, _NOTHING_ONE_WORD if is_word else _NOTHING]
        *scores, nothing = softmax(np.array(rivals)).tolist()
        best = int(np.argmax(scores))
        score, candidate = scores[best], candidates[best]
        if score >= _SURE:
            return Link(
                mention,
                score,
                wikidata_id=candidate.id,
                entity_type=candidate.type,
                label=candidate.label,
                description=candidate.description,
            )
        # Ambiguous if, without the best, another candidate would win over no entity.
        is_ambiguous = sum(other > nothing for other in scores) > 1
        return Link(mention, score, reason=Reason.AMBIGUOUS if is_ambiguous else Reason.UNLIKELY)

    def _open(self, mention: Mention) -> Sequence[Candidate]:
        return () if mention.reason else self._candidates[self._surface(mention)]

    def _surface(self, mention: Mention) -> str:
        return self._text[mention.start : mention.end]

    def _context(self, mention: Mention) -> str:
        """The sentence that a mention is in."""
        inside = [
            span
            for span in self._sentences
            if span.start < mention.end and mention.start < span.end
        ]
        return self._text[inside[0].start : inside[-1].end]


def _weight(candidate: Candidate, surface: str) -> float:
    """How likely a candidate is, regardless of the text."""
    weight = _POPULARITY * candidate.popularity
    if not candidate.is_whole:
        return weight + _PART
    if not candidate.is_label:
        weight += _ALIAS
    if candidate.name != surface:
        weight += _OTHER_CASE
    return weight
