"""What Python files say at their top level, read without running them."""

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

PACKAGE_ROOT = Path("src/python")


class Module:
    """The source of one module in a folder that holds the repository's files."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        stem = PACKAGE_ROOT.joinpath(*name.split("."))
        is_package = (root / stem).is_dir()
        self.path = stem / "__init__.py" if is_package else stem.with_suffix(".py")
        self.is_package = is_package

    @property
    def exists(self) -> bool:
        """Whether there is such a module."""
        return (self.root / self.path).is_file()

    @property
    def files(self) -> list[Path]:
        """The module's file, or for a package all modules below it; what `mesh.core.digest.code_digest` reads."""
        if not self.is_package:
            return [self.path] if self.exists else []
        below = (self.root / self.path.parent).rglob("*.py")
        return sorted(file.relative_to(self.root) for file in below)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; empty where the file can't be parsed, as other checks will say."""
        try:
            return ast.parse((self.root / self.path).read_bytes())
        except (OSError, SyntaxError, ValueError):
            return ast.Module([], [])

    @property
    def imports(self) -> Iterator[tuple[str, str]]:
        """Module and name of every `from MODULE import NAME`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from ((node.module, alias.name) for alias in node.names)

    def constants(self, suffix: str) -> Iterator[Any]:
        """The values of the module's literal constants whose names end in a word, such as `CODE`."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            else:
                continue
            if node.value and any(name.split("_")[-1] == suffix for name in names):
                try:
                    yield ast.literal_eval(node.value)
                except ValueError:
                    continue

    def call(self, function: str) -> dict[str, Any] | None:
        """The arguments of the one call of a function, by keyword; None for those that are no literals.

        None if there is no such call.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == function:
                return {word.arg: _literal(word.value) for word in node.keywords if word.arg}
        return None

    def attributes_given_to(self, function: str, name: str) -> set[str]:
        """The attributes of a variable that appear in the arguments of calls of a function."""
        return {
            node.attr
            for call in ast.walk(self.tree)
            if isinstance(call, ast.Call) and getattr(call.func, "id", None) == function
            for node in ast.walk(call)
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == name
        }


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
