"""Removes what a language model writes while it reasons, before its response."""

import re

_NAMES = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection)"
_MARK = re.compile(
    rf"<(?P<end>/?)(?P<name>{_NAMES})>|\[(?P<end2>/?)(?P<name2>{_NAMES})\]"
    rf"|◁(?P<end3>/?)(?P<name3>{_NAMES})▷",
    re.IGNORECASE,
)
# The channels of the format `harmony`, whose control tokens some endpoints leave in the text.
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>")
_CONTROL = re.compile(r"<\|[a-z_]+\|>")


def without_reasoning(content: str) -> str | None:
    """The response without reasoning and surrounding white space; None if it never ends.

    Reasoning stands between `<think>` and `</think>`, or similar marks. Some models are made to
    begin with it, so that only its end is marked: then all before that is reasoning.
    """
    kept: list[str] = []
    inside: str | None = None
    position = 0
    for mark in _MARK.finditer(final := _final_channel(content)):
        end = mark["end"] or mark["end2"] or mark["end3"]
        name = (mark["name"] or mark["name2"] or mark["name3"]).casefold()
        if inside is None:
            if end:
                kept.clear()
            else:
                kept.append(final[position : mark.start()])
                inside = name
            position = mark.end()
        elif end and name == inside:
            inside, position = None, mark.end()
    if inside is not None:
        return None
    return "".join([*kept, final[position:]]).strip()


def _final_channel(content: str) -> str:
    """The part of the channel `final`, where there are channels; nothing if that is missing."""
    channels = list(_CHANNEL.finditer(content))
    if not channels:
        return content
    last = channels[-1]
    return _CONTROL.split(content[last.end() :])[0] if last[1] == "final" else ""
