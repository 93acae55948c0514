"""Where words begin and end, and the form in which they are compared.

A word is what lies between two word boundaries of Unicode (UAX 29) and has a letter or a digit in
it. Marks, apostrophes between letters and separators between digits belong to their word. In
scripts without spaces between words, the dictionaries of ICU decide.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import regex

from mesh.core.passes import checkpoint
from mesh.nlp.normal_form import normal_form
from mesh.nlp.plain_words import plain_words

CJK_SCRIPTS = ("Han", "Hiragana", "Katakana")
"""The scripts of Chinese and Japanese, whose single characters are often words or names."""

SPACELESS_SCRIPTS = (*CJK_SCRIPTS, "Thai", "Lao", "Khmer", "Myanmar")
"""Scripts that are written without spaces between words."""

# Extensions count characters that several scripts share, such as the long vowel of Japanese.
_EXTENSIONS = "".join(rf"\p{{Script_Extensions={script}}}" for script in SPACELESS_SCRIPTS)
SPACELESS = rf"[\p{{L}}\p{{M}}\p{{N}}&&[{_EXTENSIONS}]]"
"""The letters, marks and digits of these scripts, as a set of the package `regex` in version 1."""
SPACELESS_CHARACTER = rf"{SPACELESS}[\p{{M}}\uff9e\uff9f]*+"
JOINERS = "\u200c\u200d"
"""Invisible characters within words of Persian and of the scripts of India."""
APOSTROPHES = "'\u2018\u2019\u02bc\uff07"

RUN_CHARACTER = rf"[\p{{L}}\p{{N}}\p{{Mn}}\p{{Mc}}_{JOINERS}--[{SPACELESS}\ufe00-\ufe0f]]"
RUN = rf"[\p{{L}}\p{{N}}_--{SPACELESS}]{RUN_CHARACTER}*+"
"""A run of letters, marks, digits and low lines of the other scripts."""
WITHIN_WORD = rf"(?:[{APOSTROPHES}\u05f3]|(?<=\p{{Hebrew}})[\"\u05f4](?=\p{{Hebrew}})|(?<=[lL])\u00b7(?=[lL]))"
"""A character between two runs that are one word."""

_SPACELESS = regex.compile(SPACELESS, regex.VERSION1)
_WIDE_MARK = regex.compile(r"[\p{P}\p{S}&&[\u3000-\u303f\uff00-\uff65]]", regex.VERSION1)
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_SURROGATE = regex.compile(r"\p{Cs}")
_SAME = str.maketrans(dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys("\u2010\u2011", "-"))
_DOTLESS = {"i\u0307": "i", "\u0131": "i"}
"""Forms of the Turkish letters i, of which other languages know only one."""

_A = f"[{APOSTROPHES}]"
_ENDING = regex.compile(rf"(?i)(?:{_A}(?:[sdm]|re|ve|ll)){{1,3}}$")
_ELISION = regex.compile(
    # The letters b, f, r and u stand before strings of Python.
    rf"(?i)(?!c{_A}mon$)(?:[bcdfjlmnrstu]|(?:jus|lors|puis|quoi)?qu"
    rf"|(?:d|n|s|qu)?ell|(?:d|s)?all|dall|null|sull|coll|nell|degl|gl|un|quest){_A}(?=\w)"
)
_NAME = regex.compile(rf"(?![Ll])\p{{Lu}}{_A}\p{{Lu}}\p{{Ll}}")


def script_characters(scripts: Sequence[str]) -> str:
    """The characters of scripts, to stand within a set of the package `regex`."""
    return "".join(rf"\p{{{script}}}" for script in scripts)


class Word(NamedTuple):
    """A word of a text: `text[start:end]`."""

    start: int
    end: int


def fold(text: str) -> str:
    """The form of a text in which all cases and spellings of its words are equal.

    Unicode's NFKC with full case folding, without invisible characters; all apostrophes are `'`,
    all hyphens `-`, and the four letters i of Turkish are one.
    """
    if text.isascii():
        return text.lower()
    folded = _IGNORABLE.sub("", normal_form("NFKC", text).casefold())
    for letter, same in _DOTLESS.items():
        folded = folded.replace(letter, same)
    return normal_form("NFKC", folded).translate(_SAME)


def has_spaceless(text: str) -> bool:
    """Whether a text has letters of a script that is written without spaces between words."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def is_unspaced(left: str, right: str) -> bool:
    """Whether no space stands between two words: between those of scripts that are written without
    spaces, and beside the punctuation of Chinese and Japanese.
    """
    sides = (left[-1:], right[:1])
    return any(map(_WIDE_MARK.match, sides)) or all(map(_SPACELESS.match, sides))


def segments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the parts between the word boundaries of a text, each with its start."""
    from icu4py.breakers import WordBreaker

    start = 0
    # Its own spans count units of UTF-16; and it takes no half of a surrogate pair.
    for segment in WordBreaker(_SURROGATE.sub("\ufffd", text), "en"):
        checkpoint()
        yield start, segment
        start += len(segment)


def word_spans(text: str) -> list[Word]:
    """The words of a text, in order."""
    return [
        Word(start, start + len(segment))
        for start, segment in segments(text)
        if segment[0].isalnum() or any(map(str.isalnum, segment))
    ]


def word_texts(text: str) -> list[str]:
    """The words of a text, in order, as in `word_spans`."""
    checkpoint()
    found = plain_words(text)
    return [text[start:end] for start, end in word_spans(text)] if found is None else found


def core(word: str) -> Word:
    """The part of a word that bears its meaning: without elided words and contracted endings.

    It is "company" in "company's", "they" in "they've", and "avion" in "l'avion". Names such as
    "O'Brien" and "D'Angelo", and "don't", stay whole.
    """
    if word.isalnum():
        return Word(0, len(word))
    ending = _ENDING.search(word, 1)
    end = ending.start() if ending else len(word)
    elision = None if _NAME.match(word) else _ELISION.match(word, 0, end)
    return Word(elision.end() if elision else 0, end)
