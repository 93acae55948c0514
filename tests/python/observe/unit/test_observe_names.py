"""What rules and dashboard name, metrics and labels, is what a server, or `mesh drift`, has."""

import asyncio
import datetime
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from echo_model import PREDICT, Echo, body
from mesh.drift.comparison import Drift, FactDrift
from mesh.drift.report import DriftReport
from mesh.serve.app import create_app
from mesh.serve.settings import ServeSettings
from promql import dashboard, grouping_labels, metric_names, panel_targets, rules, selectors

_PARTS = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "gauge": ("",),
}


class Known:
    """The metrics in Prometheus' format, and what rules make of them.

    Attributes:
        names: those without samples included.
        samples: the labels of each metric's samples.
    """

    def __init__(self, *texts: str) -> None:
        self.names = {"up"}
        self.samples: dict[str, list[dict[str, str]]] = {"up": [{}]}
        for text in texts:
            for family in text_string_to_metric_families(text):
                self.names |= {family.name + part for part in _PARTS.get(family.type, ())}
                for sample in family.samples:
                    self.samples.setdefault(sample.name, []).append(sample.labels)
        for rule in rules():
            if "record" in rule:
                self.names.add(rule["record"])
                made = dict.fromkeys(grouping_labels(rule["expr"], "by"), "") | rule["labels"]
                self.samples.setdefault(rule["record"], []).append(made)

    def labels(self, name: str) -> set[str]:
        """The names of a metric's labels, with those that Prometheus adds to each."""
        return {"job", "instance"}.union(*self.samples[name])


def served(folder: Path) -> str:
    """All metrics of a server with everything on, which has answered and refused requests."""
    settings = ServeSettings(
        prediction_log_dir=folder, requests_per_minute=4, threads=1, queue_size=1
    )
    model = Echo()
    app = create_app(model, settings)

    def client(address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://test"
        )

    async def scenario() -> str:
        async with (
            app.router.lifespan_context(app),
            client("192.0.2.1") as caller,
            client("192.0.2.2") as prometheus,
        ):
            while not (await prometheus.get("/v1/ready")).is_success:
                await asyncio.sleep(0.001)
            wait = [asyncio.create_task(caller.post(PREDICT, json=body("wait"))) for _ in range(3)]
            # The queue has no room for all of them.
            [first, *_], _ = await asyncio.wait(wait, return_when=asyncio.FIRST_COMPLETED)
            assert first.result().status_code == 503
            model.gate.set()
            await asyncio.wait(wait)
            while (await caller.post(PREDICT, json=body("a"))).status_code != 429:
                pass
            return (await prometheus.get("/metrics")).text

    return asyncio.run(scenario())


def drift() -> str:
    fact = FactDrift(name="label", kind="label", reference=40, current=40, psi=0.7, drifted=True)
    found = Drift(verdict="drift", reference=40, current=40, facts=(fact,), missing=())
    report = DriftReport(
        project="echo",
        version="1",
        fingerprint='"\\\n',
        source="a log",
        reference="a log",
        first=None,
        last=None,
        compared=datetime.datetime.now(datetime.UTC),
        drift=found,
    )
    return report.metrics()


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return Known(served(tmp_path_factory.mktemp("log")), drift())


EXPRESSIONS = {
    **{f"{title} {target['refId']}": target["expr"] for title, target in panel_targets()},
    **{f"{number} {rule.get('alert', '')}": rule["expr"] for number, rule in enumerate(rules())},
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_names(known: Known, expression: str) -> None:
    names = metric_names(expression)
    assert names or expression.startswith("vector(")
    assert names - known.names == set()
    labels: set[str] = set().union(*map(known.labels, names))
    assert grouping_labels(expression) <= labels
    for selector in selectors(expression):
        assert selector.labels.keys() <= known.labels(selector.name)
        assert any(map(selector.takes, known.samples[selector.name])), selector.name


def labels_after(known: Known, expression: str) -> set[str]:
    """The labels of an expression's result."""
    if grouped := grouping_labels(expression, "by"):
        return grouped
    return set().union(*map(known.labels, metric_names(expression)))


@pytest.mark.parametrize(("title", "target"), list(panel_targets()))
def test_legends_have_labels(known: Known, title: str, target: Any) -> None:
    shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    assert shown <= labels_after(known, target["expr"]), title


@pytest.mark.parametrize("rule", [rule for rule in rules() if "alert" in rule])
def test_texts_of_alerts_have_labels(known: Known, rule: dict[str, Any]) -> None:
    text = " ".join(rule["annotations"].values())
    shown = set(re.findall(r"\$labels\.(\w+)", text))
    assert shown <= labels_after(known, rule["expr"])


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


def test_the_selectors_and_labels_of_an_expression() -> None:
    expression = 'sum by (job, x) (a_total{b!="c.",e=~"f|g",j=~"$job"}) / on (i) group_left (k) d'
    [selector] = selectors(expression)
    assert selector.name == "a_total"
    assert selector.takes({"b": "cd", "e": "g"})
    assert not selector.takes({"b": "c.", "e": "g"})
    assert not selector.takes({"b": "cd", "e": "fg"})
    assert grouping_labels(expression) == {"job", "x", "i", "k"}
    assert grouping_labels(expression, "by") == {"job", "x"}


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
