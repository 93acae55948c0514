"""Entities from a JSON dump of Wikidata: an array with one entity on each line.

The format is described at https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html.
"""

import bz2
import contextlib
import gzip
import json
import lzma
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from entity_fishing.knowledge_file import Name, NameKind, Record
from mesh.core.errors import MeshError

# Sitelinks of the best-known entities.
_MOST_SITELINKS = 300
_INSTANCE_OF = "P31"
_HUMAN = "Q5"
# Pages about pages, and names that many people have.
_NO_ENTITIES = frozenset(
    (
        "Q4167410",  # disambiguation page
        "Q22808320",  # disambiguation page of people's names
        "Q4167836",  # category
        "Q11266439",  # template
        "Q11753321",  # template for navigation
        "Q19887878",  # template of an infobox
        "Q15184295",  # module
        "Q4663903",  # portal
        "Q13406463",  # list
        "Q15623926",  # list of things with one name
        "Q14204246",  # page about the project itself
        "Q17442446",  # internal item
        "Q101352",  # family name
        "Q29042997",  # double family name
        "Q66480858",  # family name with a prefix
        "Q110874",  # patronymic
        "Q202444",  # given name
        "Q12308941",  # given name of men
        "Q11879590",  # given name of women
        "Q3409032",  # given name of both
    )
)
# In this language are names that are the same in many.
_ANY_LANGUAGE = "mul"
_DEMONYM = "P1549"
# Headquarters, industry, chief executive, employees.
_OF_ORGANISATIONS = ("P159", "P452", "P169", "P1128")
_COORDINATES = "P625"


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a dump, plain or compressed (.bz2, .gz, .xz).

    They come without brackets and commas; a line with nothing else is empty.

    Raises:
        MeshError: the file is missing, damaged, or ends early.
    """
    line = b""
    try:
        with contextlib.closing(_open(path)) as file:
            for line in file:
                yield line.strip().rstrip(b",").strip(b"[] ")
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise MeshError(f"The dump {path} can't be read: {error}; download it again.") from error
    if not line.rstrip().endswith(b"]"):
        raise MeshError(f"The dump {path} ends before its closing bracket; download it again.")


def _open(path: Path) -> BinaryIO:
    if not path.is_file():
        raise MeshError(f"The dump {path} does not exist.")
    readers: Mapping[str, Any] = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
    file: BinaryIO = readers.get(path.suffix, open)(path, "rb")
    return file


def parse_line(line: bytes, languages: Collection[str], minimum_sitelinks: int) -> Record | None:
    """The entity of a line.

    None if it isn't an item, isn't an entity to link to, has no name, or is too little known.

    Args:
        languages: ISO 639-1 codes of the names to keep; label and description are in the first
            that the entity has. Names that are the same in many languages (`mul`) come last.
        minimum_sitelinks: minimum number of wikis with a page about it.

    Raises:
        ValueError: the line isn't JSON, or not in the dump's format.
    """
    if not line:
        return None
    value = json.loads(line)
    try:
        return _record(value, languages, minimum_sitelinks)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not in the dump's format ({type(error).__name__}: {error})") from error


def _record(
    value: Mapping[str, Any], languages: Collection[str], minimum_sitelinks: int
) -> Record | None:
    # In dumps, empty objects are written as empty arrays.
    labels, aliases = value["labels"] or {}, value["aliases"] or {}
    sitelinks, claims = len(value["sitelinks"]), value["claims"] or {}
    languages = (*languages, _ANY_LANGUAGE)
    classes = _identifiers(claims, _INSTANCE_OF)
    label = _first(labels, languages)
    if (
        value["type"] != "item"
        or label is None
        or sitelinks < minimum_sitelinks
        or classes & _NO_ENTITIES
    ):
        return None
    texts = [
        *((labels[language], NameKind.LABEL) for language in languages if language in labels),
        *((text, NameKind.ALIAS) for language in languages for text in aliases.get(language, ())),
        *((text, NameKind.DEMONYM) for text in _demonyms(claims) if text["language"] in languages),
    ]
    return Record(
        id=value["id"],
        label=label,
        type=_type(classes, claims),
        description=_first(value["descriptions"] or {}, languages) or "",
        popularity=min(1.0, math.log1p(sitelinks) / math.log1p(_MOST_SITELINKS)),
        names=[Name(text["value"], text["language"], kind) for text, kind in texts],
    )


def _first(texts: Mapping[str, Any], languages: Collection[str]) -> str | None:
    for language in languages:
        if language in texts:
            return str(texts[language]["value"])
    return None


def _values(claims: Mapping[str, Any], property_: str) -> Iterator[Mapping[str, Any]]:
    """A property's values, without the unknown ones."""
    for claim in claims.get(property_, ()):
        if "datavalue" in claim["mainsnak"]:
            yield claim["mainsnak"]["datavalue"]["value"]


def _identifiers(claims: Mapping[str, Any], property_: str) -> set[str]:
    return {value["id"] for value in _values(claims, property_)}


def _demonyms(claims: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The words for what or who comes from a place, with capital letters."""
    for value in _values(claims, _DEMONYM):
        if value["text"][:1].isupper():
            yield {"value": value["text"], "language": value["language"]}


def _type(classes: set[str], claims: Mapping[str, Any]) -> str:
    if _HUMAN in classes:
        return "person"
    if any(property_ in claims for property_ in _OF_ORGANISATIONS):
        return "organisation"
    return "place" if _COORDINATES in claims else "other"
