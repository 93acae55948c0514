"""Varies the form of training texts: what carries no sentiment should change no answer."""

import random
import re
import string

from sentiment.dataset import Example

_CONTRACTION = re.compile(r"(?<=\w)(n['\u2019]t|['\u2019](?:s|re|ve|ll|d|m))\b", re.IGNORECASE)
_MARK = re.compile(r"(?<=\w)([,.;:!?]+)(?=\s|$)")
_TAGS = (
    "today",
    "news",
    "nowplaying",
    "throwback",
    "monday",
    "weekend",
    "update",
    "thread",
    "live",
)


def vary_form(row: Example, chance: random.Random) -> Example:
    """The row with a text of the same sentiment.

    Some texts are written as corpora have them ("ca n't , though ."), some begin with who is
    addressed, some end with a link, a hashtag or without their stop. A few are repeated, so that
    the sentiment of several sentences is that of each.
    """
    text = _several_times(row.text)
    if chance.random() < 0.2:
        text = _tokenized(text)
    elif chance.random() < 0.2:
        text = text.rstrip(".")
    if chance.random() < 0.1:
        text = f"{chance.choice(('', 'RT ', '.'))}@{_name(chance)} {text}"
    if chance.random() < 0.07:
        text = f"{text} #{chance.choice(_TAGS)}"
    if chance.random() < 0.07:
        text = f"{text} https://t.co/{_name(chance)}"
    return row.model_copy(update={"text": text})


def _several_times(text: str) -> str:
    """The text, or one in sixteen of them two to eight times."""
    # The same in each epoch: batches are of texts that were of equal length in the first one.
    chance = random.Random(text)  # noqa: S311 - no secret
    return " ".join([text] * chance.randint(2, 8)) if chance.random() < 1 / 16 else text


def _tokenized(text: str) -> str:
    """The text in lower case, with spaces before contractions and marks."""
    return _MARK.sub(r" \1", _CONTRACTION.sub(r" \1", text)).lower()


def _name(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return "user"
    return "".join(chance.choices(string.ascii_lowercase, k=chance.randint(4, 10)))
