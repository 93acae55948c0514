"""Sentences: each language's rules for stops, from `abbreviations.toml`, which explains them."""

import importlib.resources
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

Kind = Literal["numbered", "inside", "either", "ends"]
# In the order in which they are looked up.
KINDS: tuple[Kind, ...] = ("numbered", "inside", "either", "ends")


@dataclass(frozen=True)
class Rules:
    """What a language's full stops mean.

    Attributes:
        kinds: the kind of each abbreviation, which stands without its last stop and white space.
        first: words of grammar that begin a sentence if they have a capital letter.
        goes_on: words with a capital letter that go on behind one of the kind "ends".
        labels: words that number what follows, as a heading.
        said: words that name the speaker behind a quotation.
        consonants: letters of alphabets that have vowels.
        suffixes: ends of words that are cut.
        ordinals: whether a stop makes a number an ordinal.
        nouns: whether nouns begin with a capital letter.
    """

    kinds: dict[str, Kind]
    first: frozenset[str]
    goes_on: frozenset[str]
    labels: frozenset[str]
    said: frozenset[str]
    consonants: frozenset[str]
    suffixes: tuple[str, ...]
    ordinals: bool
    nouns: bool

    def kind(self, word: str) -> Kind | None:
        """The kind of an abbreviation, in any case that stands for it."""
        # A capital letter alone is an initial, if it isn't listed itself.
        return self.kinds.get(word) or (len(word) > 1 and self.kinds.get(word.lower()) or None)


@lru_cache(maxsize=64)
def rules_of(language: str) -> Rules:
    """The rules of a language by its ISO 639-1 code, of the nearest one, or of English."""
    tables = _tables()
    nearest = (code for code, near in tables["nearest"].items() if language in near.split())
    table = tables[language if language in tables else next(nearest, "en")]
    return Rules(
        kinds=_kinds(tables["all"]) | _kinds(table),
        first=frozenset(table.get("first", "").split()),
        goes_on=frozenset(table.get("goes_on", "").split()),
        labels=frozenset(table.get("labels", "").split()),
        said=frozenset(table.get("said", "").split()),
        consonants=frozenset(tables["all"]["consonants"]),
        suffixes=tuple(table.get("suffixes", "").split()),
        ordinals=table.get("ordinals", False),
        nouns=table.get("nouns", False),
    )


def _kinds(table: dict[str, Any]) -> dict[str, Kind]:
    return {word: kind for kind in KINDS for word in table.get(kind, "").split()}


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(
        importlib.resources.files("mesh.nlp").joinpath("abbreviations.toml").read_text("utf-8")
    )
