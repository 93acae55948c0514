"""`mesh new`: write a project that runs and passes its own tests."""

import importlib.resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from mesh.cli.discovery import find_projects
from mesh.cli.discovery import source_root
from mesh.core.errors import UsageError
from mesh.core.files import write_text_atomic
from mesh.core.project import Project

SUFFIX = ".tmpl"
PACKAGE_PLACEHOLDER = "__package__"
FIRST_PORT = 8001


def scaffold(name: str, kind: str) -> list[Path]:
    """Write the files of a new project below `src/python` and `tests/python`.

    Args:
        name: lower-case words joined by hyphens.
        kind: `trained` or `code-only`.

    Returns:
        The files written, relative to the repository.

    Raises:
        UsageError: the name is malformed or taken; nothing is written.
    """
    port = 1 + max((project.port for project in find_projects()), default=FIRST_PORT - 1)
    try:
        project = Project(name=name, description="", port=port)
    except ValueError as error:
        raise UsageError(str(error)) from error
    root = source_root().parent.parent
    files = _render(project, kind)
    taken = [
        path
        for path in (root / "src/python" / project.package, root / "tests/python" / project.package)
        if path.exists()
    ]
    if taken:
        raise UsageError(f"{taken[0].relative_to(root)} exists already; choose another name.")
    for path, text in files.items():
        write_text_atomic(root / path, text)
    return list(files)


def _render(project: Project, kind: str) -> dict[Path, str]:
    templates = importlib.resources.files("mesh.cli").joinpath("templates", kind)
    values = {
        "name": project.name,
        "package": project.package,
        "class_name": "".join(word.capitalize() for word in project.name.split("-")),
        "key": project.name.upper(),
        "port": str(project.port),
    }
    return {
        Path(path.replace(PACKAGE_PLACEHOLDER, project.package).removesuffix(SUFFIX)): Template(
            text
        ).substitute(values)
        for path, text in sorted(_walk(templates, ""))
    }


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        found += (
            _walk(entry, f"{path}/")
            if entry.is_dir()
            else [(path, entry.read_text(encoding="utf-8"))]
        )
    return found
