"""Ranks the entities that a name may stand for by name, popularity and description.

The features are those of classic entity linkers: the prior of an entity and the similarity of its
description to the mention's context (Milne and Witten, "Learning to link with Wikipedia", 2008),
here with sentence embeddings.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from entity_fishing.knowledge import Candidate
from entity_fishing.linker import Link, Mention
from entity_fishing.names import name_key
from entity_fishing.namesakes import initials, is_made_of_initials, strangers
from entity_fishing.reading import Reading
from entity_fishing.schema import Reason
from entity_fishing.weights import Weights, is_region, weight_of_nothing
from mesh.core.passes import checkpoint
from mesh.nlp.sentences import Span
from mesh.nlp.softmax import softmax

Floats = NDArray[np.float32]

# Chosen on tests/python/entity_fishing/data/sentences.json.
_CONTEXT = 8.0
_SURE = 0.6
# Characters of a comma with the spaces around it.
_COMMA = 3

# What entities of each type do. Chosen on tests/python/entity_fishing/data/first_words.json.
_DEEDS = {
    "place": (
        "the government, elections, economy and army of a country",
        "the mayor, streets and inhabitants of a city",
        "a country denied a report, rejected a demand and signed a treaty",
        "a country launched rockets and exports goods",
        "its border, capital and president",
    ),
    "organisation": (
        "the business, products and shares of a company",
        "the matches and players of a team",
        "a company was fined and apologised to its users",
        "a company hired staff, fired its boss and launched an app",
    ),
    "person": (
        "the speeches, decisions and life of a politician",
        "the films, songs and matches of a star",
        "a leader won or lost an election and resigned",
    ),
    "other": (),
}


class Text:
    """A text that is being linked: its mentions, their candidates and contexts."""

    def __init__(
        self,
        reading: Reading,
        mentions: Sequence[Mention],
        candidates: Mapping[str, Sequence[Candidate]],
    ) -> None:
        self._reading = reading
        self._weights = Weights(reading)
        self._mentions = mentions
        self._candidates = candidates

    def contexts(self) -> Iterator[str]:
        """The contexts that descriptions are compared with."""
        for mention in self._mentions:
            if self._open(mention):
                yield self._context(mention)
                if mention.doubt:
                    yield self._rest(mention)

    def descriptions(self) -> Iterator[str]:
        """The descriptions of the candidates, and of what they do."""
        for mention in self._mentions:
            for candidate in self._open(mention):
                yield candidate.description
                if mention.doubt:
                    yield from _DEEDS[candidate.type]

    def links(self, embeddings: Mapping[str, Floats]) -> list[Link]:
        """Choose the links, given the embeddings of all contexts and descriptions.

        Doubtful names without a link are left out, since they are ordinary words.
        """
        links = self._ranked(embeddings, frozenset(), frozenset())
        # Anywhere in a text, a short name stands for the person or organisation named in full.
        named = frozenset(
            link.wikidata_id
            for link in links
            if link.wikidata_id
            and link.entity_type != "place"
            and " " in self._surface(link.mention)
        )
        unknown = strangers(self._reading, links)
        if named or unknown:
            links = self._ranked(embeddings, named, unknown)
        links = self._with_initials(links)
        return [link for link in links if link.wikidata_id or not link.mention.doubt]

    def _ranked(
        self, embeddings: Mapping[str, Floats], named: Set[str], unknown: Set[str]
    ) -> list[Link]:
        return [self._link(mention, embeddings, named, unknown) for mention in self._mentions]

    def _with_initials(self, links: Sequence[Link]) -> list[Link]:
        """The links, where unknown initials stand for the entity whose full name has them."""
        full = {
            initials(surface): link
            for link in reversed(links)
            if link.wikidata_id and " " in (surface := self._surface(link.mention))
        }
        return [
            (
                replace(full[surface], mention=link.mention)
                if link.reason is Reason.UNKNOWN
                and is_made_of_initials(surface := self._surface(link.mention))
                and surface in full
                else link
            )
            for link in links
        ]

    def _link(
        self,
        mention: Mention,
        embeddings: Mapping[str, Floats],
        named: Set[str],
        unknown: Set[str],
    ) -> Link:
        checkpoint()
        surface = self._surface(mention)
        is_strange = name_key(surface) in unknown
        candidates = [
            candidate
            for candidate in self._open(mention)
            if (not is_strange or candidate.id in named)
            and (not mention.doubt or self._is_evident(mention, candidate, embeddings))
        ]
        if mention.reason or not candidates:
            other = Reason.AMBIGUOUS if is_strange else Reason.UNKNOWN
            return Link(mention, 0.0, reason=mention.reason or other)
        context = embeddings[self._context(mention)]
        is_shared = any(found.is_whole and found.type == "person" for found in candidates)
        weights = [
            self._weights.weight(
                candidate, mention, is_named=candidate.id in named, is_shared=is_shared
            )
            + self._weights.in_region(candidate, self._regions.get(mention.end, ()))
            + _CONTEXT * float(context @ embeddings[candidate.description])
            for candidate in candidates
        ]
        rivals = [*weights, weight_of_nothing(surface)]
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

    def _is_evident(
        self, mention: Mention, candidate: Candidate, embeddings: Mapping[str, Floats]
    ) -> bool:
        """Whether the rest of a doubtful name's sentence is about a candidate.

        Entities such as apples and dogs, whose names are ordinary words, are never doubtful.
        """
        if candidate.name.islower():
            return True
        if not self._weights.may_be(candidate):
            return False
        rest = embeddings[self._rest(mention)]
        about = (candidate.description, *_DEEDS[candidate.type])
        return any(float(rest @ embeddings[text]) > mention.doubt for text in about)

    @cached_property
    def _regions(self) -> Mapping[int, Set[str]]:
        """By the end of a name, the regions that follow it as in "Paris, Texas"."""
        return {
            first.end: regions
            for first, second in pairwise(self._mentions)
            if 0 < second.start - first.end <= _COMMA
            and self._reading.text[first.end : second.start].strip() == ","
            and (regions := {found.label for found in self._open(second) if is_region(found)})
        }

    def _open(self, mention: Mention) -> Sequence[Candidate]:
        return () if mention.reason else self._candidates[self._surface(mention)]

    def _surface(self, mention: Mention) -> str:
        return self._reading.text[mention.start : mention.end]

    def _context(self, mention: Mention) -> str:
        """The sentence that a mention is in."""
        return self._reading.text[slice(*self._reading.context(mention.start, mention.end))]

    def _rest(self, mention: Mention) -> str:
        """The sentence that a doubtful name is in, without the doubtful names."""
        return self._rests[self._reading.context(mention.start, mention.end)]

    @cached_property
    def _rests(self) -> Mapping[Span, str]:
        doubtful: dict[Span, list[Mention]] = defaultdict(list)
        for mention in self._mentions:
            if mention.doubt:
                doubtful[self._reading.context(mention.start, mention.end)].append(mention)
        return {sentence: self._without(sentence, names) for sentence, names in doubtful.items()}

    def _without(self, sentence: Span, names: Sequence[Mention]) -> str:
        starts = [*(name.start for name in names), sentence.end]
        ends = [sentence.start, *(name.end for name in names)]
        parts = (self._reading.text[end:start] for end, start in zip(ends, starts, strict=True))
        return "".join(parts).strip(" ,")
