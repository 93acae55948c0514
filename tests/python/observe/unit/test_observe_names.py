"""Every metric that rules and dashboard name is one that a server, or `mesh drift`, has."""

import asyncio
import datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from echo_model import Echo
from mesh.drift.comparison import compare
from mesh.drift.report import DriftReport
from mesh.drift.sample import Sample
from mesh.serve.app import create_app
from mesh.serve.settings import ServeSettings
from promql import dashboard, metric_names, panel_targets, rules

_PARTS = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "gauge": ("",),
}
SCRAPED = {"up"}
"""What Prometheus itself says of each server."""


def names_in(text: str) -> set[str]:
    """The names of the metrics in Prometheus' format, those without samples included."""
    return {
        family.name + part
        for family in text_string_to_metric_families(text)
        for part in _PARTS.get(family.type, ())
    }


def served(folder: Path) -> str:
    """All metrics of a server with everything on."""
    settings = ServeSettings(prediction_log_dir=folder, requests_per_minute=10)

    async def scenario() -> str:
        transport = httpx.ASGITransport(create_app(Echo(), settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return (await client.get("/metrics")).text

    return asyncio.run(scenario())


def drift() -> str:
    report = DriftReport(
        project="echo",
        version="1",
        fingerprint='"\\\n',
        source="a log",
        reference="a log",
        first=None,
        last=None,
        compared=datetime.datetime.now(datetime.UTC),
        drift=compare(Sample(), Sample()),
    )
    return report.metrics()


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    names = names_in(served(tmp_path_factory.mktemp("log"))) | names_in(drift())
    return names | recorded | SCRAPED


EXPRESSIONS = {
    **{f"{title} {target['refId']}": target["expr"] for title, target in panel_targets()},
    **{f"{number} {rule.get('alert', '')}": rule["expr"] for number, rule in enumerate(rules())},
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_names(known: set[str], expression: str) -> None:
    names = metric_names(expression)
    assert names or expression.startswith("vector(")
    assert names - known == set()


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (job, x) (rate(a_total{b="c(d)",e=~"f|g"}[5m])) / 2', {"a_total"}),
        ("a > on (slo) group_left () (14.4 * b:c) and d", {"a", "b:c", "d"}),
        ("time() - a", {"a"}),
    ],
)
def test_the_names_of_an_expression(expression: str, names: set[str]) -> None:
    assert metric_names(expression) == names


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    found = dashboard()
    panels = found["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [tuple(panel["gridPos"][key] for key in "xywh") for panel in panels]
    cells = [
        (x + right, y + down) for x, y, w, h in places for right in range(w) for down in range(h)
    ]
    assert len(set(cells)) == len(cells)
    assert all(0 <= x < 24 for x, _ in cells)
    for panel in panels:
        letters = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(letters)) == len(letters)
