"""Stop words of many languages, from the package `stopwordsiso`, and how they match a text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

from mesh.core.errors import UsageError
from mesh.core.passes import checkpoint
from mesh.nlp.phrases import PhraseFinder
from mesh.nlp.segmentation import Word, core, fold, has_spaceless, word_spans, word_texts

LANGUAGES = {
    "af": "Afrikaans",
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "br": "Breton",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "eo": "Esperanto",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "gu": "Gujarati",
    "ha": "Hausa",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "ku": "Kurdish",
    "la": "Latin",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mr": "Marathi",
    "ms": "Malay",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "so": "Somali",
    "st": "Sotho",
    "sv": "Swedish",
    "sw": "Swahili",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "yo": "Yoruba",
    "zh": "Chinese",
    "zu": "Zulu",
}
"""The English name of each language that has a list, by ISO 639-1 code."""

_VOWEL_MARKS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670]+"
)
"""The vowels of Hebrew and Arabic, which most texts leave out, and the line that stretches a word."""

_KNOWN_WORDS = 16_384
_LONGEST_KNOWN_WORD = 40
"""In characters. Texts have most of their words in common, so what these come to is kept."""

_CODES = {name.lower(): code for code, name in LANGUAGES.items()} | {
    code: code for code in LANGUAGES
}


def language_code(language: str) -> str:
    """The ISO 639-1 code of a language given by code or English name, in any case.

    Raises:
        UsageError: no stop words are known for the language.
    """
    try:
        return _CODES[language.strip().lower()]
    except KeyError:
        accepted = ", ".join(f"{name.lower()} ({code})" for code, name in LANGUAGES.items())
        raise UsageError(
            f"{language!r} is not a language with stop words: use one of {accepted}."
        ) from None


@cache
def stop_words(code: str) -> frozenset[str]:
    """The lower-case stop words of a language.

    Args:
        code: an ISO 639-1 code of `LANGUAGES`; `language_code` finds it for a name.

    Raises:
        KeyError: the code is not one of `LANGUAGES`.
    """
    import stopwordsiso

    if code not in LANGUAGES:
        raise KeyError(code)
    return frozenset(stopwordsiso.stopwords(code))


class StopWords:
    """Words and phrases to leave out of texts, whatever their case and spelling in either.

    Args:
        words: also phrases, such as "as well as", and words with other characters, such as "e.g.".
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words: set[str] = set()
        phrases: list[str] = []
        for word in words:
            found = word_spans(fold(word))
            if len(found) == 1 and not has_spaceless(word):
                start, end = found[0]
                self._words.add(_key(fold(word)[start:end]))
            # The parts of a word with an apostrophe may be words of their own.
            if found and (len(found) > 1 or has_spaceless(word) or "'" in fold(word)):
                phrases.append(word)
        self._has_phrases = bool(phrases)
        self._phrases = PhraseFinder(phrases)
        self._known_core = lru_cache(_KNOWN_WORDS)(self._core)
        self._known_content = lru_cache(_KNOWN_WORDS)(self._content)

    def content(self, text: str) -> list[str]:
        """The cores of the words of a text that stay, in order; see `remove`.

        Args:
            text: in the form of `mesh.nlp.segmentation.fold`.
        """
        if self._has_phrases:
            return [text[start:end] for start, end in self.remove(text, word_spans(text))]
        return [
            kept
            for word in word_texts(text)
            if (
                kept := (
                    self._known_content(word)
                    if len(word) <= _LONGEST_KNOWN_WORD
                    else self._content(word)
                )
            )
        ]

    def remove(self, text: str, words: Sequence[Word]) -> Iterator[Word]:
        """Yield the words of a text that stay: their cores, see `mesh.nlp.segmentation.core`.

        A contraction such as "don't" is left out with "not".

        Args:
            words: spans of the text.
        """
        covered = bytearray(len(text))
        for start, end in self._phrases.longest(text):
            covered[start:end] = b"\x01" * (end - start)
        for start, end in words:
            checkpoint()
            if covered[start]:
                continue
            core_of = self._known_core if end - start <= _LONGEST_KNOWN_WORD else self._core
            if kept := core_of(text[start:end]):
                yield Word(start + kept.start, start + kept.end)

    def _content(self, word: str) -> str:
        """The core of a word, empty for a stop word."""
        checkpoint()
        kept = self._core(word)
        return word[kept.start : kept.end] if kept else ""

    def _core(self, word: str) -> Word | None:
        """The core of a word, or None for a stop word."""
        start, end = core(word)
        key = _key(word[start:end])
        negated = key.endswith("n't") and "not" in self._words
        dropped = negated or key in self._words or _key(word) in self._words
        return None if dropped else Word(start, end)


@cache
def stop_words_of(code: str) -> StopWords:
    """The stop words of a language, ready for use; see `stop_words`."""
    return StopWords(stop_words(code))


def _key(word: str) -> str:
    # A few letters contain an apostrophe, such as that of Afrikaans "'n".
    return _VOWEL_MARKS.sub("", fold(word)).strip("'")
