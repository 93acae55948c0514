"""Names of versions of data, and the tags that may stand for them."""

import re

LATEST = "latest"
"""The version that was made last."""

VERSION_LENGTH = 16
"""Characters of a version's name: hexadecimal digits in lower case."""

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_HEXADECIMAL = re.compile(r"[0-9a-f]+")


def check_tag(name: str) -> str:
    """A name, if a version of data may be tagged with it.

    Raises:
        ValueError: it is malformed or reserved; the message says which, and what to do.
    """
    if not is_tag(name):
        raise ValueError("a tag is letters, digits, '_', '.', '-', 63 at most, such as dataset_v22")
    if name.lower() == LATEST:
        raise ValueError(f"{LATEST} always means the version made last; choose another tag")
    if _HEXADECIMAL.fullmatch(name):
        raise ValueError(
            "a name of only digits and the letters a to f may be the beginning of a version's; "
            f"choose another tag, such as v{name[:62]}"
        )
    return name


def is_tag(name: str) -> bool:
    """Whether a name has the form of a tag, even if it is reserved."""
    return bool(_TAG.fullmatch(name))


def is_version(name: str) -> bool:
    """Whether a name has the form of a version's whole name."""
    return len(name) == VERSION_LENGTH and bool(_HEXADECIMAL.fullmatch(name))
