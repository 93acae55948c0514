"""Refuse modules that import each other, directly or through others.

Imports inside functions count too; imports for type checkers alone (`if TYPE_CHECKING:`) don't.
Every cycle is printed as a sentence. The exit code is 1 if there is one.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# A module's name is its path below the innermost of these, as in pants.toml.
ROOTS = (
    "src/python",
    "build-support",
    "build-support/bootstrap",
    "build-support/ci",
    "build-support/docker",
    "build-support/pants_plugins",
)

Imports = Mapping[str, Mapping[str, str]]
"""By module: the modules that it imports, each with the file and line of the import."""


def read_imports(repository: Path) -> Imports:
    """The imports between all modules below the source roots."""
    files = {}
    for root in sorted(ROOTS, key=len):
        for path in (repository / root).rglob("*.py"):
            files[path] = path.relative_to(repository / root).with_suffix("").parts
    parts = {
        path: names[:-1] if names[-1] == "__init__" else names for path, names in files.items()
    }
    modules = {".".join(names) for names in parts.values()}
    return {
        ".".join(names): {
            found: f"{path.relative_to(repository)}:{line}"
            for name, line in _imported(path, names)
            if (found := _module(name, modules)) and found != ".".join(names)
        }
        for path, names in parts.items()
    }


def find_cycles(imports: Imports) -> list[list[str]]:
    """The shortest cycle of each module that is in one, unless it is in one found before."""
    cycles: list[list[str]] = []
    for module in sorted(imports):
        if not any(module in cycle for cycle in cycles) and (cycle := _way_back(module, imports)):
            cycles.append(cycle)
    return cycles


def describe(cycle: list[str], imports: Imports) -> str:
    """A cycle as a sentence, with the place of each import."""
    pairs = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
    steps = [f"{imported} ({imports[module][imported]})" for module, imported in pairs]
    return f"{cycle[0]} imports {', which imports '.join(steps)}."


def _imported(path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The full names of a file's imports, with their lines."""
    package = names if path.name == "__init__.py" else names[:-1]
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            start = [*above, *([node.module] if node.module else [])]
            yield from ((".".join([*start, alias.name]), node.lineno) for alias in node.names)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers see."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield from _nodes(other)
        else:
            yield from _nodes(node)


def _module(name: str, modules: set[str]) -> str | None:
    """The module of an imported name: itself, or the module that holds it."""
    if name in modules:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in modules else None


def _way_back(module: str, imports: Imports) -> list[str] | None:
    """The shortest cycle through a module."""
    ways = [[module]]
    seen = set()
    for way in ways:
        for imported in sorted(imports[way[-1]]):
            if imported == module:
                return way
            if imported not in seen:
                seen.add(imported)
                ways.append([*way, imported])
    return None


def main() -> int:
    """Check this repository."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    imports = read_imports(REPOSITORY)
    cycles = find_cycles(imports)
    for cycle in cycles:
        print(describe(cycle, imports))
    if not cycles:
        print(f"{len(imports)} modules, no import cycle")
    return 1 if cycles else 0


if __name__ == "__main__":
    sys.exit(main())
