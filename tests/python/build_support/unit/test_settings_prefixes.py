"""The prefixes of all settings, read from the sources that are here."""

import re
from pathlib import Path

from mesh.core.settings import NESTED_PREFIXES

SOURCES = Path("src/python").resolve()


def test_prefixes_that_begin_with_another_are_known() -> None:
    found = {
        prefix
        for path in SOURCES.rglob("*.py")
        for prefix in re.findall(r'env_prefix="(\w+)"', path.read_text(encoding="utf-8"))
    }
    nested = {
        prefix
        for prefix in found
        if any(prefix != other and prefix.startswith(other) for other in found)
    }
    assert nested == set(NESTED_PREFIXES)
