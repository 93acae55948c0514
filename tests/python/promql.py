"""What expressions of Prometheus refer to, by the files of `docker/observe`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path("docker/observe")
RULES = FOLDER / "rules.yaml"
DASHBOARD = FOLDER / "dashboard.json"

_NOT_NAMES = re.compile(
    r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)'
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])")
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


def metric_names(expression: str) -> set[str]:
    """The names of the metrics in an expression."""
    bare = _NOT_NAMES.sub(" ", expression)
    return {name for name in _NAME.findall(bare) if name not in _WORDS}
