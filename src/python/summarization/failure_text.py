"""The sentence by which an endpoint explains a failure, found in its response."""

import re

LONGEST = 300
"""In characters."""

_KEYS = ("message", "msg", "detail", "error", "errors", "error_message", "error_description")
_MORE_KEYS = ("faultstring", "fault", "status_msg", "base_resp", "title", "reason", "body")
_DEPTH = 5
# What begins like a key, or is as long as one.
_SECRET = re.compile(
    r"\b(?:sk|pk|gsk|xai|hf|nvapi|pplx)[-_][\w*.-]{4,}|\bAIza[\w-]+|\bBearer\s+\S+|\b\w{32,}",
    re.IGNORECASE,
)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f]+")


def failure_text(body: object, key: str | None = None) -> str | None:
    """The endpoint's own sentence, on one line, cut and without secrets; None without one.

    Args:
        body: the decoded JSON of its response, or a part of it.
        key: this server's key, which is never repeated.
    """
    found = _find(body, _DEPTH)
    if not found:
        return None
    if key:
        found = found.replace(key, "***")
    # Only the start is shown; the margin is for what is replaced.
    line = " ".join(_UNSEEN.sub(" ", found[: 4 * LONGEST]).split())
    line = _SECRET.sub("***", line)
    return (line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…") or None


def _find(body: object, depth: int) -> str | None:
    if isinstance(body, str):
        return body.strip() or None
    if not depth:
        return None
    if isinstance(body, list):
        return next((text for part in body[:_DEPTH] if (text := _find(part, depth - 1))), None)
    if isinstance(body, dict):
        values = (body.get(name) for name in (*_KEYS, *_MORE_KEYS))
        return next((text for value in values if (text := _find(value, depth - 1))), None)
    return None
