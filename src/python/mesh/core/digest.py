"""SHA-256 digests of files, values and source code."""

import hashlib
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mesh.core.errors import MeshError


def sha256_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(value: Any) -> str:
    """Return the hexadecimal SHA-256 of a JSON-serialisable value, whatever the order of its keys.

    Raises:
        TypeError: the value has no JSON form.
        ValueError: the value holds NaN or infinity.
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def code_digest(modules: Iterable[str]) -> str:
    """Return one digest of the source of modules and of every module below packages.

    Nothing is imported but the parents of the named modules, so heavy modules can be digested for free.

    Raises:
        MeshError: a module can't be found, or has no source on disk.
    """
    sources = {}
    for module in modules:
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            spec = None
        if spec is None or spec.origin is None or not spec.has_location:
            raise MeshError(
                f"The source of the module {module!r} can't be found, so no fingerprint can be made."
            )
        origin = Path(spec.origin)
        if spec.submodule_search_locations is None:
            sources[module] = sha256_file(origin)
        else:
            root = origin.parent
            for path in root.rglob("*.py"):
                sources[f"{module}/{path.relative_to(root).as_posix()}"] = sha256_file(path)
    return fingerprint(sources)
