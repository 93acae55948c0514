"""URLs as they may be shown."""

import re

_PASSWORD = re.compile(r"(?<=://)(?P<user>[^/:@]*):(?P<password>.*)@")
# A token in place of a user's name.
_TOKEN = re.compile(r"(?<=http://|ttps://)[^/?#@:\s]{8,}(?=@)")
_QUERY = re.compile(r"\?.+")
# A password may have quotes.
_IN_TEXT = re.compile(r"(?:https?)?://(?:[^\s/?#]*@)?[^\s'\"<>]*")


def mask_url(url: str) -> str:
    """A URL without its password and query, fit for logs and messages; a path stays as it is."""
    if "://" not in url:
        return url
    masked = _TOKEN.sub("***", _PASSWORD.sub(r"\g<user>:***@", url))
    return _QUERY.sub("?***", masked)


def mask_urls(text: str) -> str:
    """A text with its URLs as they may be shown."""
    if "://" not in text:
        return text
    return _IN_TEXT.sub(lambda match: mask_url(match[0]), text)


def passwords(url: str) -> list[str]:
    """The passwords before the host of a URL."""
    return [match["password"] for match in _PASSWORD.finditer(url)]
