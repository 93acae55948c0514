"""The declaration of a project, from which all its names follow, and all projects."""

import difflib
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import mesh
from mesh.core.errors import MeshError, UsageError

DATA_STEPS = ("ingest:ingest", "register:register")
TRAINED_STEPS = (
    "train:train",
    "compile:download",
    "compile:trace",
    "compile:validate",
    "compile:upload",
    "serve:download",
    "serve:serve",
    "serve:load",
    "serve:upload-results",
)
CODE_ONLY_STEPS = ("serve:serve", "serve:load", "serve:upload-results")

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Project:
    """One project of the mesh.

    Args:
        name: lower-case words joined by hyphens; part of the names of the package, models, images
            and URLs.
        description: one sentence.
        port: TCP port that the project's server listens on by default.
        kind: `trained` when the registry holds its models, `code-only` when the code is the model.
        steps: the programs of its life cycle in order, as `component:program`; those after
            `serve:serve` need the running server.
        modules: by step, the module that does it, where that isn't the one of `mesh.core.steps`.
    """

    name: str
    description: str
    port: int
    kind: Literal["trained", "code-only"] = "trained"
    steps: tuple[str, ...] = TRAINED_STEPS
    modules: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} is not a project name: use lower-case words joined by hyphens."
            )

    @property
    def package(self) -> str:
        """The Python package, such as `entity_fishing`."""
        return self.name.replace("-", "_")

    @property
    def trained_model(self) -> str:
        """The registered name of trained versions, such as `KEYWORDS-TRAINED`."""
        return f"{self.name.upper()}-TRAINED"

    @property
    def compiled_model(self) -> str:
        """The registered name of compiled versions, such as `KEYWORDS-COMPILED`."""
        return f"{self.name.upper()}-COMPILED"

    @property
    def samples(self) -> str:
        """The project's sample documents, a JSON list of texts, as `package:file`."""
        component = "train" if self.kind == "trained" else "serve"
        return f"{self.package}.{component}:samples.json"


def source_root() -> Path:
    """The folder that holds the package `mesh` and, beside it, one package for each project."""
    (package,) = mesh.__path__
    return Path(package).parent


def find_projects() -> list[Project]:
    """All projects, sorted by name: packages with a `project.py` that declares `PROJECT`.

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


def load_project(package: str) -> Project:
    """The declaration of a project.

    Args:
        package: such as `entity_fishing`.

    Raises:
        MeshError: its `project.py` declares no such project.
    """
    try:
        project = importlib.import_module(f"{package}.project").PROJECT
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise MeshError(f"{package}/project.py declares no PROJECT: {error}.") from error
    if not isinstance(project, Project) or project.package != package:
        raise MeshError(
            f"{package}/project.py must declare a Project whose package is {package!r}."
        )
    return project
