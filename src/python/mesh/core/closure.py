"""The code that decides a result: modules and all their imports, read without importing.

The closure of root modules holds every module of the same source folder that they import, directly
or through others, imports inside functions included. A module that is picked by its name, with
`importlib`, must be a root itself.
"""

import ast
import fnmatch
import functools
import hashlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh.core.errors import MeshError


@dataclass(frozen=True)
class Closure:
    """What root modules consist of.

    Args:
        files: modules, and the data files that they read, by their paths below the source folder.
        imports: top-level names of the packages of others that the modules import.
    """

    files: Mapping[str, Path]
    imports: frozenset[str]

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each file by its path."""
        return {path: _scan(self.files[path]).digest for path in sorted(self.files)}


def find_closure(
    roots: Collection[str],
    excluded: Iterable[str] = (),
    source_root: Path | None = None,
) -> Closure:
    """Follow the imports of modules.

    An `__init__.py` with nothing but a docstring is dropped, and so are imports for type
    checkers only. Top-level packages other than `mesh` and those of the roots belong to others.

    Args:
        excluded: modules, and packages of others, that are not part of it. Whatever only they
            import isn't either. `*` stands for any characters.
        source_root: the folder of all modules; by default, a root that isn't beside `mesh` is where
            Python finds it.

    Raises:
        MeshError: a module isn't there, or can't be parsed.
    """
    return _Search(source_root, roots, tuple(excluded)).run()


def package_versions(imports: Iterable[str]) -> dict[str, str | None]:
    """The installed version of each distribution that provides one of the top-level packages.

    A package that isn't installed counts as a distribution of its own name, without a version.
    """
    return {
        name: version
        for package in sorted(imports)
        for name, version in _distributions(package) or ((package, None),)
    }


class _Search:
    """One walk along imports."""

    def __init__(
        self, source_root: Path | None, modules: Collection[str], excluded: Sequence[str]
    ) -> None:
        self._own = {
            module.partition(".")[0]: source_root or _folder_of(module)
            for module in ("mesh", *modules)
        }
        self._excluded = re.compile("|".join(map(fnmatch.translate, excluded)) or r"\b\B")
        self._found: dict[str, Path | None] = {}
        self._queue = list(modules)
        self._files: dict[str, Path] = {}
        self._imports: set[str] = set()

    def run(self) -> Closure:
        for module in self._queue:
            if self._file(module) is None:
                raise MeshError(f"The module {module!r} can't be found.")
        seen: set[str] = set()
        while self._queue:
            module = self._queue.pop()
            if module in seen or self._is_excluded(module):
                continue
            seen.add(module)
            if file := self._file(module):
                self._read(module, file)
        return Closure(self._files, frozenset(self._imports))

    def _read(self, module: str, file: Path) -> None:
        scanned = _scan(file)
        if scanned.has_code:
            self._add(module, file)
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for level, imported, names in scanned.imports:
            parent = package.split(".")[: len(package.split(".")) + 1 - level] if level else []
            self._follow(".".join(filter(None, (*parent, imported))), names, module)
        for folder, parts in scanned.resources:
            if folder.partition(".")[0] in self._own:
                self._add_resources(folder, self._path(folder).joinpath(*parts))

    def _follow(self, imported: str, names: Sequence[str], module: str) -> None:
        top = imported.partition(".")[0]
        if top not in self._own:
            if top not in sys.stdlib_module_names and not self._is_excluded(top):
                self._imports.add(top)
            return
        if self._file(imported) is None and not self._path(imported).is_dir():
            raise MeshError(f"{module} imports {imported}, which can't be found.")
        parts = imported.split(".")
        self._queue += [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
        self._queue += [f"{imported}.{name}" for name in names]

    def _is_excluded(self, module: str) -> bool:
        return self._excluded.match(module) is not None

    def _path(self, module: str) -> Path:
        return self._own[module.partition(".")[0]].joinpath(*module.split("."))

    def _file(self, module: str) -> Path | None:
        if module not in self._found:
            stem = self._path(module)
            files = (stem / "__init__.py", stem.with_suffix(".py"))
            self._found[module] = next((file for file in files if file.is_file()), None)
        return self._found[module]

    def _add(self, module: str, file: Path) -> None:
        root = self._own[module.partition(".")[0]]
        self._files[file.relative_to(root).as_posix()] = file

    def _add_resources(self, package: str, path: Path) -> None:
        for file in path.rglob("*") if path.is_dir() else (path,):
            if file.is_file() and file.suffix not in (".py", ".pyc"):
                self._add(package, file)


def _folder_of(module: str) -> Path:
    """The folder that holds the top-level package of a module."""
    beside = Path(__file__).parents[2]
    if (beside / module.partition(".")[0]).is_dir():
        return beside
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.has_location:
        raise MeshError(f"The module {module!r} can't be found.")
    file = Path(spec.origin)
    return file.parents[module.count(".") + (file.name == "__init__.py")]


@dataclass(frozen=True)
class _Scanned:
    """What a file says, as far as it is Python.

    Args:
        imports: the level, the module and the names of each import.
        resources: the package and the literal path of each folder or file of data that is read.
    """

    digest: str
    has_code: bool = False
    imports: tuple[tuple[int, str, tuple[str, ...]], ...] = ()
    resources: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _scan(file: Path) -> _Scanned:
    try:
        state = file.stat()
    except OSError as error:
        raise MeshError(f"{file} can't be read: {error.strerror}.") from error
    return _scan_once(file, state.st_mtime_ns, state.st_size)


@functools.cache
def _scan_once(file: Path, _changed: int, _size: int) -> _Scanned:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if file.suffix != ".py":
        return _Scanned(digest)
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError) as error:
        raise MeshError(f"{file} can't be parsed: {error}.") from error
    body = tree.body[1:] if ast.get_docstring(tree, clean=False) is not None else tree.body
    return _Scanned(
        digest, bool(body), tuple(_imports_in(tree)), tuple(dict.fromkeys(_resources_in(tree)))
    )


def _imports_in(node: ast.AST) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((0, alias.name, ()) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.level, child.module or "", tuple(alias.name for alias in child.names)
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.orelse:
                yield from _imports_in(ast.Module([statement], []))
        else:
            yield from _imports_in(child)


def _is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _resources_in(node: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    if found := _resource(node):
        yield found
        return
    for child in ast.iter_child_nodes(node):
        yield from _resources_in(child)


def _resource(node: ast.AST) -> tuple[str, tuple[str, ...]] | None:
    """The package and path of `files("package") / "path"`, or `.joinpath("path")`, up to the first
    part that varies.
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        inner, added = _resource(node.left), [node.right]
    elif isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name == "files" and node.args and isinstance(node.args[0], ast.Constant):
            return str(node.args[0].value), ()
        if name != "joinpath" or not isinstance(node.func, ast.Attribute):
            return None
        inner, added = _resource(node.func.value), node.args
    else:
        return None
    if inner is None:
        return None
    package, parts = inner
    for part in added:
        if not isinstance(part, ast.Constant):
            break
        parts = (*parts, str(part.value))
    return package, parts


@functools.cache
def _distributions(package: str) -> tuple[tuple[str, str], ...]:
    """Names and versions of the distributions that provide a top-level package.

    `importlib.metadata.packages_distributions` says the same of all packages, and takes a second.
    """
    try:
        candidates = [importlib.metadata.distribution(package)]
    except importlib.metadata.PackageNotFoundError:
        candidates = []
    found = [one for one in candidates if _provides(one, package)] or [
        one for one in importlib.metadata.distributions() if _provides(one, package)
    ]
    return tuple(sorted({one.metadata["Name"]: one.version for one in found}.items()))


def _provides(distribution: importlib.metadata.Distribution, package: str) -> bool:
    listed = "\n" + (distribution.read_text("RECORD") or "")
    if f"\n{package}/" in listed or f"\n{package}." in listed:
        return True
    return package in (distribution.read_text("top_level.txt") or "").split()
