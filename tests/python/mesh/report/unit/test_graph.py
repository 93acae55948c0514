"""The lineage as a graph: its nodes stand apart, and lead to their facts."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mesh.report.graph import lineage_section

_LEAF: Any = st.builds(lambda name: {"name": name, "kind": "base", "made_from": []}, st.text())
TREES: Any = st.recursive(
    _LEAF,
    lambda origins: st.builds(
        lambda name, made_from: {"name": name, "kind": "features", "made_from": made_from},
        st.text(),
        st.lists(origins, max_size=3),
    ),
    max_leaves=10,
)


def count(node: dict[str, Any]) -> int:
    return 1 + sum(count(origin) for origin in node["made_from"])


@given(TREES)
def test_nodes_stand_apart_and_lead_to_their_facts(tree: dict[str, Any]) -> None:
    markup = lineage_section(tree)
    places = [(float(x), float(y)) for x, y in re.findall(r'<rect x="([-\d]+)" y="(\d+)"', markup)]
    assert len(places) == count(tree)
    assert all(
        abs(x - other_x) > 216 or abs(y - other_y) > 56
        for number, (x, y) in enumerate(places)
        for other_x, other_y in places[:number]
    )
    targets = re.findall(r'<a href="#(origin-\d+)"', markup)
    assert sorted(targets) == sorted(re.findall(r'<article id="(origin-\d+)"', markup))
    assert markup.count('class="edge"') == len(places) - 1


def raw(*names: str) -> dict[str, Any]:
    files = [{"name": name, "size": 10} for name in names]
    return {"name": "r", "kind": "raw", "source": {"files": files}, "made_from": []}


def test_raw_data_is_made_from_the_folders_of_its_files() -> None:
    markup = lineage_section(raw("tiny.ingest:samples/a", "tiny.ingest:samples/b", "s3://x/c"))
    assert re.findall(r"<h3>([^<]+) <small>source of data", markup) == [
        "tiny.ingest:samples",
        "s3://x",
    ]
    assert '<dt>files</dt><dd dir="auto">2</dd>' in markup


def test_many_sources_share_a_node() -> None:
    markup = lineage_section(raw(*(f"s3://x{number}/c" for number in range(9))))
    assert markup.count("<rect") == 5
    assert "6 other places" in markup


def test_models_and_data_of_the_hub_have_links_to_it() -> None:
    base = {"name": "hf://org/name", "kind": "base", "revision": "abc", "made_from": []}
    data = raw("hf://datasets/org/rows@main/test.csv")
    markup = lineage_section({"name": "v", "kind": "trained", "made_from": [base, data]})
    assert re.findall(r'href="(https[^"]+)"', markup) == [
        "https://huggingface.co/org/name/tree/abc",
        "https://huggingface.co/datasets/org/rows/tree/main",
    ]


def test_origin_that_is_gone_is_marked() -> None:
    gone = {"name": "NER-TRAINED-1", "kind": "trained", "missing": "There is no NER-TRAINED-1."}
    markup = lineage_section({"name": "v", "kind": "compiled", "made_from": [gone]})
    assert "trained, gone" in markup
    assert 'class="missing"' in markup
    assert "There is no NER-TRAINED-1." in markup
