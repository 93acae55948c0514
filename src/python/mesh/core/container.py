"""The entry point of components' images: `docker run keywords-compile trace` runs `keywords.compile.trace`."""

import importlib
import pkgutil
import sys
from collections.abc import Sequence

from mesh.core.errors import MeshError, UsageError
from mesh.core.process import run_and_exit
from mesh.core.program import Program
from mesh.core.secrets import set_managed_secrets


def main(arguments: Sequence[str]) -> int:
    """Run a program of a component with flags; return its exit code, 2 if there is no such program.

    Args:
        arguments: the component's package (`keywords.compile`), the program (`trace`, or `serve:download` of another
            component that the image carries), and the program's flags.
    """
    try:
        component, *rest = arguments
        set_managed_secrets()
        return _find(component, rest[0] if rest else "").main(rest[1:])
    except MeshError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _find(component: str, name: str) -> Program:
    package, _, own = component.rpartition(".")
    other, _, program = name.rpartition(":")
    module = f"{package}.{other or own}.{program.replace('-', '_')}"
    if module not in _modules(package):
        raise UsageError(
            f"There is no program {name!r} here; there are: {_programs(package, own)}."
        )
    found = getattr(importlib.import_module(module), "main", None)
    if not isinstance(found, Program):
        raise UsageError(f"{name!r} is no program; there are: {_programs(package, own)}.")
    return found


def _modules(package: str) -> list[str]:
    """The modules of a project's components, without importing them."""
    path = importlib.import_module(package).__path__
    return [
        f"{package}.{component.name}.{module.name}"
        for component in pkgutil.iter_modules(path)
        if component.ispkg
        for module in pkgutil.iter_modules([f"{folder}/{component.name}" for folder in path])
    ]


def _programs(package: str, own: str) -> str:
    names = []
    for module in _modules(package):
        component, _, program = module.removeprefix(f"{package}.").partition(".")
        if isinstance(getattr(importlib.import_module(module), "main", None), Program):
            prefix = "" if component == own else f"{component}:"
            names.append(prefix + program.replace("_", "-"))
    return ", ".join(sorted(names))


if __name__ == "__main__":
    run_and_exit(lambda: main(sys.argv[1:]))
