"""`serve:load` against a real server, healthy and not."""

import json
import signal
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

PREDICT = "POST_/v1/model/tiny/predict"
BIO = "GET_/v1/model/tiny/bio"
PNG = b"\x89PNG"
SOUND = "20"
"""More than the requests that are sent before the load."""
SECONDS = "--run-seconds=1"


def test_healthy_server_passes_and_everything_is_written(tiny: Any) -> None:
    tiny.serve()
    image = {"LOAD_IMAGE_NAME": "registry/tiny-serve", "LOAD_IMAGE_DIGEST": "sha256:ab"}
    code, output = tiny.load(SECONDS, GITHUB_RUN_ID="7", **image)
    assert (code, "The load test has passed." in output) == (0, True), output
    report = tiny.read("load_test_report.json")
    assert (report["model_version"], report["fingerprint"]) == ("TINY-COMPILED-1", "one")
    assert report["runs_on"] == ["CPUExecutionProvider"]
    assert report["precision"] == "float32"
    assert "The model ran on CPUExecutionProvider in float32." in output
    assert report["num_requests_fail"] == 0
    figures = [report["completed"][key]["measurements"] for key in (BIO, PREDICT)]
    assert all(endpoint["requests_total"] > 0 for endpoint in figures)
    assert all(
        0
        < endpoint["min_response_time"]
        <= endpoint["response_time_p50"]
        <= endpoint["response_time_p99"]
        <= endpoint["max_response_time"]
        for endpoint in figures
    )
    assert report["server"]["problem"] is None
    for key, own in report["server"]["completed"].items():
        assert own["requests"] == report["completed"][key]["measurements"]["requests_total"]
        assert 0 < own["response_time_p50"] <= own["response_time_p95"] <= own["response_time_p99"]
    assert report["server"]["completed"].keys() == report["completed"].keys()
    assert report["server"]["resident_bytes"] > 10 * 2**20
    assert 0 < report["server"]["processor"] < 64
    assert "By the server's own clock" in output
    assert "The server used " in output
    lines = (tiny.results / "response_times.csv").read_text().splitlines()
    assert len(lines) == 1 + report["num_requests"] == 1 + sum(f["requests_total"] for f in figures)
    assert tiny.read("load_test_evaluation.json")["passed"]
    assert tiny.read("github_action_context.json") == {"run_id": "7"}
    assert tiny.read("serve_image_spec.json") == {
        "image_name": "registry/tiny-serve",
        "image_tag": "local",
        "image_digest": "sha256:ab",
    }
    for name in ("response_times_over_time.png", "response_time_distribution.png"):
        assert (tiny.results / name).read_bytes().startswith(PNG)


def test_requests_in_flight_are_waited_for(tiny: Any) -> None:
    tiny.serve()
    tiny.load("--run-seconds=0.5")
    assert tiny.read("load_test_report.json")["duration_seconds"] > 0.5


def test_missed_criterion_fails_the_test(tiny: Any) -> None:
    tiny.serve()
    criterion = {
        "name": "requests_rps",
        "threshold": 1e6,
        "ensure_lower": False,
        "endpoint_type": "POST",
        "endpoint_url": "/v1/model/tiny/predict",
    }
    code, output = tiny.load(SECONDS, LOAD_CRITERIA=json.dumps([criterion]))
    assert (code, "The load test has failed." in output) == (1, True), output
    *failures, missed = tiny.read("load_test_evaluation.json")["evaluated_criteria"]
    assert [item["passed"] for item in failures] == [True, True]
    assert (missed["passed"], missed["measured"] > 0) == (False, True)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("wrong", "wrong response: not the one from before the load"),
        ("short", "outputs for"),
        ("crash", "status 500"),
    ],
)
def test_server_that_goes_wrong_under_load_fails(tiny: Any, fault: str, reason: str) -> None:
    tiny.serve(TINY_FAULT=fault, TINY_SOUND=SOUND)
    code, output = tiny.load(SECONDS)
    assert code == 1, output
    assert all(reason in failure for failure in tiny.failures())
    assert tiny.failures()
    figures = tiny.read("load_test_report.json")["completed"][PREDICT]["measurements"]
    assert 0 < figures["failures_total"] < figures["requests_total"]


