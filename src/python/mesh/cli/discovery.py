"""Projects found in the source tree."""

import difflib
import importlib
from pathlib import Path

import mesh
from mesh.core.errors import UsageError
from mesh.core.project import Project


def source_root() -> Path:
    """The folder that holds the package `mesh` and, beside it, one package for each project."""
    (package,) = mesh.__path__
    return Path(package).parent


def find_projects() -> list[Project]:
    """Every project beside the libraries, by name: each package with a `project.py` that declares `PROJECT`."""
    packages = [path.parent.name for path in source_root().glob("*/project.py")]
    projects = [importlib.import_module(f"{package}.project").PROJECT for package in packages]
    return sorted(projects, key=lambda project: project.name)


def get_project(name: str) -> Project:
    """Find one project.

    Raises:
        UsageError: there is none of that name.
    """
    projects = {project.name: project for project in find_projects()}
    if name in projects:
        return projects[name]
    close = difflib.get_close_matches(name, projects, 1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(projects) or 'none'}."
    raise UsageError(f"There is no project {name!r}; {hint}")
