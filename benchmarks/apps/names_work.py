"""Names by the embedded linker of entity-fishing, for `peers/worker.py`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from entity_fishing.dictionary import find_names
from entity_fishing.embedded import EmbeddedLinker
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.linker import Task
from entity_fishing.reading import Reading
from entity_fishing.schema import Language
from mesh.compile.artifact import CompiledModel
from mesh.nlp.document import read_document


def load(setup: dict[str, Any]) -> Callable[[list[str]], list[Any]]:
    """The names of the sample, found, or by `encoder`, a compiled one, linked too."""
    knowledge = KnowledgeBase.open(None)

    def find(texts: list[str]) -> list[Any]:
        mentions = (
            find_names(Reading(read_document(text), Language.ENGLISH), knowledge) for text in texts
        )
        return [[(each.start, each.end) for each in found] for found in mentions]

    if setup["encoder"] is None:
        return find
    linker = EmbeddedLinker(knowledge, CompiledModel.load(Path(setup["encoder"])))

    def link(texts: list[str]) -> list[Any]:
        tasks = [Task(read_document(text), Language.ENGLISH, None) for text in texts]
        found = []
        for links in linker.link(tasks, float("inf")):
            if isinstance(links, Exception):
                raise links
            found.append([(each.mention.start, each.mention.end) for each in links])
        return found

    return link
