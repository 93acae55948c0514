"""What looks like a secret, by its name or its form, and may not be stored or shown."""

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from mesh.core.urls import mask_url

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    "apikey auth authorization bearer cookie credential credentials creds dsn jwt pass passcode "
    "passphrase passwd password passwords pat privatekey pswd pwd secret secretkey secrets token".split()
)
_SECRET_ENDINGS = ("apikey", "passwd", "password", "pwd", "secret", "token")
_KEYS = frozenset("access account admin api auth client deploy encryption hmac master private "
                  "secret service shared signing ssh storage".split())  # fmt: skip
"""Words that make a key a secret: `API_KEY`, but not `SORT_KEY` or `PUBLIC_KEY`."""
_PUBLIC = frozenset(("public", "trusted"))
_PLACES = frozenset("file files path paths dir folder directory".split())
_FACTS = frozenset("algorithm audience issuer scopes".split())
"""What is said of a token, and isn't one: `JWT_ISSUER`."""

_FORMS = re.compile(
    r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b                      # Amazon
    | \bAIza[0-9A-Za-z_-]{35}\b | \bya29\.[0-9A-Za-z_-]{20,}  # Google
    | \bgh[opsur]_[0-9A-Za-z]{30,} | \bgithub_pat_[0-9A-Za-z_]{30,}
    | \bglpat-[0-9A-Za-z_-]{16,} | \bhf_[0-9A-Za-z]{24,} | \bnpm_[0-9A-Za-z]{30,}
    | \bpypi-[0-9A-Za-z_-]{30,} | \bsk-[0-9A-Za-z_-]{20,} | \bsk_live_[0-9A-Za-z]{16,}
    | \bxox[abeoprs]-[0-9A-Za-z-]{10,} | \bdop_v1_[0-9a-f]{40,}
    | \beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.     # JSON Web Token
    | \bmesh_[0-9a-f]{12}_[0-9A-Za-z_-]{20,}     # of this project's servers
    | ^\s*(?:Bearer|Basic)\ +[0-9A-Za-z+/._~-]{8,}=*\s*$
    """,
    re.VERBOSE,
)
_USER_INFO = re.compile(r"://[^/?#@\s]*:[^/?#\s]+@|https?://[^/?#@:\s]{8,}@")
# Queries of URLs, and connection strings such as `host=db password=...` and `Server=db;Pwd=...`.
_OPTION = re.compile(
    r"(?i)(?:^|[?&;,\s])(?:[a-z_-]*(?:password|passwd|pwd|passphrase|secret|signature|token)"
    r"|api_?key|access_?key|account_?key|sig|key)\s*=\s*[^&;,\s]"
)
_RANDOM = re.compile(r"[0-9A-Za-z+]{24,}={0,2}")
_BITS = 3.7
"""Bits for each character from which a text is as varied as a random one."""


def is_secret_name(name: str) -> bool:
    """Whether a variable's name says that its value is a secret: `DB_PASS`, `apiKey`, `MYSQL_PWD`."""
    words = _words(name)
    if words and words[-1] in _PLACES | _FACTS:
        return False
    if words and words[-1] == "headers":
        # What is sent with requests, such as OTEL_EXPORTER_OTLP_HEADERS.
        return True
    if _SECRET_WORDS.intersection(words) or any(word.endswith(_SECRET_ENDINGS) for word in words):
        return True
    return words == ["key"] or any(
        second == "key" and first in _KEYS for first, second in pairwise(words)
    )


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def is_secret_value(value: str) -> bool:
    """Whether a value has the form of a secret: a known kind of token, a private key, a password in
    a URL or in a connection string.
    """
    return bool(_FORMS.search(value) or _USER_INFO.search(value) or _OPTION.search(value))


def looks_random(value: str) -> bool:
    """Whether a value is one long run of letters and digits that may be a secret, or a digest."""
    text = value.strip()
    if not _RANDOM.fullmatch(text) or text.isalpha() or text.isdigit():
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares) >= _BITS


def mask_secret(name: str, value: Any) -> Any:
    """A value as it may be shown: `***` if its name or form is that of a secret."""
    if isinstance(value, dict):
        return {key: mask_secret(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [mask_secret(name, each) for each in value]
    if not isinstance(value, str) or not value:
        return value
    if is_secret_name(name):
        return "***"
    if "://" in value and not _FORMS.search(value):
        return mask_url(value)
    is_public = not _PUBLIC.isdisjoint(_words(name))
    return "***" if is_secret_value(value) or (looks_random(value) and not is_public) else value
