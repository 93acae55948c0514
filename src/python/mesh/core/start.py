"""The entry point of all programs: `python -m mesh.core.start keywords.compile trace`.

Images and `./pants run src/python/keywords/compile:trace` start it.
"""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mesh.core.errors import MeshError, UsageError
from mesh.core.process import run_and_exit, without_garbage_collection

if TYPE_CHECKING:
    from mesh.core.program import Program

USAGE = "usage: python -m mesh.core.start PACKAGE.COMPONENT PROGRAM [FLAGS]"


def main(arguments: Sequence[str]) -> int:
    """Run a program of a component with flags; return its exit code, 2 if there is no such program.

    Args:
        arguments: the component's package (`keywords.compile`), the program (`trace`, or
            `serve:download` of another component), and the program's flags.
    """
    if not arguments or arguments[0] in ("-h", "--help") or "." not in arguments[0]:
        print(USAGE)
        return 0 if arguments and arguments[0].startswith("-") else 2
    try:
        component, *rest = arguments
        with without_garbage_collection():
            _set_secrets()
            program = _find(component, rest[0] if rest else "")
        return program.main(rest[1:])
    except MeshError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


# What follows imports most of a program, so not before garbage collection is off.


def _set_secrets() -> None:
    from mesh.core.secrets import set_managed_secrets

    set_managed_secrets()


def _find(component: str, name: str) -> "Program":
    from mesh.core.project import load_project
    from mesh.core.steps import find_program, is_here, steps_of

    package, _, own = component.rpartition(".")
    if importlib.util.find_spec(package) is None:
        raise UsageError(f"There is no package {package!r}.")
    if importlib.util.find_spec(f"{package}.project") is None:
        return _find_in_library(component, name)
    project = load_project(package)
    step = name if ":" in name else f"{own}:{name}"
    here = [step for step in steps_of(project) if is_here(project, step)]
    if step not in here:
        raise UsageError(f"There is no program {name!r} here; there are: {_names(here, own)}.")
    return find_program(project, step)


def _find_in_library(component: str, name: str) -> "Program":
    """A program that belongs to no project, such as the registry's server: `main` of its module."""
    from mesh.core.program import Program

    found = {}
    for module in pkgutil.iter_modules(importlib.import_module(component).__path__):
        program = getattr(importlib.import_module(f"{component}.{module.name}"), "main", None)
        if isinstance(program, Program):
            found[program.name] = program
    if name not in found:
        raise UsageError(f"There is no program {name!r} here; there are: {', '.join(found)}.")
    return found[name]


def _names(steps: Sequence[str], component: str) -> str:
    return ", ".join(sorted(step.removeprefix(f"{component}:") for step in steps))


if __name__ == "__main__":
    run_and_exit(lambda: main(sys.argv[1:]))
