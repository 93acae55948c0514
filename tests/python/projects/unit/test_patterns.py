"""Regular expressions that every Python that the code may meet reads in the same way."""

import ast
import re
from pathlib import Path

import pytest

from mesh.core.program import component_folder

SOURCES = component_folder("mesh").parent
# Python's own `re` before 3.11.4 misses matches of possessive quantifiers and atomic groups.
POSSESSIVE = re.compile(r"(?<!\\)(?:[])*+?}]|[^\\[({|])[*+?}]\+|\(\?>")


def own_patterns(path: Path) -> list[str]:
    """The constant parts of all patterns that a module gives to Python's own `re`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [
        constant.value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "re"
        for argument in call.args[:1]
        for constant in ast.walk(argument)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    ]


def without_sets(pattern: str) -> str:
    """A pattern with each set of characters as a letter."""
    return re.sub(r"\[\^?\]?(?:\\.|[^\]\\])*\]", "x", re.sub(r"\\[^\[]", "x", pattern))


def test_the_folder_holds_the_sources() -> None:
    assert (SOURCES / "mesh/nlp/html.py").is_file()


@pytest.mark.parametrize("pattern", [r"a++", r"[ab]*+", r"(?:x)?+", r"a{1,2}+", r"(?>a)"])
def test_possessive_patterns_are_recognised(pattern: str) -> None:
    assert POSSESSIVE.search(without_sets(pattern))


@pytest.mark.parametrize("pattern", [r"a+", r"\++", r"[*+]+", r"c\+\+", r"a*b+"])
def test_others_are_not(pattern: str) -> None:
    assert not POSSESSIVE.search(without_sets(pattern))


def test_possessive_patterns_are_those_of_the_package_regex() -> None:
    found = {
        f"{path.relative_to(SOURCES)}: {pattern}"
        for path in SOURCES.rglob("*.py")
        for pattern in own_patterns(path)
        if POSSESSIVE.search(without_sets(pattern))
    }
    assert found == set()
