"""Links by a knowledge base, without another service."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from entity_fishing.dictionary import find_names
from entity_fishing.evidence import Floats, Text
from entity_fishing.knowledge import Candidate, KnowledgeBase
from entity_fishing.linker import Link, Mention, Task
from entity_fishing.names import name_key
from entity_fishing.reading import Reading
from mesh.compile.text_model import Encoder
from mesh.core.errors import UsageError
from mesh.serve.documents import MAX_ENTITIES

_CACHED = 50_000


class EmbeddedLinker:
    """Links by a knowledge base. Equal requests get equal responses."""

    def __init__(self, knowledge: KnowledgeBase, encoder: Encoder) -> None:
        self._knowledge = knowledge
        self._encoder = encoder
        self._described: OrderedDict[str, Floats] = OrderedDict()

    def link(self, tasks: Sequence[Task], _end: float, /) -> list[list[Link] | Exception]:
        """Link the names of several texts with one call of the encoder, and no other service."""
        texts = [self._read(task) for task in tasks]
        embeddings = self._embed(text for text in texts if isinstance(text, Text))
        return [text.links(embeddings) if isinstance(text, Text) else text for text in texts]

    def _read(self, task: Task) -> "Text | UsageError":
        reading = Reading(task.document, task.language)
        mentions = task.mentions
        if mentions is None:
            mentions = find_names(reading, self._knowledge)
        if len(mentions) > MAX_ENTITIES:
            return UsageError(
                f"A document has {len(mentions):,} names, more than {MAX_ENTITIES:,}: send a "
                "shorter one."
            )
        return Text(reading, mentions, self._candidates(task, mentions))

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

    def _embed(self, texts: Iterable["Text"]) -> dict[str, Floats]:
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
