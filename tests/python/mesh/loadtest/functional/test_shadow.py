"""`mesh shadow` between clients and two real servers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mesh_command import Command, run

PREDICT = "/v1/model/tiny/predict"
BODY = {"inputs": [{"document": "one"}, {"document": "three"}]}
INFER = {"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["one", "three"]}]}


class Shadow:
    """A running `mesh shadow` of two servers, and a client of it."""

    def __init__(self, workspace: Path, tiny: Any, other: Any, share: str) -> None:
        self._report = workspace / "report.json"
        self.command = Command(
            workspace,
            *("shadow", "--of", tiny.url, "--with", other.url, "--share", share, "--port", "0"),
            *("--report", str(self._report)),
        )
        self.command.wait_for("Ctrl-C ends it")
        [url] = re.findall(r"Requests to (\S+) go to", self.command.output)
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def stop(self) -> tuple[int, Any, str]:
        """Exit code, report and output after Ctrl-C."""
        self.client.close()
        code = self.command.stop()
        return code, json.loads(self._report.read_text()), self.command.output


@pytest.fixture
def shadows() -> Iterator[list[Shadow]]:
    started: list[Shadow] = []
    yield started
    for shadow in started:
        shadow.client.close()
        shadow.command.process.kill()
        shadow.command.process.wait()


def start(shadows: list[Shadow], tiny: Any, other: Any, share: str = "1") -> Shadow:
    shadows.append(Shadow(tiny.workspace, tiny, other, share))
    return shadows[-1]


def test_equal_servers(tiny: Any, other: Any, shadows: list[Shadow]) -> None:
    tiny.serve()
    other.set_fingerprint("two")
    other.serve()
    shadow = start(shadows, tiny, other)
    response = shadow.client.post(PREDICT, json=BODY, headers={"X-Request-ID": "mine"})
    direct = httpx.post(tiny.url + PREDICT, json=BODY, trust_env=False)
    assert (response.status_code, response.content) == (200, direct.content)
    assert response.headers["x-request-id"] == "mine"
    assert response.headers.keys() == direct.headers.keys()
    assert shadow.client.post("/v2/models/tiny/infer", json=INFER).status_code == 200
    refused = shadow.client.post(PREDICT, json={"inputs": 1})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    # A page whose name points at this machine gets nothing.
    assert shadow.client.get("/v1/live", headers={"Host": "evil.example"}).status_code == 421
    twice = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    assert shadow.client.post(PREDICT, content=b"{}", headers=twice).status_code == 400
    # These are not predictions.
    assert shadow.client.get("/v1/model/tiny/bio").json()["model_card"]["fingerprint"] == "one"
    assert shadow.client.get("/nowhere?a=%2F").status_code == 404
    assert shadow.client.head("/v1/live").status_code in (200, 405)
    code, report, output = shadow.stop()
    assert (code, report["compared"], report["requests"]) == (0, {"equal": 3}, 3)
    assert (report["model"], report["differences"]) == ("tiny", [])
    assert [report[name]["fingerprint"] for name in ("of", "shadow")] == ["one", "two"]
    assert report["shadow_times"]["answers"] == report["of_times"]["answers"] == 2
    assert 0 < report["shadow_times"]["p50"] <= report["shadow_times"]["p99"]
    assert "3 predictions; the shadow got 3: 3 equal." in output


def test_wrong_shadow_changes_nothing_for_clients(
    tiny: Any, other: Any, shadows: list[Shadow]
) -> None:
    tiny.serve()
    process = other.serve(TINY_FAULT="wrong")
    shadow = start(shadows, tiny, other)
    response = shadow.client.post(PREDICT, json=BODY, headers={"X-Request-ID": "mine"})
    assert [one["letters"] for one in response.json()["outputs"]] == [3, 5]
    # The shadow gets it afterwards.
    other.wait_until(process, lambda: PREDICT in other.log("serve").read_text())
    process.terminate()
    process.wait()
    assert shadow.client.post(PREDICT, json=BODY).status_code == 200
    code, report, output = shadow.stop()
    assert (code, report["compared"]) == (1, {"different": 1, "unanswered": 1})
    first, second = report["differences"]
    assert first == {
        "request_id": "mine",
        "path": PREDICT,
        "found": "the response.outputs[0].letters is 4, not 3",
    }
    assert "ConnectError" in second["found"]
    assert f"mine {PREDICT}: the response.outputs[0].letters is 4, not 3" in output


def test_shadow_that_serves_another_model_is_refused(tiny: Any, other: Any) -> None:
    tiny.serve()
    other.serve(TINY_NAME="another")
    code, output = run(tiny.workspace, "shadow", "--of", tiny.url, "--with", other.url)
    assert (code, output.count("\n")) == (1, 1), output
    assert output == (
        f"error: The server at {other.url} serves another, but the one at {tiny.url} serves tiny; set "
        "--with to another server of tiny.\n"
    )
