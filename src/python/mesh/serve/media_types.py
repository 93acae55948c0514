"""Media types in headers, read without a library: whatever a client sends, reading it can't fail."""

import re
from collections.abc import Mapping

from mesh.serve.problems import ProblemError, shorten

MAX_MEDIA_TYPE = 1_000
"""Characters of a media type with its parameters."""

MAX_ACCEPTED = 50
"""Media types of an `Accept` header that are looked at."""

JSON = "application/json"
BYTES = "application/octet-stream"
LINES = "application/x-ndjson"
OPENMETRICS = "application/openmetrics-text"
PLAIN = "text/plain"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(f"[ \t]*({_WORD}/{_WORD})")
_PARAMETER = re.compile(f'[ \t]*;[ \t]*(?:({_WORD})=(?:({_WORD})|"((?:[^"\\\\]|\\\\.)*)"))?')
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


def require_json(headers: Mapping[bytes, bytes], *, and_bytes: bool = False) -> None:
    """Check that the body is JSON in UTF-8; a missing media type counts as that.

    Clients of the Open Inference Protocol send none.

    Args:
        headers: as ASGI gives them, names in lower case.
        and_bytes: whether it may also be said to be bytes, as Triton's clients say of all bodies.

    Raises:
        ProblemError: 415.
    """
    encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip()
    if encoding.lower() not in ("", "identity"):
        raise ProblemError(
            415, f"The body is encoded as {shorten(encoding)}; send it uncompressed."
        )
    text = headers.get(b"content-type", JSON.encode()).decode("latin-1")
    if text == JSON:
        return
    kind, parameters = parse_media_type(text) or ("", {})
    if and_bytes and kind == BYTES:
        return
    if kind != JSON or parameters.get("charset", "utf-8").lower() not in _UTF_8:
        raise ProblemError(415, f"The body is {shorten(text)}; send application/json in UTF-8.")


def parse_media_type(text: str) -> tuple[str, dict[str, str]] | None:
    """A media type in lower case and its parameters, by RFC 9110, 8.3.1; None if it is malformed.

    The names of parameters are in lower case; none may be there twice.
    """
    found = _TYPE.match(text)
    if found is None or len(text) > MAX_MEDIA_TYPE:
        return None
    parameters: dict[str, str] = {}
    end = found.end()
    while parameter := _PARAMETER.match(text, end):
        name, token, quoted = parameter.groups()
        if name is not None:
            if name.lower() in parameters:
                return None
            parameters[name.lower()] = token or re.sub(r"\\(.)", r"\1", quoted or "")
        end = parameter.end()
    return None if text[end:].strip(" \t") else (found[1].lower(), parameters)


def prefers(accept: str, wanted: str, other: str) -> bool:
    """Whether an `Accept` header wants a media type of version 1.0.0, if any, rather than another."""
    qualities = {wanted: 0.0, other: 0.0}
    for each in accept.split(",", MAX_ACCEPTED)[:MAX_ACCEPTED]:
        kind, parameters = parse_media_type(each) or ("", {})
        quality = parameters.get("q", "1")
        is_known = kind == other or parameters.get("version", "1.0.0") == "1.0.0"
        if kind in qualities and is_known and _QUALITY.fullmatch(quality):
            qualities[kind] = max(qualities[kind], float(quality))
    return 0 < qualities[wanted] >= qualities[other]