def test_silent_server_fails_the_test(tiny: Any) -> None:
    tiny.serve(TINY_FAULT="hang", TINY_SOUND=SOUND)
    code, output = tiny.load(SECONDS, "--timeout-seconds=0.5")
    assert code == 1, output
    assert any("timed out" in failure for failure in tiny.failures()), output


def test_server_of_another_model_is_refused_at_once(tiny: Any) -> None:
    tiny.serve(TINY_NAME="other")
    code, output = tiny.load(SECONDS)
    sentence = "doesn't serve tiny: it has no bio at /v1/model/tiny/bio; set LOAD_URL to a server"
    assert (code, sentence in output) == (1, True), output
    assert not tiny.results.exists()


def test_users_that_never_start_make_the_test_inconclusive(tiny: Any) -> None:
    tiny.serve()
    code, output = tiny.load(SECONDS, "--users=40", "--spawn-rate=5")
    assert (code, "The load test is inconclusive: " in output) == (3, True), output
    report = tiny.read("load_test_report.json")
    assert 0 < report["generator"]["users_started"] < report["users"] == 40
    assert report["num_requests_fail"] == 0
    assert not tiny.read("load_test_evaluation.json")["passed"]


def test_server_that_dies_leaves_a_report(tiny: Any) -> None:
    server = tiny.serve()
    load = tiny.start_load("--run-seconds=6", MESH_LOG_FORMAT="json")
    before = requests_served(tiny)
    tiny.wait_until(load, lambda: requests_served(tiny) > before + 50)
    server.send_signal(signal.SIGKILL)
    assert load.wait(60) == 1, tiny.log("load").read_text()
    assert any("ConnectionRefused" in failure for failure in tiny.failures())
    problem = tiny.read("load_test_report.json")["server"]["problem"]
    assert problem == "its metrics can't be read (ConnectError)"
    figures = tiny.read("load_test_report.json")["completed"][PREDICT]["measurements"]
    assert 0 < figures["failures_total"] < figures["requests_total"]
    assert not tiny.read("load_test_evaluation.json")["passed"]


def requests_served(tiny: Any) -> int:
    log: str = tiny.log("serve").read_text()
    return log.count("/predict HTTP")


def test_nothing_requested_never_passes(tiny: Any) -> None:
    tiny.serve()
    code, output = tiny.load("--run-seconds=0.000001")
    assert (code, "The load test is inconclusive: " in output) == (3, True), output
    assert tiny.read("load_test_report.json")["num_requests"] == 0
    assert not tiny.read("load_test_evaluation.json")["passed"]


def test_there_must_be_a_server(tiny: Any) -> None:
    code, output = tiny.load()
    assert (code, "error: There is no server at http://127.0.0.1:1" in output) == (1, True), output
    assert "Traceback" not in output
    assert not tiny.results.exists()


def test_server_must_be_ready(tiny: Any) -> None:
    tiny.serve(ready=False, TINY_FAULT="unready")
    code, output = tiny.load()
    assert (code, "isn't ready: /v1/ready has the status 503" in output) == (1, True), output
    assert not tiny.results.exists()


def test_server_must_serve_the_tested_version(tiny: Any) -> None:
    tiny.serve()
    tiny.set_fingerprint("two")
    code, output = tiny.load()
    assert (code, "serves another model than models/TINY-COMPILED-1" in output) == (1, True), output
    assert not tiny.results.exists()


def test_interrupted_test_leaves_nothing(tiny: Any) -> None:
    tiny.serve()
    load = tiny.start_load("--run-seconds=60")
    tiny.wait_until(load, lambda: requests_served(tiny) > 50)
    [generator] = psutil.Process(load.pid).children()
    load.send_signal(signal.SIGTERM)
    assert load.wait(60) == 128 + signal.SIGTERM
    generator.wait(60)
    assert not tiny.results.exists()
