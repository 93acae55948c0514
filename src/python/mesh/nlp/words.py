"""Words and shingles: what texts are compared by."""

import unicodedata
from collections.abc import Sequence

import regex

# Scripts written without spaces give one token for each character, which shingles then join.
_WORD = regex.compile(
    r"(?:[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*)"
    r"|[\p{L}\p{M}\p{N}--\p{Han}--\p{Hiragana}--\p{Katakana}--\p{Thai}--\p{Lao}--\p{Khmer}--\p{Myanmar}]+"
    r"(?:['\u2019][\p{L}\p{M}]+)*",
    regex.VERSION1,
)


def words(text: str) -> list[str]:
    """The words of a text without punctuation, in one form for all letter cases and Unicode spellings.

    "Don't STOP!" gives `["don't", "stop"]`. Chinese, Japanese, Thai, Lao, Khmer and Burmese give single characters.
    """
    normal = unicodedata.normalize("NFKC", text).casefold()
    return [word.replace("\u2019", "'") for word in _WORD.findall(normal)]


def shingles(tokens: Sequence[str], size: int) -> frozenset[str]:
    """The distinct runs of `size` successive tokens, joined by spaces; all tokens as one where there are fewer.

    Raises:
        ValueError: `size` is less than 1.
    """
    if size < 1:
        raise ValueError(f"a shingle has at least 1 token, not {size}")
    last = max(len(tokens) - size, 0)
    return frozenset(" ".join(tokens[first : first + size]) for first in range(last + 1) if tokens)


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """The share of the elements of either set that are in both; 1 for two empty sets."""
    if not left and not right:
        return 1.0
    common = len(left & right)
    return common / (len(left) + len(right) - common)
