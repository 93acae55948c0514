"""Whether a document is in a language that a model knows.

English texts hold foreign names and phrases, and short texts are mostly names. So names and
quotations don't decide, and function words say more than the detected language.
"""

import re
import string
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol, Self

from mesh.core.errors import UsageError
from mesh.core.markup import MarkupChoice
from mesh.nlp.document import Document, read_document
from mesh.nlp.language import (
    READ_CHARACTERS,
    DetectedLanguage,
    language_probabilities,
    read_languages,
    without_addresses,
)
from mesh.nlp.normal_form import normal_form
from mesh.nlp.stop_words import LANGUAGES, stop_words
from mesh.nlp.word_lists import LISTED, word_list
from mesh.nlp.words import split_words

MINIMUM_WORDS = 4
"""A text of fewer words is never refused; a character of a script without spaces is a word."""

_DECIDING_WORDS = 3
"""Fewer words that are no names don't decide."""
_LIKELY, _RIVAL = 0.2, 0.05
"""The least probability of the foreign language, and the most of the known ones as a part of it."""
_CLEARLY_LIKELY, _CLEAR_RIVAL = 0.4, 0.005
"""The same for a text without function words that only one side has."""
_TELLING_LETTERS = 4
"""Shorter words among names may be parts of them."""
_IGNORED = "la"
"""Latin is the language of placeholder text ("Lorem ipsum"), mottoes and names of species."""
_PARTICLES = frozenset(
    "af al alla alle aux av bin da dal de del della den der di do dos du ibn la le les sous sur ten "
    "ter van vom von zu zum zur".split()
)
"""Join the parts of names: "Cristina Fernández de Kirchner"."""

_SHORT_ENGLISH = frozenset(
    "a am an as at be by do go he i if in is it me my no of oh ok on or so to up us we".split()
)
_NOT_ENGLISH = frozenset("com con de etc non nos que til".split())
"""The English list of function words has these too, and every code of a country."""
_NO_WORDS = frozenset("bcdfghjlmnpqrtx")
"""Lists of function words may have each letter; these are words in no language."""

_QUOTED = re.compile(
    r'"[^"\n]{1,300}"|\u201c[^\u201d\n]{1,300}\u201d|\u201e[^\u201c\u201d\n]{1,300}[\u201c\u201d]'
    r"|\u00ab[^\u00bb\n]{1,300}\u00bb|(?<!\w)['\u2018][^\n]{1,300}?['\u2019](?!\w)"
)
_INITIALS = frozenset(string.ascii_uppercase) - {"A", "I"}
_SENTENCE_END = re.compile(r"[.!?]")
_SCRIPT_NAME = re.compile(r"[A-Z]+")


class Reading(Protocol):
    """How a caller wants documents to be read; see `LanguageConfiguration`."""

    @property
    def markup(self) -> MarkupChoice: ...

    @property
    def language(self) -> str: ...

    @property
    def check_language(self) -> bool: ...


@dataclass(frozen=True)
class _Word:
    """A word as it stands in a text, and whether it is probably a name or a part of one."""

    start: int
    end: int
    text: str
    script: str
    name: bool = False


@dataclass(frozen=True)
class LanguageCheck:
    """Refuses documents in languages that a model doesn't know.

    Args:
        known: ISO 639 codes.
    """

    known: frozenset[str]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The check for the model in a folder.

        Raises:
            MeshError: the file of its languages is missing or damaged.
        """
        known = read_languages(folder)
        for code in known & LISTED:
            # No request waits for it.
            word_list(code)
        return cls(known)

    def require_known(self, reading: Reading) -> None:
        """Refuse a language that the caller declares.

        Raises:
            UsageError: the model doesn't know it.
        """
        if reading.language not in self.known:
            raise UsageError(
                f"The language {reading.language!r} is not supported; this model knows "
                f"{self._names()}."
            )

    def read_document(self, text: str, reading: Reading) -> Document:
        """Read a document, and check its language unless the caller has switched that off.

        Raises:
            UsageError: it is almost certainly in a language that the model doesn't know.
        """
        document = read_document(text, reading.markup, reading.language)
        if reading.check_language:
            self._require(document, reading.language)
        return document

    def _require(self, document: Document, declared: str) -> None:
        body = "\n".join(document.text[block.start : block.end] for block in document.body)
        if found := self.foreign_language(body or document.text):
            raise UsageError(
                f"The text looks like {found.code!r} (probability {found.probability:.2f}), not "
                f"{declared!r}; this model knows {self._names()}. Set check_language to false if "
                f"it is {declared!r}."
            )

    def foreign_language(self, text: str) -> DetectedLanguage | None:
        """The language of a text's first 2,000 characters, if it is clearly none of the known."""
        sample = normal_form("NFKC", without_addresses(text[:READ_CHARACTERS]))
        words = _words(sample)
        if len(words) < MINIMUM_WORDS:
            return None
        scripts = _scripts(self.known)
        readable = [word for word in words if not scripts or word.script in scripts]
        strange = [word for word in words if scripts and word.script not in scripts]
        if len(strange) >= MINIMUM_WORDS and _weight(strange) > _weight(readable):
            return self._likeliest(strange)[0]
        if _is_shouted(readable):
            return self._judge(readable, with_names=True)
        plain = _outside_quotations(sample, [word for word in readable if not word.name])
        if len(plain) >= _DECIDING_WORDS:
            return self._judge(plain, with_names=False)
        return self._judge_names(readable)

    def _judge(self, words: Sequence[_Word], *, with_names: bool) -> DetectedLanguage | None:
        """The language of words in the scripts of known languages, if it is clearly foreign.

        Args:
            with_names: whether there may be names among them.
        """
        found, rival = self._likeliest(words)
        if found is None or found.code is None or len(words) < _DECIDING_WORDS:
            return None
        foreign, own = _function_words(frozenset((found.code,))), _function_words(self.known)
        texts = [word.text.lower() for word in words]
        here = sum(text in foreign and text not in own for text in texts)
        there = sum(text in own and text not in foreign for text in texts)
        if here > 2 * there:
            return found if found.probability >= _LIKELY and rival < _RIVAL else None
        clear = found.probability >= _CLEARLY_LIKELY and rival < _CLEAR_RIVAL
        return found if clear and not there and not with_names else None

    def _judge_names(self, words: Sequence[_Word]) -> DetectedLanguage | None:
        """The language of a text in which nearly all words may be names, as the nouns of German.

        It is foreign if there are other words and the known languages' lists have none of them.
        """
        texts = [word.text for word in words if word.text[0].islower() and not word.name]
        longest = max(map(len, texts), default=0)
        if longest < _TELLING_LETTERS or not self.known <= LISTED:
            return None
        lists = [word_list(code) for code in self.known]
        # Some words of two letters in the lists are none.
        if any(len(text) > 2 and text in each for text in texts for each in lists):
            return None
        found, rival = self._likeliest(words)
        return found if found and found.probability >= _CLEARLY_LIKELY and rival < _RIVAL else None

    def _likeliest(self, words: Sequence[_Word]) -> tuple[DetectedLanguage | None, float]:
        """The likeliest language and the known ones' probability as a part of its own.

        None where it is a known one or Latin.
        """
        probabilities = language_probabilities(_joined(words))
        code, probability = next(iter(probabilities.items()), (_IGNORED, 0.0))
        if code in self.known or code == _IGNORED:
            return None, 1.0
        known = sum(probabilities.get(each, 0.0) for each in self.known)
        return DetectedLanguage(code, probability), known / probability

    def _names(self) -> str:
        return ", ".join(sorted(self.known))


