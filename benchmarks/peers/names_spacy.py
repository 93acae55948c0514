"""Names by the entity ruler of a blank spaCy pipeline."""

from collections.abc import Callable
from typing import Any

import spacy


def load(setup: dict[str, Any]) -> Callable[[list[str]], list[Any]]:
    """The places of `names`, in the letter case that they are given in."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "NAME", "pattern": name} for name in setup["names"]])
    return lambda texts: [
        [(entity.start_char, entity.end_char) for entity in document.ents]
        for document in nlp.pipe(texts)
    ]
