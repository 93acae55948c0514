"""A real Prometheus scrapes a real server under load; every query of the dashboard has an answer."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from echo_model import PREDICT, body
from promql import RULES, panel_targets, rules
from services.http import Handler, running

PATIENCE = 120
SERVER = Path(__file__).with_name("echo_server.py")
DRIFT = """# TYPE mesh_drift_found gauge
mesh_drift_found{model="echo",version="1",fingerprint="f"} 1
# TYPE mesh_drift_psi gauge
mesh_drift_psi{model="echo",version="1",fingerprint="f",fact="label"} 0.7
# TYPE mesh_drift_compared_timestamp_seconds gauge
mesh_drift_compared_timestamp_seconds{model="echo",version="1",fingerprint="f"} 1000
"""
WITHOUT_EVENTS = ("inference_rejections_total", "access_refusals_total")
"""What the load doesn't bring about."""

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs prometheus: install Debian's package"
)


def until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until a condition holds, and return what it found."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    pytest.fail(f"Waited in vain: {what}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Textfile(Handler):
    """What a node exporter says of the file that `mesh drift --metrics` wrote."""

    def do_GET(self) -> None:
        self.answer(200, DRIFT.encode(), {"Content-Type": "text/plain; version=0.0.4"})


def load(url: str, stop: threading.Event) -> None:
    """Ask for predictions, of which every fifth fails."""
    with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
        while not stop.is_set():
            for text in ("a", "bb", "ccc", "dddd", "problem"):
                client.post(PREDICT, json=body(text))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server under load."""
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    flags = [
        f"--port={port}",
        f"--prediction-log-dir={folder / 'log'}",
        "--prediction-log-seconds=0.5",
        "--requests-per-minute=100000000",
    ]
    process = subprocess.Popen([sys.executable, str(SERVER), *flags], env=environment)
    url = f"http://127.0.0.1:{port}"
    stop = threading.Event()
    sending = threading.Thread(target=load, args=(url, stop))
    try:
        until(lambda: httpx.get(f"{url}/v1/ready", trust_env=False).is_success, "a ready server")
        sending.start()
        yield url
    finally:
        stop.set()
        if sending.is_alive():
            sending.join(PATIENCE)
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def prometheus(
    server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Any]]:
    """Asks a Prometheus that scrapes the server."""
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    shutil.copy(RULES, folder)
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Textfile)) as textfile:
        drift_port = textfile.server_address[1]
        configuration = {
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
                for name, target in (("echo", server.rpartition(":")[2]), ("node", drift_port))
            ],
        }
        file = folder / "prometheus.yaml"
        # JSON is YAML.
        file.write_text(json.dumps(configuration))
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=error",
            ]
        )
        api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=60)

        def ask(path: str, **parameters: str) -> Any:
            answer = api.get(path, params=parameters).json()
            assert answer["status"] == "success", answer
            return answer["data"]

        try:
            until(lambda: api.get("/query", params={"query": "1"}).is_success, "a Prometheus")
            yield ask
        finally:
            api.close()
            process.terminate()
            process.wait(PATIENCE)


def expression_of(target: Any) -> str:
    expression: str = target["expr"]
    return expression.replace("$job", ".+").replace("$__rate_interval", "1m")


TARGETS = {f"{title} {target['refId']}": target for title, target in panel_targets()}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_every_query_of_the_dashboard_has_an_answer(
    prometheus: Callable[..., Any], target: Any
) -> None:
    expression = expression_of(target)

    def ask() -> Any:
        return prometheus("/query", query=expression)["result"]

    if any(name in expression for name in WITHOUT_EVENTS):
        assert ask() == []
        return
    legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    for series in until(ask, expression):
        assert legend <= series["metric"].keys()


def test_the_rules_are_evaluated_and_an_alert_fires(prometheus: Callable[..., Any]) -> None:
    def recorded() -> bool:
        names = {rule["record"] for rule in rules() if "record" in rule}
        return all(prometheus("/query", query=name)["result"] for name in names)

    def alerts() -> dict[str, Any]:
        found = prometheus("/alerts")["alerts"]
        return {one["labels"]["alertname"]: one for one in found if one["state"] == "firing"}

    until(recorded, "recorded ratios")
    firing = until(lambda: len(found := alerts()) >= 6 and found, "alerts")
    assert {"MeshBudgetBurnsFast", "MeshBudgetLeaks", "MeshDrift", "MeshDriftUnknown"} <= set(
        firing
    )
    assert firing["MeshBudgetBurnsFast"]["labels"]["job"] == "echo"
    for group in prometheus("/rules")["groups"]:
        assert [rule["name"] for rule in group["rules"] if rule["health"] != "ok"] == []