def _words(text: str) -> list[_Word]:
    """The words of letters in a text."""
    found: list[_Word] = []
    for start, end in split_words(text):
        word = text[start:end]
        if word[0].isalpha() and word not in _INITIALS:
            after_sentence = not found or _SENTENCE_END.search(text, found[-1].end, start)
            name = word[0].isupper() and not (after_sentence and word.isascii())
            found.append(_Word(start, end, word, _script(word[0]), name))
    return _with_particles(found)


def _with_particles(words: Sequence[_Word]) -> list[_Word]:
    """The words, of which particles between names are parts of names too."""
    found = list(words)
    first = 0
    for number, word in enumerate(words):
        if word.text not in _PARTICLES:
            if first and word.name and words[first - 1].text[0].isupper():
                found[first:number] = [replace(each, name=True) for each in words[first:number]]
            first = number + 1
    return found


def _outside_quotations(text: str, words: Sequence[_Word]) -> Sequence[_Word]:
    """The words outside of quotations; all where the others are too few to decide."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    outside = [
        word for word in words if not any(start <= word.start < end for start, end in quoted)
    ]
    return outside if len(outside) >= _DECIDING_WORDS else words


def _is_shouted(words: Collection[_Word]) -> bool:
    """Whether most words are in capitals, so that these don't tell names from other words."""
    capitals = sum(word.text.isupper() and len(word.text) > 1 for word in words)
    return capitals > len(words) / 2


def _joined(words: Sequence[_Word]) -> str:
    """The words in lower case; those without a space between them in the text have none here."""
    parts: list[str] = []
    end = 0
    for word in words:
        parts += [" " * (word.start > end), word.text.lower()]
        end = word.end
    return "".join(parts)


def _weight(words: Collection[_Word]) -> float:
    """The number of words; characters of scripts without spaces are halves."""
    return sum(0.5 if _is_single(word) else 1 for word in words)


def _is_single(word: _Word) -> bool:
    return word.end - word.start == 1 and not word.text.isascii()


@cache
def _function_words(languages: frozenset[str]) -> frozenset[str]:
    words = frozenset().union(
        *(stop_words(code) for code in languages - {"en"} if code in LANGUAGES)
    )
    if "en" in languages:
        long = frozenset(word for word in stop_words("en") if len(word) > 2)
        words |= _SHORT_ENGLISH | (long - _NOT_ENGLISH)
    return words - _NO_WORDS


@cache
def _scripts(languages: frozenset[str]) -> frozenset[str]:
    """The scripts of languages, by their function words; empty where these aren't known."""
    if not languages <= LANGUAGES.keys():
        return frozenset()
    letters = frozenset().union(*_function_words(languages))
    scripts = frozenset(_script(letter) for letter in letters if letter.isalpha())
    # Katakana is for foreign words, so no function word has it.
    return scripts | {"KATAKANA"} if "HIRAGANA" in scripts else scripts


@cache
def _script(letter: str) -> str:
    """The script of a letter: the first word of its name in Unicode, such as `LATIN`."""
    match = _SCRIPT_NAME.match(unicodedata.name(letter, ""))
    return match[0] if match else ""
