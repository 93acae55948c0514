"""Which projects' models a change makes anew: those of which an input of a fingerprint differs.

What the inputs are is read from the code that computes the fingerprints: from a project's program `train:train` or
`compile:trace`, its imports lead to the modules with the constants `...CODE` (modules) and `...PACKAGES`
(distributions), and to the fields of the project's `Recipe` that are given to `code_digest` and `package_versions`.
"""

import hashlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from planning.changes import Change
from planning.declarations import PACKAGE_ROOT, Module

STEPS = {"train": "train:train", "compile": "compile:trace"}
"""The program of each component whose result carries a fingerprint."""

FIRST = {"train": "train:train", "compile": "compile:download"}
"""The step to start from."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;\\]+)", re.MULTILINE)
_PACKAGE = re.compile(r"package://([A-Za-z_]\w*)")
_SETTING = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=")

Inputs = dict[str, str]
"""The digest or version of each input by its description; those of files are named by their paths."""


@dataclass(frozen=True)
class ModelItem:
    """A project whose model is to be made again, from a step on."""

    project: str
    first: str
    changes: tuple[Change, ...] = ()
    inputs: tuple[str, ...] = ()


@dataclass
class _Code:
    """What a program's fingerprint is made of, as far as the code says so."""

    modules: set[str] = field(default_factory=set)
    packages: dict[str, set[str]] = field(default_factory=dict)
    recipe_modules: set[str] = field(default_factory=set)
    recipe_packages: set[str] = field(default_factory=set)


def find_projects(root: Path) -> list[str]:
    """The packages with a recipe, whose models the registry holds."""
    return sorted(path.parent.name for path in (root / PACKAGE_ROOT).glob("*/recipe.py"))


def find_models(base: Path, head: Path, changes: Iterable[Change]) -> list[ModelItem]:
    """The models of `head` that differ from those of `base`, both folders with the repository's files."""
    changed = {change.file: change for change in changes}
    found = []
    for project in find_projects(head):
        for component in STEPS:
            before, after = (model_inputs(root, project, component) for root in (base, head))
            differing = sorted(
                name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
            )
            if not differing:
                continue
            files = {name.partition(":")[0] for name in differing} & changed.keys()
            causes = tuple(changed[file] for file in sorted(files))
            found.append(ModelItem(project, FIRST[component], causes, tuple(differing)))
            # What follows is made again anyway.
            break
    return found


def model_inputs(root: Path, project: str, component: str) -> Inputs:
    """What the fingerprint of a component's result is made of; empty if the project has no such component."""
    program = Module(root, f"{project}.{STEPS[component].replace(':', '.')}")
    if not program.exists:
        return {}
    code = _fingerprint_code(program)
    recipe = Module(root, f"{project}.recipe")
    declared = recipe.call("Recipe")
    inputs: Inputs = {}
    code.modules.add(recipe.name)
    fields = code.recipe_modules | code.recipe_packages
    if declared is None or any(declared.get(name, ()) is None for name in fields):
        # It can't be told which modules count, so all do.
        code.modules.add(project)
    declared = declared or {}
    code.modules.update(*(declared.get(name) or () for name in code.recipe_modules))
    for name in sorted(code.modules):
        for path in Module(root, name).files:
            inputs[str(path)] = _digest(root / path)
    if component == "train" and isinstance(declared.get("samples"), str):
        package, _, file = declared["samples"].partition(":")
        samples = PACKAGE_ROOT.joinpath(*package.split("."), file)
        inputs[str(samples)] = _digest(root / samples)
    settings = _settings(root, project, component)
    inputs.update(settings)
    packages = _chosen(code.packages, settings)
    packages.update(*(declared.get(name) or () for name in code.recipe_packages))
    packages |= {match for text in settings.values() for match in _PACKAGE.findall(text)}
    inputs.update(_versions(root, packages))
    return inputs


def _fingerprint_code(program: Module) -> _Code:
    """Follow the imports of fingerprints and digests from a program to the modules that compute them."""
    found = _Code()
    imported = {name for name, _ in program.imports if name.startswith("mesh.")}
    queue = [name for name in sorted(imported) if _computing(Module(program.root, name))]
    while queue:
        module = Module(program.root, queue.pop())
        if module.name in found.modules:
            continue
        found.modules.add(module.name)
        found.recipe_modules |= module.attributes_given_to("code_digest", "recipe")
        found.recipe_packages |= module.attributes_given_to("package_versions", "recipe")
        for names in module.constants("CODE"):
            found.modules.update(names)
        for packages in module.constants("PACKAGES"):
            by_choice = packages if isinstance(packages, Mapping) else {"": packages}
            for choice, distributions in by_choice.items():
                found.packages.setdefault(choice, set()).update(distributions)
        queue += _computing(module)
    return found


def _computing(module: Module) -> list[str]:
    """The modules from which a module imports how to compute a fingerprint."""
    return [name for name, what in module.imports if re.search("fingerprint|digest", what)]


def _settings(root: Path, project: str, component: str) -> Inputs:
    """The component's own settings in its configuration files; comments and general settings determine nothing."""
    found = {}
    folder = PACKAGE_ROOT / project / component / "config"
    for path in sorted((root / folder).glob("*.env")):
        for line in path.read_text(encoding="utf-8").splitlines():
            match = _SETTING.match(line.strip())
            if match and match[1].startswith(f"{component.upper()}_"):
                found[f"{folder / path.name}:{match[1]}"] = line.strip().partition("=")[2].strip()
    return found


def _chosen(packages: Mapping[str, set[str]], settings: Inputs) -> set[str]:
    """Packages of all choices, or of those that the settings name."""
    named = {value.strip("'\"") for value in settings.values()} & packages.keys()
    wanted = named | {""} if named else packages.keys()
    return {name for choice in wanted for name in packages.get(choice, ())}


def _versions(root: Path, packages: Iterable[str]) -> Inputs:
    """The pinned versions of distributions in the lock of the models; absent ones are left out.

    Platforms may differ in the version, and each is then a part of it.
    """
    python = tomllib.loads((root / "pants.toml").read_text(encoding="utf-8"))["python"]
    path = python["resolves"][python["default_resolve"]]
    pins = _PIN.findall((root / path).read_text(encoding="utf-8"))
    versions: dict[str, list[str]] = defaultdict(list)
    for name, version in pins:
        versions[_normalized(name)].append(version)
    wanted = {_normalized(name) for name in packages}
    return {f"{path}:{name}": " ".join(versions[name]) for name in sorted(wanted & versions.keys())}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "absent"
