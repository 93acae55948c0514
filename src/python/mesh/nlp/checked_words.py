"""The words of a text as `language_check` weighs them: their scripts, and probable names."""

import re
import string
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache

from mesh.nlp.words import split_words

_PARTICLES = frozenset(
    "af al alla alle aux av bin da dal de del della den der di do dos du ibn la le les sous sur ten "
    "ter van vom von zu zum zur".split()
)
"""Join the parts of names: "Cristina Fernández de Kirchner"."""

# Unlike those of `mesh.nlp.quotations`, within one line, in plain apostrophes too, no brackets.
_QUOTED = re.compile(
    r'"[^"\n]{1,300}"|\u201c[^\u201d\n]{1,300}\u201d|\u201e[^\u201c\u201d\n]{1,300}[\u201c\u201d]'
    r"|\u00ab[^\u00bb\n]{1,300}\u00bb|(?<!\w)['\u2018][^\n]{1,300}?['\u2019](?!\w)"
)
_INITIALS = frozenset(string.ascii_uppercase) - {"A", "I"}
_SENTENCE_END = re.compile(r"[.!?]")
_SCRIPT_NAME = re.compile(r"[A-Z]+")


@dataclass(frozen=True)
class CheckedWord:
    """A word as it stands in a text, and whether it is probably a name or a part of one."""

    start: int
    end: int
    text: str
    script: str
    name: bool = False


def checked_words(text: str) -> list[CheckedWord]:
    """The words of letters in a text."""
    found: list[CheckedWord] = []
    for start, end in split_words(text):
        word = text[start:end]
        if word[0].isalpha() and word not in _INITIALS:
            after_sentence = not found or _SENTENCE_END.search(text, found[-1].end, start)
            name = word[0].isupper() and not (after_sentence and word.isascii())
            found.append(CheckedWord(start, end, word, script_of(word[0]), name))
    return _with_particles(found)


def _with_particles(words: Sequence[CheckedWord]) -> list[CheckedWord]:
    """The words, of which particles between names are parts of names too."""
    found = list(words)
    first = 0
    for number, word in enumerate(words):
        if word.text not in _PARTICLES:
            if first and word.name and words[first - 1].text[0].isupper():
                found[first:number] = [replace(each, name=True) for each in words[first:number]]
            first = number + 1
    return found


def outside_quotations(text: str, words: list[CheckedWord], least: int) -> list[CheckedWord]:
    """The words outside of quotations; all of them where fewer than `least` are outside."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    outside = [
        word for word in words if not any(start <= word.start < end for start, end in quoted)
    ]
    return outside if len(outside) >= least else words


def is_shouted(words: Collection[CheckedWord]) -> bool:
    """Whether most words are in capitals, so that these don't tell names from other words."""
    capitals = sum(word.text.isupper() and len(word.text) > 1 for word in words)
    return capitals > len(words) / 2


def hides_names(words: Collection[CheckedWord]) -> bool:
    """Whether no capital letter tells which of the words with other letters than a to z are names."""
    return not all(word.text.isascii() for word in words) and not any(
        word.text[0].isupper() for word in words
    )


def joined(words: Sequence[CheckedWord]) -> str:
    """The words in lower case; those without a space between them in the text have none here."""
    parts: list[str] = []
    end = 0
    for word in words:
        parts += [" " * (word.start > end), word.text.lower()]
        end = word.end
    return "".join(parts)


def weight(words: Collection[CheckedWord]) -> float:
    """The number of words; characters of scripts without spaces are halves."""
    return sum(0.5 if _is_single(word) else 1 for word in words)


def _is_single(word: CheckedWord) -> bool:
    return word.end - word.start == 1 and not word.text.isascii()


@cache
def script_of(letter: str) -> str:
    """The script of a letter: the first word of its name in Unicode, such as `LATIN`."""
    match = _SCRIPT_NAME.match(unicodedata.name(letter, ""))
    return match[0] if match else ""
