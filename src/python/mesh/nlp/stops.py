"""Sentences: whether a stop is their end, or a part of an abbreviation, a number or a name."""

import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

import regex

from mesh.nlp.abbreviations import Kind, Rules
from mesh.nlp.quotations import BRACKETS, Quotation
from mesh.nlp.segmentation import CJK_SCRIPTS, script_characters

# Stops of scripts that separate sentences by white space.
_SPACED = frozenset(".!?…‥;:\u037e")
_GOING_ON = frozenset(",;:&%/+=)")
_CJK = regex.compile(f"[{script_characters(CJK_SCRIPTS)}]")
# Opening marks and dashes before a word; the word, with the stop of an initial.
_OPENING = regex.compile(r"[\s\p{Ps}\p{Pi}\p{Pf}\p{Pd}\"'¿¡*_•]*+")
_WORD = regex.compile(r"[\w'\u2019]{0,40}\.?")
_CLAUSE = regex.compile(r"[^\p{Po}]{0,40}")
# "'s Avonds", "iPhone", "von Neumann": what begins a sentence in lower case.
_CAPITAL_LATER = regex.compile(
    r"['\u2019]\w{1,2}\s+\p{Lu}|[a-z]{1,2}[A-Z]"
    r"|(?:(?:von|van|de|der|den|di|da|du|del|la|le|ten|ter|zu|zum|al|el|ibn|bin)[ -]){1,3}\p{Lu}"
)
# Parts of names that are words of grammar too: "G. La Malfa".
_PARTICLES = frozenset(
    "a al da de del den der di do du el la las le lo los o te ten ter van von".split()
)
# Of adjectives.
_GERMAN_ENDINGS = ("e", "en", "er", "es", "em")
_GERMAN_REQUEST = regex.compile(r"\p{Lu}\p{L}*n Sie\b")
_JAPANESE_GOES_ON = regex.compile("と|って|の(?!ち)|は|が|を|に|で(?![もす])|も|や|など|、|\uff0c")
_ROMAN = regex.compile("[IVXLCDM]+")
_DATE = regex.compile(r"\d{1,2}\.\d{1,2}")
_DOTTED = regex.compile(r"(?:\p{L}\p{M}*+\p{L}?\p{M}*+\p{L}?\.-?)+\p{L}\p{M}*+\p{L}?\p{M}*+\p{L}?")
_LONGEST_FORM = 4
"""Letters of an abbreviation that is known by having no vowel."""
# "EE. UU.": the letters of a plural.
_DOUBLED = regex.compile(r"([A-HJ-LN-UWYZ])\1")

# A word, an initial or a number too.
Meaning = Kind | Literal["word", "initial", "ordinal"]


class Stop(NamedTuple):
    """A run of stops and closing marks in a text.

    Attributes:
        sentence: start of the sentence.
        start: start of the run.
        end: end of the run, behind its closing marks.
        marks: the stops, without the closing marks; empty behind the number of "1)".
        quotation: the quotation or bracket that it closes.
    """

    sentence: int
    start: int
    end: int
    marks: str
    quotation: Quotation | None


