"""Which projects' models a change makes anew: those of which an input of a fingerprint differs.

The code that makes fingerprints finds their files: the imports of the modules that decide.
"""

import hashlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh.core.closure import Closure, find_closure
from mesh.core.errors import MeshError
from mesh.core.roots import (
    COMPILER_PACKAGES,
    DEFAULT_BACKEND,
    NOT_COMPILING,
    NOT_DECIDING,
    NOT_TRAINING,
    OPENS_BY_NAME,
    PREDICTING,
    TRAINER_PACKAGES,
    TRAINING,
    adding,
    compiling,
    loading,
)
from planning.changes import Change
from planning.graph import REQUIREMENT, Graph

PACKAGE_ROOT = Path("src/python")

STEPS = {"train": "train:train", "compile": "compile:download"}
"""The step to start from, by the component of which an input differs."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;\\]+)", re.MULTILINE)
_PACKAGE = re.compile(r"package://([A-Za-z_]\w*)")
_SETTING = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=")

Inputs = dict[str, str]
"""The digest or version of each input by its description: of a file, its path."""


@dataclass(frozen=True)
class ModelItem:
    """A project whose model is to be made again, from a step on."""

    project: str
    first: str
    changes: tuple[Change, ...] = ()
    inputs: tuple[str, ...] = ()


def find_projects(root: Path) -> list[str]:
    """The packages with a recipe, whose models the registry holds."""
    return sorted(path.parent.name for path in (root / PACKAGE_ROOT).glob("*/recipe.py"))


def find_models(base: Path, head: Path, changes: Iterable[Change], graph: Graph) -> list[ModelItem]:
    """The models of `head` that differ from those of `base`.

    Args:
        base: a folder with the repository's files.
        head: another one.
        graph: the targets of `head`, which tell the packages that files use.
    """
    changed = {change.file: change for change in changes}
    found = []
    for project in find_projects(head):
        for component, first in STEPS.items():
            before, after = (model_inputs(root, project, component, graph) for root in (base, head))
            differing = sorted(
                name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
            )
            if not differing:
                continue
            files = {name.partition(":")[0] for name in differing} & changed.keys()
            causes = tuple(changed[file] for file in sorted(files))
            found.append(ModelItem(project, first, causes, tuple(differing)))
            # What follows is made again anyway.
            break
    return found


def model_inputs(root: Path, project: str, component: str, graph: Graph) -> Inputs:
    """The inputs of a component's result; empty where the code can't be read."""
    settings = _settings(root, project, component)
    try:
        files, packages = _code(root, project, component, _backends(settings))
    except MeshError:
        return {}
    inputs = {f"{PACKAGE_ROOT}/{path}": digest for path, digest in files.items()}
    if component == "train":
        samples = PACKAGE_ROOT / project / "train/samples.json"
        inputs[str(samples)] = _digest(root / samples)
    packages |= {match for text in settings.values() for match in _PACKAGE.findall(text)}
    packages |= _requirements(graph, {*inputs}, f"{PACKAGE_ROOT}/{project}/{component}:")
    return {**inputs, **settings, **_versions(root, packages)}


def _code(
    root: Path, project: str, component: str, backends: Iterable[str]
) -> tuple[Inputs, set[str]]:
    """The files that decide, and the packages that they use without an import that can be seen.

    Raises:
        MeshError: a module isn't there, or can't be parsed.
    """
    sources = root / PACKAGE_ROOT
    recipe = (f"{project}.recipe", *PREDICTING)
    if component == "train":
        trained = (sources / project / "dataset.py").is_file()
        roots = (*recipe, *(TRAINING if trained else ()))
        closure = find_closure(roots, (*NOT_DECIDING, *NOT_TRAINING), sources)
        return closure.digests(), set(TRAINER_PACKAGES) if trained else set()
    files: Inputs = {}
    packages: set[str] = set()
    imported = find_closure(recipe, NOT_DECIDING, sources).files
    added = [name for name in adding(project) if f"{name.replace('.', '/')}.py" in imported]
    for backend in backends:
        network = find_closure(compiling(backend), (*NOT_DECIDING, *NOT_COMPILING), sources)
        files |= network.digests() | _added(added, backend, sources).digests()
        packages |= set(COMPILER_PACKAGES.get(backend, ()))
    return files, packages


def _added(modules: list[str], backend: str, sources: Path) -> Closure:
    closure = find_closure(modules, NOT_DECIDING, sources)
    if OPENS_BY_NAME in closure.files:
        closure = find_closure((*modules, loading(backend)), NOT_DECIDING, sources)
    return closure


def _backends(settings: Inputs) -> set[str]:
    named = {
        value.strip("'\"") for name, value in settings.items() if name.endswith(":COMPILE_BACKEND")
    }
    return named or {DEFAULT_BACKEND}


def _settings(root: Path, project: str, component: str) -> Inputs:
    """The component's own settings in its env files.

    Comments and general settings determine nothing.
    """
    found = {}
    folder = PACKAGE_ROOT / project / component / "config"
    for path in sorted((root / folder).glob("*.env")):
        for line in path.read_text(encoding="utf-8").splitlines():
            match = _SETTING.match(line.strip())
            if match and match[1].startswith(f"{component.upper()}_"):
                found[f"{folder / path.name}:{match[1]}"] = line.strip().partition("=")[2].strip()
    return found


def _requirements(graph: Graph, files: set[str], programs: str) -> set[str]:
    """The packages that targets with one of the files use, or a component's programs name."""
    return {
        dependency.partition("#")[2].partition("@")[0]
        for target in graph.targets.values()
        if target.sources & files or target.address.startswith(programs)
        for dependency in target.dependencies
        if (found := graph.targets.get(dependency)) and found.type == REQUIREMENT
    }


def _versions(root: Path, packages: Iterable[str]) -> Inputs:
    """The pinned versions of distributions in the lock of the models; absent ones are left out.

    Platforms may differ in the version, and each is then a part of it.
    """
    python = tomllib.loads((root / "pants.toml").read_text(encoding="utf-8"))["python"]
    path = python["resolves"][python["default_resolve"]]
    pins = _PIN.findall((root / path).read_text(encoding="utf-8"))
    versions: Mapping[str, list[str]] = defaultdict(list)
    for name, version in pins:
        versions[_normalized(name)].append(version)
    wanted = {_normalized(name) for name in packages}
    return {f"{path}:{name}": " ".join(versions[name]) for name in sorted(wanted & versions.keys())}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "absent"
