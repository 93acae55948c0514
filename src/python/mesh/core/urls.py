"""URLs as they may be shown."""

import re

# Of a text that ends with the last "@", so that finding none takes linear time.
_PASSWORD = re.compile(r"(?<=://)(?P<user>[^/:@]*):(?P<password>.*)@", re.DOTALL)
# A token in place of a user's name. What is looked behind for has one length, so "https" lacks its
# first letter.
_TOKEN = re.compile(r"(?<=http://|ttps://)[^/?#@:\s]{8,}(?=@)")
_QUERY = re.compile(r"\?.+")
# A password may have quotes; the path of an SQLite file may have any characters, and no password.
_IN_TEXT = re.compile(r"(?<!sqlite)(?:https?)?://(?:[^\s/?#]*@)?[^\s'\"<>]*")


def mask_url(url: str) -> str:
    """A URL without its password and query, fit for logs and messages; a path stays as it is."""
    if "://" not in url or url.startswith("sqlite:"):
        return url
    before, at, after = url.rpartition("@")
    masked = _TOKEN.sub("***", _PASSWORD.sub(r"\g<user>:***@", before + at))
    return _QUERY.sub("?***", masked + after)


def mask_urls(text: str) -> str:
    """A text with its URLs as they may be shown."""
    if "://" not in text:
        return text
    return _IN_TEXT.sub(lambda match: mask_url(match[0]), text)


def passwords(url: str) -> list[str]:
    """The passwords before the host of a URL."""
    before, at, _ = url.rpartition("@")
    return [match["password"] for match in _PASSWORD.finditer(before + at)]
