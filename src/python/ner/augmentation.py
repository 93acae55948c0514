"""Augments training rows with other names and other letter cases."""

import importlib.resources
import random
import re
from functools import cache

from ner.dataset import Example, NamedEntity

RENAMED = 0.5
"""Fraction of the names that are replaced."""
LOWER, TITLE, LOUD = 0.2, 0.05, 0.05
"""Fractions of the rows in other cases: all lower, as in chats; each word capitalised, as in
headlines; some words in capitals. A row all in capitals is read in lower case."""
_LOUD_WORDS = 0.3
_LISTS = {
    "LOC": ("countries", "regions", "cities"),
    # Many teams are called by their town or county.
    "ORG": ("organisations", "teams", "cities", "regions"),
    "MISC": ("nationalities", "peoples", "competitions"),
}
_WORD = re.compile(r"[^\W\d_]+")
_CAPITALS_OF_ABBREVIATIONS = 4


def vary_names(row: Example, chance: random.Random) -> Example:
    """Replace some names of a row by others from `train/names`, and sometimes its letter case."""
    row = _rename(row, chance)
    text = _other_case(row.text, chance)
    # A few letters have a different length in the other case, so the spans would no longer fit.
    return row.model_copy(update={"text": text}) if len(text) == len(row.text) else row


def _other_case(text: str, chance: random.Random) -> str:
    draw = chance.random()
    if draw < LOWER:
        return text.lower()
    if draw < LOWER + TITLE:
        return _WORD.sub(lambda word: word[0][0].upper() + word[0][1:], text)
    if draw < LOWER + TITLE + LOUD:
        return _WORD.sub(
            lambda word: word[0].upper() if chance.random() < _LOUD_WORDS else word[0], text
        )
    return text


def _rename(row: Example, chance: random.Random) -> Example:
    parts: list[str] = []
    entities: list[NamedEntity] = []
    position = length = 0
    for entity in sorted(row.entities, key=lambda entity: entity.start):
        old = row.text[entity.start : entity.end]
        name = _other_name(old, entity.label, chance) if chance.random() < RENAMED else old
        parts += [row.text[position : entity.start], name]
        length += entity.start - position
        entities.append(NamedEntity(start=length, end=length + len(name), label=entity.label))
        length += len(name)
        position = entity.end
    parts.append(row.text[position:])
    return row.model_copy(update={"text": "".join(parts), "entities": tuple(entities)})


def _other_name(old: str, label: str, chance: random.Random) -> str:
    """A name of the same kind in the same letter case; the old one if its kind isn't known."""
    name = _other_person(old, chance) if label == "PER" else _other_of_kind(old, label, chance)
    if old.islower():
        return name.lower()
    return name.upper() if old.isupper() and len(old) > _CAPITALS_OF_ABBREVIATIONS else name


def _other_person(old: str, chance: random.Random) -> str:
    first, *rest = old.split()
    if len(rest) > 1:
        return old
    if not rest:
        return chance.choice(_names(chance.choice(("first_names", "surnames"))))
    given = chance.choice(_names("first_names"))
    return f"{given[0] + '.' if first.endswith('.') else given} {chance.choice(_names('surnames'))}"


def _other_of_kind(old: str, label: str, chance: random.Random) -> str:
    kind = _kinds(label).get(old.casefold())
    # Rivers, streets and buildings can't be swapped with towns, nor a ministry with a band.
    return chance.choice(_names(kind)) if kind else old


@cache
def _kinds(label: str) -> dict[str, str]:
    """The list of each name that can be replaced, by the name without its case."""
    # The first list that has a name counts.
    return {name.casefold(): kind for kind in reversed(_LISTS[label]) for name in _names(kind)}


@cache
def _names(kind: str) -> tuple[str, ...]:
    path = importlib.resources.files("ner.train") / "names" / f"{kind}.txt"
    return tuple(name for name in path.read_text(encoding="utf-8").splitlines() if name)
