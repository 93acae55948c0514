"""Who else in a text has a name: "Jordan" after "Neil Jordan" is neither the country nor another one."""

from collections.abc import Iterable, Iterator

import regex

from entity_fishing.linker import Link
from entity_fishing.names import name_key
from entity_fishing.ordinary import is_first_name, is_ordinary
from entity_fishing.reading import Reading, spans_of_words
from entity_fishing.schema import Reason

_MAX_WORDS = 4
_MAX_LETTERS = 6
_INITIAL = regex.compile(r"\p{Lu}\.?")


def strangers(reading: Reading, links: Iterable[Link]) -> frozenset[str]:
    """The last names, as keys, of the persons that a text names in full and that have no link."""
    return frozenset(name_key(name) for link in links for name in _last_names(reading, link))


def _last_names(reading: Reading, link: Link) -> Iterator[str]:
    """The last name of a person without a link."""
    if link.wikidata_id:
        return
    name = reading.text[link.mention.start : link.mention.end]
    words = [name[slice(*span)] for span in spans_of_words(name)]
    if link.reason is Reason.PART_OF_LONGER_NAME:
        index = reading.index(link.mention.start)
        words.insert(0, reading.word(index - 1) if index else "")
    if 1 < len(words) <= _MAX_WORDS and _is_first(words[0], reading) and words[-1][0].isupper():
        yield words[-1]


def _is_first(word: str, reading: Reading) -> bool:
    """Whether a word begins the name of a person; the list of first names isn't complete."""
    if not word[:1].isupper():
        return False
    return (
        is_first_name(word)
        or bool(_INITIAL.fullmatch(word))
        or not is_ordinary(word, reading.language)
    )


def initials(name: str) -> str:
    """The first letters of a name's words, but for the small ones: "IMF"."""
    words = (name[slice(*span)] for span in spans_of_words(name))
    return "".join(word[0] for word in words if word[0].isupper())


def is_made_of_initials(name: str) -> bool:
    """Whether a name may be the initials of a longer one."""
    return 1 < len(name) <= _MAX_LETTERS and name.isupper() and name.isalpha()
