"""Projects found in the source tree."""

import difflib
from pathlib import Path

import mesh
from mesh.core.errors import UsageError
from mesh.core.project import Project
from mesh.core.steps import load_project


def source_root() -> Path:
    """The folder that holds the package `mesh` and, beside it, one package for each project."""
    (package,) = mesh.__path__
    return Path(package).parent


def find_projects() -> list[Project]:
    """Every project beside the libraries, by name: each package with a `project.py` that declares `PROJECT`.

    Raises:
        MeshError: a `project.py` declares none.
    """
    return sorted(map(load_project, _packages()), key=lambda project: project.name)


def get_project(name: str) -> Project:
    """Find one project.

    Raises:
        UsageError: there is none of that name.
        MeshError: its `project.py` declares none.
    """
    names = [package.replace("_", "-") for package in _packages()]
    if name in names:
        return load_project(name.replace("-", "_"))
    close = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}."
    raise UsageError(f"There is no project {name!r}; {hint}")


def _packages() -> list[str]:
    return sorted(path.parent.name for path in source_root().glob("*/project.py"))
