"""Stop words of many languages, from the package `stopwordsiso`."""

from functools import cache

from mesh.core.errors import UsageError

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
