"""The licences of a version's data and base model, as far as they are known here."""

import importlib.metadata
import re
from collections.abc import Mapping
from typing import Any

from mesh.core.card import BaseModelSource
from mesh.core.errors import MeshError
from mesh.lifecycle.about import About
from mesh.lifecycle.base_model import resolve_base_model
from mesh.lifecycle.lineage import nodes_of, source_folders

UNKNOWN = "not recorded: ask its owner"

_PACKAGE = re.compile(r"package://(\w+)")
_FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)
_LICENCE = re.compile(r"^licen[sc]e:[ \t]*[\"']?([\w.+ -]+)", re.MULTILINE)


def licences(
    project: str, about: About | None, base: BaseModelSource | None, lineage: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """The name of each thing that a version is made of, its kind and its licence."""
    found = [(base.uri, "base model", base_licence(base))] if base else []
    shipped = about.data_licence if about and about.data_licence else UNKNOWN
    for name in (name for node in nodes_of(lineage) for name in source_folders(node)):
        ours = name.startswith(f"{project.replace('-', '_')}.")
        found.append((name, "data", shipped if ours else UNKNOWN))
    return found


def base_licence(base: BaseModelSource) -> str:
    """What a base model's package and its own description say.

    Nothing is downloaded: of a model on the hub that isn't here, its page is named.
    """
    said = []
    if package := _PACKAGE.match(base.uri):
        said += _of_package(package[1])
    if own := _of_description(base.uri):
        said.append(f"{own} (its README)")
    if said:
        return "; ".join(said)
    if base.uri.startswith("hf://"):
        return "see its page on the hub"
    return UNKNOWN


def _of_package(package: str) -> list[str]:
    names = importlib.metadata.packages_distributions().get(package, [])
    for name in names:
        metadata = importlib.metadata.metadata(name)
        for field in ("License-Expression", "License"):
            if field in metadata and metadata[field].strip():
                return [f"{metadata[field].strip().splitlines()[0]} (the package {name})"]
    return []


def _of_description(uri: str) -> str:
    """The licence that the README of a model's folder declares, if it is here."""
    try:
        readme = resolve_base_model(uri, download=False).folder / "README.md"
        text = readme.read_text(encoding="utf-8")
    except (MeshError, OSError, UnicodeDecodeError):
        return ""
    matter = _FRONT_MATTER.match(text)
    found = _LICENCE.search(matter[1]) if matter else None
    return found[1].strip() if found else ""
