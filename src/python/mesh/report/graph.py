"""The lineage of a version as a graph whose nodes lead to their facts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh.lifecycle.lineage import source_folders
from mesh.report.markup import Html, element, facts, in_words, scrolling, web_link

_WIDTH, _HEIGHT = 216, 56
_GAP, _DROP = 24, 44
_SHOWN = 23
"""Characters of a name in its node."""
_MOST_SOURCES = 4
_HUB = re.compile(r"hf://((?:datasets/)?[\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
_NONE: tuple[object, ...] = (None, "", "none", [], {})
_NO_FACTS = frozenset(("name", "kind", "made_from", "environment", "settings"))


@dataclass(frozen=True)
class _Node:
    """A node of the graph: its facts, its place, and the place of the one that was made from it."""

    number: int
    facts: Mapping[str, Any]
    x: float
    y: float
    parent: tuple[float, float] | None


def lineage_section(lineage: Mapping[str, Any]) -> Html:
    """The graph, and below it the facts of each node."""
    placed = list(_place(_with_sources(lineage)))
    width = max(node.x for node in placed) + _WIDTH + 2
    height = max(node.y for node in placed) + _HEIGHT + 2
    drawing = element(
        "svg",
        *(_edge(node) for node in placed),
        *(_box(node) for node in placed),
        viewBox=f"-1 -1 {width + 1:.0f} {height + 1:.0f}",
        style=f"min-width:{width:.0f}px;max-width:{width * 1.3:.0f}px",
        class_="lineage",
        role="group",
        aria_label="Lineage: each version above what it was made from",
    )
    blocks = (
        element(
            "article",
            element("h3", str(node.facts["name"]), " ", element("small", _kind(node))),
            _link(node),
            facts(_facts(node)),
            id=f"origin-{node.number}",
            class_="origin",
        )
        for node in placed
    )
    return Html(scrolling(drawing, "Lineage") + "".join(blocks))


def _with_sources(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node whose raw data was made from the folders of its files."""
    origins = [_with_sources(origin) for origin in node.get("made_from", ())]
    if folders := source_folders(node):
        return {**node, "source": None, "made_from": list(_sources(folders))}
    return {**node, "made_from": origins}


def _sources(folders: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    """A node for each folder; of many, the last one stands for the rest."""
    shown = list(folders.items())
    if len(shown) > _MOST_SOURCES:
        rest = [file for _, some in shown[_MOST_SOURCES - 1 :] for file in some]
        count = len(shown) - _MOST_SOURCES + 1
        shown = [*shown[: _MOST_SOURCES - 1], (f"{count} other places", rest)]
    for name, some in shown:
        size = sum(int(file.get("size") or 0) for file in some)
        yield {"name": name, "kind": "source", "files": len(some), "bytes": size, "made_from": []}


def _place(
    root: Mapping[str, Any],
) -> Iterator[_Node]:
    """Nodes in the order of a reader: a version, then what it was made from.

    Each is in the middle above its origins, which stand side by side.
    """
    widths: dict[int, float] = {}

    def measure(node: Mapping[str, Any]) -> float:
        below = [measure(origin) for origin in node["made_from"]]
        widths[id(node)] = max(_WIDTH, sum(below) + _GAP * (len(below) - 1))
        return widths[id(node)]

    measure(root)
    number = 0
    waiting: list[tuple[Mapping[str, Any], float, int, tuple[float, float] | None]] = [
        (root, 0.0, 0, None)
    ]
    while waiting:
        node, left, depth, parent = waiting.pop()
        x = left + (widths[id(node)] - _WIDTH) / 2
        y = float(depth * (_HEIGHT + _DROP))
        yield _Node(number, node, x, y, parent)
        number += 1
        places = []
        for origin in node["made_from"]:
            places.append((origin, left, depth + 1, (x, y)))
            left += widths[id(origin)] + _GAP
        waiting += reversed(places)


def _edge(node: _Node) -> Html | None:
    if node.parent is None:
        return None
    x, y = node.parent
    top, middle = y + _HEIGHT, node.y - _DROP / 2
    path = f"M{x + _WIDTH / 2} {top}V{middle}H{node.x + _WIDTH / 2}V{node.y}"
    return element("path", d=path, class_="edge")


def _box(node: _Node) -> Html:
    name = str(node.facts["name"])
    x, y = f"{node.x:.0f}", f"{node.y:.0f}"
    text = {"x": f"{node.x + 12:.0f}"}
    missing = "missing" in node.facts
    return element(
        "a",
        element("title", f"{name} ({_kind(node)})"),
        element("rect", x=x, y=y, width=f"{_WIDTH}", height=f"{_HEIGHT}", rx="6"),
        element("text", _shortened(name), y=f"{node.y + 24:.0f}", class_="name", **text),
        element("text", _kind(node), y=f"{node.y + 43:.0f}", class_="kind", **text),
        href=f"#origin-{node.number}",
        class_="missing" if missing else None,
    )


def _shortened(name: str) -> str:
    half = _SHOWN // 2
    return name if len(name) <= _SHOWN else f"{name[:half]}…{name[-half + 1 :]}"


def _kind(node: _Node) -> str:
    kinds = {"base": "base model", "source": "source of data", "raw": "raw data"}
    kind = str(node.facts["kind"])
    return f"{kinds.get(kind, kind)}{', gone' if 'missing' in node.facts else ''}"


def _link(node: _Node) -> Html | None:
    """A link to the hub, of what comes from it at a fixed or the present revision."""
    found = _HUB.match(str(node.facts["name"]))
    if found is None:
        return None
    revision = found[2] or node.facts.get("revision") or "main"
    url = f"https://huggingface.co/{found[1]}/tree/{revision}"
    return element("p", web_link("its page on the Hugging Face hub", url))


def _facts(node: _Node) -> Iterator[tuple[str, str]]:
    for name, value in node.facts.items():
        if name not in _NO_FACTS and value not in _NONE:
            yield name.replace("_", " "), in_words(value)
