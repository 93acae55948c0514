"""Tokens with tags, as many corpora have them, and the text and entities that they stand for."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from mesh.nlp.segmentation import has_spaceless, is_unspaced

TAG = re.compile(r"O|[BIESLU]-\S+")
"""A tag of IOB1, IOB2, IOBES or BILOU."""


class Token(NamedTuple):
    """A token with its tag, and whether a space follows it."""

    text: str
    tag: str
    space_after: bool


def tagged_text(tokens: Sequence[Token]) -> dict[str, Any]:
    """A text of tokens, and the entities of their tags.

    There is no space within Chinese, Japanese and other scripts that are written without spaces.
    """
    text = " ".join(token.text for token in tokens)
    # Tokens of one character, as corpora of Chinese have them, hold digits and Latin letters too.
    by_character = has_spaceless(text) and all(len(token.text) == 1 for token in tokens)
    pieces: list[str] = []
    spans = []
    end, space = 0, False
    for token in tokens:
        space = space and not (by_character or is_unspaced(pieces[-1], token.text))
        start = end + space
        end = start + len(token.text)
        pieces += (" ", token.text) if space else (token.text,)
        spans.append((start, end))
        space = token.space_after
    return {
        "text": "".join(pieces),
        "entities": tagged_entities(spans, [token.tag for token in tokens]),
    }


def tagged_entities(spans: Sequence[tuple[int, int]], tags: Sequence[str]) -> list[dict[str, Any]]:
    """The entities of tokens, from the place and the tag of each.

    Raises:
        ValueError: a tag has another form than O, or B-PER with any of B, I, E, S, L and U.
    """
    entities: list[dict[str, Any]] = []
    open_label = ""
    for (start, end), tag in zip(spans, tags, strict=True):
        if not TAG.fullmatch(tag):
            raise ValueError(f"{tag!r} isn't a tag such as B-PER or O")
        prefix, _, label = tag.partition("-")
        if label and (prefix not in "IEL" or label != open_label):
            entities.append({"start": start, "end": end, "label": label})
        elif label:
            entities[-1]["end"] = end
        open_label = label if prefix in "BI" else ""
    return entities
