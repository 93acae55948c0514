"""Tests of a component run inside its image, which carries what its programs import, no more."""

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.core.closure import Closure, find_closure

TESTS = Path("tests/python").resolve()
SOURCES = Path("src/python").resolve()
KINDS = ("unit", "integration", "functional")
COMPONENTS = sorted(
    {
        (kind.parents[1].name, kind.parent.name)
        for kind in TESTS.glob("*/*/*/")
        if kind.name in KINDS and (SOURCES / kind.parents[1].name / "project.py").is_file()
    }
)


WITH_RECIPE = sorted(path.parent.name for path in SOURCES.glob("*/recipe.py"))


def named_by_build(project: str, component: str) -> set[str]:
    """The modules that a component's BUILD file adds to its steps."""
    tree = ast.parse((SOURCES / project / component / "BUILD").read_text())
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {
        text.removeprefix("src/python/").removesuffix(".py").replace("/", ".")
        for text in texts
        if isinstance(text, str) and text.startswith("src/python/")
    }


def image_of(project: str, component: str) -> Closure:
    """What is in the image, as `component` of the macros for BUILD files puts it there."""
    macros = runpy.run_path("build-support/macros/components.py")
    [steps] = [image[2] for image in macros["_IMAGES"] if image[0] == component]
    roots = {"mesh.core.start", *named_by_build(project, component)}
    for step, module, declaration in macros["_STEPS"]:
        if step in steps:
            roots.add(module.removeprefix("src/python/").removesuffix(".py").replace("/", "."))
            name = declaration.partition(":")[0].removesuffix(".py").replace("/", ".")
            roots.add(f"{project}.{name}")
    here = {root for root in roots if (SOURCES / f"{root.replace('.', '/')}.py").is_file()}
    return find_closure(here)


def carried(project: str, component: str) -> set[str]:
    """The modules in the image."""
    files = image_of(project, component).files
    return {path.removesuffix(".py").replace("/", ".") for path in files}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_module(name: str) -> str | None:
    """The module of this repository that an import needs, if it is one."""
    for parts in (name.split("."), name.split(".")[:-1]):
        for root in (SOURCES, TESTS):
            if parts and (root.joinpath(*parts).with_suffix(".py")).is_file():
                return ".".join(parts)
    return None


@pytest.mark.parametrize(("project", "component"), COMPONENTS)
def test_tests_of_a_component_import_only_what_its_image_carries(
    project: str, component: str
) -> None:
    needed = {
        module
        for path in (TESTS / project / component).rglob("*.py")
        if path.relative_to(TESTS / project / component).parts[0] in KINDS
        for name in imported(path)
        if (module := own_module(name))
    }
    assert needed - carried(project, component) == set()


def test_an_image_carries_only_modules_of_its_steps() -> None:
    assert ("ner", "ingest") in COMPONENTS
    modules = carried("ner", "ingest")
    assert {"ner.dataset", "mesh.lifecycle.ingest"} <= modules
    assert "mesh.nlp.tagger_text" not in modules


@pytest.mark.parametrize("project", WITH_RECIPE)
def test_only_what_is_trained_on_rows_is_compiled_with_packages_that_read_them(
    project: str,
) -> None:
    has_rows = (SOURCES / project / "dataset.py").is_file()
    assert has_rows == ("mesh.lifecycle.quantized_scores" in carried(project, "compile"))
    packages = {"fsspec", "pyarrow", "seqeval"}
    found = image_of(project, "compile").imports & packages
    assert found == (packages if has_rows else set())
