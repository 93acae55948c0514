"""Whether a document is in a language that a model knows.

English texts hold foreign names and phrases, and short texts are mostly names. So names and
quotations don't decide, and function words say more than the detected language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, Self

from mesh.core.errors import UsageError
from mesh.core.markup import MarkupChoice
from mesh.nlp.checked_words import (
    CheckedWord,
    checked_words,
    hides_names,
    is_shouted,
    joined,
    outside_quotations,
    script_of,
    weight,
)
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
_SHORT_ENGLISH = frozenset(
    "a am an as at be by do go he i if in is it me my no of oh ok on or so to up us we".split()
)
_NOT_ENGLISH = frozenset("com con de etc non nos que til".split())
"""The English list of function words has these too, and every code of a country."""
_NO_WORDS = frozenset("bcdfghjlmnpqrtx")
"""Lists of function words may have each letter; these are words in no language."""


class Reading(Protocol):
    """How a caller wants documents to be read; see `LanguageConfiguration`."""

    @property
    def markup(self) -> MarkupChoice: ...

    @property
    def language(self) -> str: ...

    @property
    def check_language(self) -> bool: ...


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
        words = checked_words(sample)
        if len(words) < MINIMUM_WORDS:
            return None
        scripts = _scripts(self.known)
        readable = [word for word in words if not scripts or word.script in scripts]
        strange = [word for word in words if scripts and word.script not in scripts]
        if len(strange) >= MINIMUM_WORDS and weight(strange) > weight(readable):
            return self._likeliest(strange)[0]
        if is_shouted(readable) or (hides_names(readable) and self._has_known(readable)):
            return self._judge(readable, with_names=True)
        plain = [word for word in readable if not word.name]
        plain = outside_quotations(sample, plain, _DECIDING_WORDS)
        return self._judge(plain, with_names=False) or self._judge_names(readable)

    def _judge(self, words: Sequence[CheckedWord], *, with_names: bool) -> DetectedLanguage | None:
        """The language of words in the scripts of known languages, if it is clearly foreign.

        Args:
            with_names: whether there may be names among them; beside known words, these may be all
                that have other letters than a to z.
        """
        found, rival = self._likeliest(words)
        if found is None or found.code is None or len(words) < _DECIDING_WORDS:
            return None
        foreign, own = _function_words(frozenset((found.code,))), _function_words(self.known)
        texts = [word.text.lower() for word in words]
        only_plain = with_names and self._has_known(words)
        here = sum(
            text in foreign and text not in own and (text.isascii() or not only_plain)
            for text in texts
        )
        there = sum(text in own and text not in foreign for text in texts)
        if here > 2 * there:
            return found if found.probability >= _LIKELY and rival < _RIVAL else None
        clear = found.probability >= _CLEARLY_LIKELY and rival < _CLEAR_RIVAL
        return found if clear and not there and not with_names else None

    def _judge_names(self, words: Sequence[CheckedWord]) -> DetectedLanguage | None:
        """The language of a text in which nearly all words may be names, as the nouns of German.

        It is foreign if there are other words and the known languages' lists have none of them.
        """
        texts = [word.text for word in words if word.text[0].islower() and not word.name]
        longest = max(map(len, texts), default=0)
        if longest < _TELLING_LETTERS or not self.known <= LISTED:
            return None
        # Some words of two letters in the lists are none.
        if any(len(text) > 2 and self._lists(text) for text in texts):
            return None
        found, rival = self._likeliest(words)
        return found if found and found.probability >= _CLEARLY_LIKELY and rival < _RIVAL else None

    def _has_known(self, words: Sequence[CheckedWord]) -> bool:
        """Whether several words are in the known languages' lists of words."""
        return sum(len(word.text) > 1 and self._lists(word.text.lower()) for word in words) > 1

    def _lists(self, word: str) -> bool:
        return any(word in word_list(code) for code in self.known & LISTED)

    def _likeliest(self, words: Sequence[CheckedWord]) -> tuple[DetectedLanguage | None, float]:
        """The likeliest language and the known ones' probability as a part of its own.

        None where it is a known one or Latin.
        """
        probabilities = language_probabilities(joined(words))
        code, probability = next(iter(probabilities.items()), (_IGNORED, 0.0))
        if code in self.known or code == _IGNORED:
            return None, 1.0
        known = sum(probabilities.get(each, 0.0) for each in self.known)
        return DetectedLanguage(code, probability), known / probability

    def _names(self) -> str:
        return ", ".join(sorted(self.known))


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
    scripts = frozenset(script_of(letter) for letter in letters if letter.isalpha())
    # Katakana is for foreign words, so no function word has it.
    return scripts | {"KATAKANA"} if "HIRAGANA" in scripts else scripts
