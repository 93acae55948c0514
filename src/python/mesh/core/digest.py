"""SHA-256 digests of files and values."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

_BLOCK = 4 * 2**20
"""Bytes read at once. After each block, a thread waits for the interpreter's lock, up to 5 ms while
another one computes; `hashlib.file_digest` has blocks of a sixteenth of that."""


def sha256_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        # One byte more, so that the end of a small file is found at once.
        block = memoryview(bytearray(min(_BLOCK, os.fstat(file.fileno()).st_size + 1)))
        while count := file.readinto(block):
            digest.update(block[:count])
    return digest.hexdigest()


def fingerprint(value: Any) -> str:
    """Return the hexadecimal SHA-256 of a JSON-serialisable value, whatever the order of its keys.

    Raises:
        TypeError: the value has no JSON form.
        ValueError: the value holds NaN or infinity.
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
