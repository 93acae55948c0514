"""Languages as files name them, as ISO 639 codes."""

from functools import cache

# Texts in one of them are mistaken for another, or it stands for all of them.
_ALIKE = ({"no", "nb", "nn"}, {"sr", "hr", "bs", "sh"}, {"ms", "id"})
# Codes for several languages, none, and those that nobody knows.
_NO_LANGUAGE = ("mis", "mul", "und", "zxx")
# Shorter ones are mistaken codes, such as `ua`.
_SHORTEST_NAME = 4


@cache
def iso_code(name: str) -> str:
    """The ISO 639 code of a language: of two letters where there is one.

    Args:
        name: a code of two or three letters, a BCP 47 tag such as `en-US`, or a name such as
            `English`, in any case.

    Raises:
        ValueError: there is no such language.
    """
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    text = name.strip().replace("_", "-")
    try:
        found = langcodes.Language.get(text, normalize=True)
        if not found.language or not found.is_valid() or found.language in _NO_LANGUAGE:
            raise LookupError
    except (LookupError, LanguageTagError):
        try:
            if len(text) < _SHORTEST_NAME and text.isascii():
                raise LookupError from None
            found = langcodes.find(text)
        except LookupError:
            raise ValueError(
                f"{name!r} isn't a language; use a code such as en, or an English name"
            ) from None
    code = str(found.language)
    macro = langcodes.standardize_tag(code, macro=True)
    # Chinese and others are one language to everyone but linguists.
    return macro if macro in ("zh", "ar", "fa", "ms", "sw", "lv", "et", "sq") else code


def is_same_language(left: str, right: str) -> bool:
    """Whether two codes name one language, or languages that can't be told apart by their texts."""
    return left == right or any({left, right} <= alike for alike in _ALIKE)
