"""`mesh new`: write a project that runs and passes its own tests."""

import importlib.resources
import importlib.util
import itertools
import keyword
import re
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from mesh.core.errors import UsageError
from mesh.core.files import write_text_atomic
from mesh.core.project import Project, find_projects, source_root

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
        UsageError: the name is malformed or taken, so nothing is written.
    """
    port = 1 + max((project.port for project in find_projects()), default=FIRST_PORT - 1)
    try:
        project = Project(name=name, description="", port=port)
    except ValueError as error:
        raise UsageError(str(error)) from error
    root = source_root().parent.parent
    for folder in ("src/python", "tests/python"):
        if (root / folder / project.package).exists():
            raise UsageError(f"{folder}/{project.package} already exists; choose another name.")
    if _is_module(project.package, root):
        raise UsageError(f"{name!r} is already the name of a Python module; choose another.")
    files = _render(project, kind)
    for path, text in files.items():
        write_text_atomic(root / path, text)
    return list(files)


def _is_module(package: str, root: Path) -> bool:
    """Whether a package would hide a module of Python, of this repository, or of any resolve.

    Modules of other resolves aren't installed here, but distributions mostly have their names.
    """
    if keyword.iskeyword(package) or importlib.util.find_spec(package):
        return True
    if package in _locked(root):
        return True
    # Pants treats these folders as source roots.
    folders = (root, root / "tests/python", root / "build-support", *root.glob("build-support/*/"))
    return any(
        (folder / f"{package}.py").exists() or any((folder / package).glob("*.py"))
        for folder in folders
    )


def _locked(root: Path) -> set[str]:
    """The names of all locked distributions, and their first words, spelled like modules."""
    names = set()
    for lock in root.glob("3rdparty/python/*.lock"):
        for name in re.findall(r"^([\w.-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE):
            module = re.sub(r"[-.]", "_", name.lower())
            # Namespace packages: google-auth is the module google.auth.
            names |= {module, module.partition("_")[0]}
    return names


def _render(project: Project, kind: str) -> dict[Path, str]:
    templates = importlib.resources.files("mesh.cli").joinpath("templates", kind)
    values = {
        "name": project.name,
        "package": project.package,
        "class_name": "".join(word.capitalize() for word in project.name.split("-")),
        "key": project.name.upper(),
        "port": str(project.port),
    }
    files = {}
    for path, text in sorted(_walk(templates, "")):
        name = path.replace(PACKAGE_PLACEHOLDER, project.package).removesuffix(SUFFIX)
        files[Path(name)] = _sort_imports(Template(text).substitute(values))
    return files


def _sort_imports(text: str) -> str:
    """Sort each block of imports, since a project's name decides if it comes before `mesh`."""
    lines = text.splitlines(keepends=True)
    sorted_lines: list[str] = []
    for is_import, group in itertools.groupby(lines, lambda line: line.startswith("from ")):
        block = list(group)
        sorted_lines += sorted(block) if is_import else block
    return "".join(sorted_lines)


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
