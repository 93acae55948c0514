"""URLs as they may be shown."""

import re

_PASSWORD = re.compile(r"(?<=://)(?P<user>[^/:@]*):(?P<password>.*)@")
_QUERY = re.compile(r"\?.*")


def mask_url(url: str) -> str:
    """A URL without its password and query, fit for logs and messages; a path stays as it is."""
    if "://" not in url:
        return url
    return _QUERY.sub("?***", _PASSWORD.sub(r"\g<user>:***@", url))


def passwords(url: str) -> list[str]:
    """The passwords before the host of a URL."""
    return [match["password"] for match in _PASSWORD.finditer(url)]
