"""The inputs of a result by name: equal ones mean that there is nothing to do.

Names begin with the kind of input: `file mesh/nlp/clean.py`, `package torch`, `setting epochs`,
`data`, `trained version`. The fingerprint of a result is the digest of its inputs, and what is
stored keeps both, so that the inputs that differ can be named later.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mesh.core.closure import find_closure, package_versions
from mesh.core.roots import NOT_DECIDING

Inputs = dict[str, Any]
"""The JSON-serialisable value, digest or version of each input by its name."""

_SHORTEST_DIGEST = 32


def code_inputs(
    roots: Collection[str], *, excluded: Iterable[str] = (), packages: Iterable[str] = ()
) -> Inputs:
    """The files and packages that decide what modules compute.

    Args:
        roots: the modules; what they import counts too.
        excluded: modules that don't, beside `NOT_DECIDING`.
        packages: top-level packages that are used without an import that can be seen.

    Raises:
        MeshError: a module isn't there, or can't be parsed.
    """
    closure = find_closure(roots, (*NOT_DECIDING, *excluded))
    versions = package_versions({*closure.imports, *packages})
    return {
        **{f"file {path}": digest for path, digest in closure.digests().items()},
        **{f"package {name}": version for name, version in versions.items()},
    }


def setting_inputs(values: Mapping[str, Any]) -> Inputs:
    """The values of settings, or of what a project declares."""
    return {f"setting {name}": value for name, value in values.items()}


def packages_of(inputs: Inputs) -> list[str]:
    """The distributions among inputs."""
    return [name.removeprefix("package ") for name in sorted(inputs) if name.startswith("package ")]


def differences(before: Inputs, after: Inputs) -> list[str]:
    """The inputs that differ, with both values where people can read them; files and packages last.

    Another setting may bring other files.
    """
    if not before:
        return ["other inputs, which the version doesn't record"]
    return [
        _describe(name, before, after)
        for name in sorted({*before, *after}, key=_rank)
        if before.get(name) != after.get(name)
    ]


def _rank(name: str) -> tuple[bool, str]:
    return name.startswith(("file ", "package ")), name


def _describe(name: str, before: Inputs, after: Inputs) -> str:
    if name not in after:
        return f"{name} (gone)"
    if name not in before:
        return f"{name} (new)"
    old, new = before[name], after[name]
    if any(isinstance(value, str) and len(value) >= _SHORTEST_DIGEST for value in (old, new)):
        return name
    return f"{name} ({_show(old)} -> {_show(new)})"


def _show(value: Any) -> str:
    return "none" if value is None else str(value)