class Stops:
    """The meaning of the stops of a text by the rules of its language."""

    def __init__(self, text: str, rules: Rules) -> None:
        self._text = text
        self._rules = rules
        self._has_capitals = text != text.lower()
        # Such texts use the full stop in abbreviations only.
        self._has_dandas = "।" in text

    def end_sentence(self, stop: Stop) -> bool:
        """Whether a sentence ends at a stop."""
        if not stop.marks or not self._stands_at_end(stop) or self._goes_on_after_quotation(stop):
            return False
        if not _SPACED.issuperset(stop.marks):
            return True
        start, word = self._word_after(stop.end)
        if not word.strip(".'\u2019"):
            # A symbol: "Brandt & Co. & Sons".
            return (
                self._meaning(stop)[0] == "word" and self._text[start : start + 1] not in _GOING_ON
            )
        lower = self._is_lower(start, word)
        if stop.marks == ".":
            return self._ends_at_full_stop(stop, word, lower)
        if lower:
            return not self._has_capitals and stop.marks[-1] in "!?"
        name = self._text[max(stop.sentence, stop.start - 20) : stop.start].split()[-1:]
        return f"{''.join(name).lower()}{stop.marks}" not in self._rules.kinds or self._starts(word)

    def begins_item(self, match: regex.Match[str]) -> bool:
        """Whether a number counts the next item of a list, rather than years, degrees or ranks."""
        before = self._text[max(0, match.start() - 40) : match.start()].split()
        after = self._word_after(match.end())[1]
        return after[:1].isupper() and bool(before) and before[-1].lower() not in self._rules.first

    def _word_after(self, position: int) -> tuple[int, str]:
        """The start of the next word, and the word, empty if a symbol comes first."""
        start = _end(_OPENING, self._text, position)
        return start, self._text[start : _end(_WORD, self._text, start)]

    def _is_lower(self, start: int, word: str) -> bool:
        """Whether a word begins with a small letter, and nothing begins a sentence like that."""
        if word[0].isupper():
            return False
        later = _CAPITAL_LATER.match(self._text, start) or _CAPITAL_LATER.match(
            self._text, start - 1
        )
        return word.lstrip("'\u2019")[0].islower() and not later

    def _stands_at_end(self, stop: Stop) -> bool:
        """Whether what follows a stop can be another sentence, by the white space between them."""
        after = self._text[stop.end : stop.end + 1]
        if not after or after.isspace():
            return True
        if _SPACED.issuperset(stop.marks):
            return stop.marks[-1] in "!?" and bool(_CJK.match(after))
        # A full-width stop is a decimal point too.
        return not (stop.marks == "\uff0e" and after.isalnum()) and after not in "\uff0c、,;\uff1b"

    def _goes_on_after_quotation(self, stop: Stop) -> bool:
        """Whether the sentence goes on behind a quotation or bracket that a stop closes."""
        if stop.quotation is None or stop.quotation.end > stop.end:
            return False
        rest = self._text[stop.end : stop.end + 80].lstrip()
        first = rest[:1]
        whole = stop.quotation.start == stop.sentence
        if first.islower() and self._has_capitals:
            return True
        if stop.quotation.mark in BRACKETS and not whole:
            # Scripts without capital letters don't tell; the sentence's own stop comes later.
            return first.isalpha() and first.lower() == first.upper()
        if stop.quotation.mark in "「『":
            return bool(_JAPANESE_GOES_ON.match(rest))
        return whole and self._is_speech(rest)

    def _is_speech(self, rest: str) -> bool:
        """Whether what follows a quotation names its speaker: "Ben asked"."""
        clause = _CLAUSE.match(rest)[0]
        words = clause.split()[:4]
        if _CJK.match(rest):
            return any(word in clause[:9] for word in self._rules.said)
        return not self._rules.said.isdisjoint(words[1:] if self._has_capitals else words) and (
            words[0].lower() not in self._rules.first
        )

    def _ends_at_full_stop(self, stop: Stop, word: str, lower: bool) -> bool:
        kind, before = self._meaning(stop)
        number = word[0].isdigit()
        if kind == "numbered":
            date = word[-1] == "." and self._rules.kind(word[:-1]) == "numbered"
            kind = "inside" if number or date or _ROMAN.fullmatch(word.rstrip(".")) else "word"
        if kind == "word":
            if self._is_label(stop):
                return False
            return not lower or self._is_word(before)
        if kind == "inside" or word[0].islower():
            return False
        if kind == "ends":
            return self._ends_behind_abbreviation(stop, word, before)
        if number:
            return False
        if kind == "ordinal" and not (self._rules.nouns and self._counts_ranks(before)):
            return True
        if kind == "ordinal" and _GERMAN_REQUEST.match(self._text, self._word_after(stop.end)[0]):
            return True
        if kind == "initial" and word.lower() in _PARTICLES:
            return self._starts(word) and before[:1].islower()
        return self._starts(word)

    def _ends_behind_abbreviation(self, stop: Stop, word: str, before: str) -> bool:
        """Whether a sentence ends at an abbreviation that often ends one, such as "etc."."""
        if word[0].isdigit():
            # The next item of a list, rather than "Smith et al. (2019)" or "8 h. 30.".
            return word[-1] == "." and before != "h"
        if len(before) == 1 and word[1:] == ".":
            # One more letter: "S. A. R.".
            return False
        # "W 1999 r. Jan ...": too few words for a sentence.
        words = self._text[max(stop.sentence, stop.start - 40) : stop.start].split()
        few = sum(part[-1] != "." for part in words) <= 3
        on = word.lower().rstrip(".") in self._rules.goes_on
        return self._starts(word) or not (few or on)

    def _counts_ranks(self, before: str) -> bool:
        """Whether a German number behind a word can be an ordinal: "der 3. Stock", "Platz 3."."""
        if not before[-1:].isalpha() or before.lower() in self._rules.first:
            return True
        return before.endswith(("s", "er") if before[0].isupper() else _GERMAN_ENDINGS)

    def _is_label(self, stop: Stop) -> bool:
        """Whether a sentence is only the number of what follows: "Step 1. Open it."."""
        if stop.start - stop.sentence > 20:
            return False
        label, _, number = self._text[stop.sentence : stop.start].partition(" ")
        known = (
            self._rules.kind(label[:-1])
            if label[-1:] == "."
            else label.lower() in self._rules.labels
        )
        return bool(known) and number.isalnum() and (number.isdecimal() or number.isupper())

    def _starts(self, word: str) -> bool:
        """Whether a word of grammar has a capital letter, as the first one of a sentence."""
        if not word[0].isupper() or (len(word) > 1 and word.isupper()):
            return False
        return word.lower().replace("\u2019", "'").rstrip(".") in self._rules.first

    def _is_word(self, word: str) -> bool:
        """Whether a word before a stop and a small letter is no date or unknown abbreviation."""
        if self._rules.ordinals and _DATE.fullmatch(word):
            return False
        if not self._has_capitals:
            return len(word) > 1 and not self._has_no_vowel(word)
        return len(word) > 8 or (len(word) > 3 and not self._has_no_vowel(word[-1]))

    def _meaning(self, stop: Stop) -> tuple[Meaning, str]:
        """The meaning of what stands before a full stop, and its last word.

        Of an initial and of a number, the word is the one before it.
        """
        parts = self._text[max(stop.sentence, stop.start - 40) : stop.start].split()
        if not parts or stop.end - stop.start > 1 and stop.quotation is None:
            return "word", ""
        last = _bare(parts[-1])
        elided = joined = last
        if not last.isalpha():
            elided = last[last.replace("\u2019", "'").rfind("'") + 1 :]
            elided = elided if len(elided) > 1 else last
            joined = elided[max(map(elided.rfind, "-/\u2013")) + 1 :]
        names = dict.fromkeys((*_with_parts_before(parts), last, elided, joined))
        for name in names:
            if listed := self._rules.kind(name):
                return listed, last
        kind = self._unlisted(joined)
        if kind == "word" and len(joined) <= 3 and self._has_dandas:
            kind = "either"
        if kind == "initial" or (kind == "ordinal" and joined.isdecimal()):
            return kind, parts[-2] if len(parts) > 1 else ""
        return kind, last

    def _unlisted(self, name: str) -> Meaning:
        """The meaning of a word before a full stop by its form."""
        if len(name) > _LONGEST_FORM and name.isalpha() and name.islower():
            # Most words are so, and have none of the forms below.
            return "either" if name.endswith(self._rules.suffixes) else "word"
        roman = len(name) > 1 and _ROMAN.fullmatch(name)
        if self._rules.ordinals and (roman or (name.isdecimal() and len(name) <= 3)):
            return "ordinal"
        if len(name) == 1 and name.isalpha():
            return "either" if name.islower() else "initial"
        if _DOUBLED.fullmatch(name):
            return "initial"
        without_vowel = (
            len(name) <= _LONGEST_FORM and not name.isupper() and self._has_no_vowel(name)
        )
        if without_vowel or _DOTTED.fullmatch(name) or name.lower().endswith(self._rules.suffixes):
            return "either"
        return "word"

    def _has_no_vowel(self, word: str) -> bool:
        """Whether a word of an alphabet with vowels has none."""
        letters = unicodedata.normalize("NFD", word.lower())
        return self._rules.consonants.issuperset(c for c in letters if not unicodedata.combining(c))


def _end(pattern: regex.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def _with_parts_before(parts: list[str]) -> Iterator[str]:
    """The last word with the parts of an abbreviation before it, from the longest: "z. B."."""
    first = len(parts) - 1
    while (
        first
        and len(parts) - first < 4
        and parts[first - 1][-1] == "."
        and len(parts[first - 1]) < 7
    ):
        first -= 1
    for start in range(first, len(parts) - 1):
        yield _bare("".join(parts[start:]))


def _bare(word: str) -> str:
    return word if word[:1].isalnum() else word[_end(_OPENING, word, 0) :]
