"""Reading documents: whether the hyphen of a word cut by a line's end is the word's own."""

# ruff: noqa: RUF001 - the words of other alphabets are meant

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache

from mesh.nlp.word_lists import LISTED, word_list

HYPHENS = "-\u2010\u2011"
"""At a line's end these are the word's own, or only cut it: `joins` tells."""

CUTS = "\u00ad\u00ac"
"""At a line's end these always cut a word: the soft hyphen, and what text recognition reads for it."""

_INNER = re.compile(rf"[{HYPHENS}'’]")

# Two words that make an unlisted one are a compound here; elsewhere a hyphen parts them.
_COMPOUNDING = frozenset(("de", "es", "it", "lv", "nl"))

# "Vor-/und Nachteile": the hyphen stands for the rest of the word.
_CONJUNCTIONS = {
    "cs": "a i nebo až",
    "da": "og eller til",
    "de": "und oder bis bzw sowie als wie noch beziehungsweise statt",
    # Texts of other languages are often read as English.
    "en": "and or to nor but und oder bis bzw et ou og och eller",
    "es": "o u y e",
    "et": "ja või",
    "fi": "ja tai sekä",
    "fr": "et ou",
    "hu": "és vagy",
    "it": "e ed o",
    "nl": "en of tot als maar",
    "no": "og eller til",
    "pl": "i lub oraz czy albo",
    "pt": "e ou",
    "ru": "и или",
    "sv": "och eller till",
    "tr": "ve veya",
    "uk": "і й та або",
}
# Pronouns and particles that hang on the word before them by a hyphen.
_ENCLITICS = {
    "fr": "ce ci elle elles en il ils je la le les leur lui là moi même mêmes nous on toi tu vous",
    "pt": "la las lhe lhes lo los me na nas no nos se te vos",
    "ru": "де ка либо нибудь таки то",
}
# As these do in English.
_FORMS = {
    "en": (
        "area backed based born bound driven era free led like made owned related "
        "sized style wide"
    )
}
_PREFIXES = {
    "de": "ex",
    "en": "all cross ex great half mid non quasi self",
    "es": "ex",
    "fr": "après arrière avant demi ex mi non outre quasi sans semi sous vice",
    "it": "ex vice non",
    "nl": "ex niet oud",
    "pt": "além aquém bem ex mal pós pré pró recém sem vice",
    "ru": "вице кое северо экс юго",
}
# Two adjectives of the same rank, as "deutsch-französisch", "русско-английский", "polsko-niemiecki".
_COORDINATE = {
    "de": re.compile(r"(?:sch|lich|ig|al|iv|ell)-\w+(?:isch|lich|ig)(?:e[mnrs]?)?$"),
    "ru": re.compile(
        r"\w\w(?:ско|цко|но|ло|во)-\w+(?:[иыо]й|[ая]я|[ое]е|[иы][ехм]|[ое]го|[ое]му|[иы]ми)$"
    ),
}
_NATIONS = frozenset(
    "afro anglo austro franco greco hispano ibero indo ispano italo luso russo serbo sino".split()
)
# Of other first halves in -o, as in "socio-económico", these never have a hyphen.
_SOLID = frozenset(
    "aero agro audio auto bio eco elektro electro elettro eletro euro foto geo hidro hydro idro info kilo macro "
    "makro micro mikro mono moto nano neuro photo psico psycho radio retro stereo termo thermo turbo video".split()
)
_SLAVIC = re.compile(r"(?:sko|cko|ско|цко|сько|цько)$")


def joins(before: str, after: str, language: str, words: Collection[str]) -> bool:
    """Whether a hyphen at a line's end only cuts a word, as in "trans-" and "port".

    Args:
        before: the letters before the hyphen, from the last white space on.
        after: those at the next line's start.
        language: ISO 639-1 code.
        words: the document's other words in lower case, those with hyphens in one piece; what they
            say counts before any list of words. In NFC, as `before` and `after`.
    """
    # "l'infor-/mation", "long-stand-/ing", "govern-/ment's": only the parts at the hyphen count.
    before, after = _INNER.split(before)[-1], _INNER.split(after)[0]
    if not _may_be_one(before, after):
        return False
    before, after = before.lower(), after.lower()
    if f"{before}-{after}" in words:
        return False
    if before + after in words:
        return True
    # Only English has words like "thous-/and".
    if min(len(before), len(after)) < 2 or (language != "en" and suspends(after, language)):
        return False
    if language not in LISTED:
        return not _SLAVIC.search(before)
    return _make_a_word(before, after, language)


def suspends(after: str, language: str) -> bool:
    """Whether a hyphen before a word stands for the rest of another, as in "Vor- und Nachteile"."""
    return after.lower() in _words(_CONJUNCTIONS, language)


def _may_be_one(before: str, after: str) -> bool:
    """Whether both are letters, in a case that one word can have."""
    if not before or not after or not _has_letters_only(before + after):
        return False
    if len(after) > 1 and len(before) > 1 and (before + after).isupper():
        return True
    # "DNA-/based" and "iPhone-/like" are two words each.
    return after == after.lower() and before[1:] == before[1:].lower()


def _has_letters_only(word: str) -> bool:
    return word.isalpha() or all(unicodedata.category(c)[0] in "LM" for c in word)


def _make_a_word(before: str, after: str, language: str) -> bool:
    listed = word_list(language)
    if f"{before}-{after}" in listed:
        return False
    if before + after in listed:
        return True
    first, second = before in listed, after in listed
    if suspends(after, language) or any(
        after in _words(table, language) for table in (_ENCLITICS, _FORMS)
    ):
        return False
    if before in _SOLID:
        return True
    if before in _NATIONS or (second and before in _words(_PREFIXES, language)):
        return False
    if second and before.endswith("o") and language not in ("de", "nl"):
        return False
    if language in _COORDINATE and _COORDINATE[language].search(f"{before}-{after}"):
        return False
    if language == "ru":
        return _make_a_russian_word(before, after, first and second)
    if language == "en" and len(after) < 3:
        return False
    return not (first and second) or language in _COMPOUNDING


def _make_a_russian_word(before: str, after: str, both: bool) -> bool:
    """As `_make_a_word`, by endings, since the list of words is short."""
    if before == "по" and re.search(r"(?:ски|цки|[ое]му)$", after):
        return False
    # A short first half is a prefix, as in "при-/город".
    return not both or (len(before) < 4 and len(after) > 3)


def _words(table: Mapping[str, str], language: str) -> frozenset[str]:
    return _split(table.get(language, ""))


@cache
def _split(words: str) -> frozenset[str]:
    return frozenset(words.split())
