"""What expressions of Prometheus refer to, by the files of `docker/observe`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

FOLDER = Path("docker/observe")
RULES = FOLDER / "rules.yaml"
DASHBOARD = FOLDER / "dashboard.json"

_NOT_NAMES = re.compile(
    r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)'
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])")
_SELECTOR = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)\{(?P<matchers>[^}]*)\}")
_MATCHER = re.compile(r'(\w+)(=~|!~|=|!=)"([^"]*)"')
_WORDS = frozenset(("and", "or", "unless", "bool", "offset"))


def dashboard() -> Any:
    return json.loads(DASHBOARD.read_text())


def panel_targets() -> Iterator[tuple[str, Any]]:
    """The title of each panel with each of its queries."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES)["groups"]
    return [rule for group in groups for rule in group["rules"]]


class Selector(NamedTuple):
    """What a part of an expression takes: samples of a metric whose labels match.

    Attributes:
        labels: of the matchers that aren't about a variable of the dashboard, each with a test of
            its value.
    """

    name: str
    labels: dict[str, Callable[[str], bool]]

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether it takes a sample with these labels."""
        return all(matches(labels.get(label, "")) for label, matches in self.labels.items())


def selectors(expression: str) -> list[Selector]:
    """The selectors in an expression that have matchers."""
    return [
        Selector(found["name"], dict(map(_matcher, _MATCHER.finditer(found["matchers"]))))
        for found in _SELECTOR.finditer(expression)
    ]


def _matcher(found: re.Match[str]) -> tuple[str, Callable[[str], bool]]:
    label, operator, value = found.groups()
    if value.startswith("$"):
        return label, lambda _: True
    pattern = value if "~" in operator else re.escape(value)
    return label, lambda text: bool(re.fullmatch(pattern, text)) == (operator[0] == "=")


def grouping_labels(expression: str, words: str = "by|on|group_left|group_right") -> set[str]:
    """The labels that an expression groups or joins by."""
    lists = re.findall(rf"\b(?:{words})\s*\(([^)]*)\)", expression)
    return {label for names in lists for label in re.findall(r"\w+", names)}


def metric_names(expression: str) -> set[str]:
    """The names of the metrics in an expression."""
    bare = _NOT_NAMES.sub(" ", expression)
    return {name for name in _NAME.findall(bare) if name not in _WORDS}
