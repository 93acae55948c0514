"""The official client with a stand-in of the server."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import DATA_STEPS, Project
from pipelines.kubeflow import read_token, run_on_kubeflow
from pipelines.plan import Plan, make_plan
from pipelines.settings import ImageSettings, KubeflowSettings, PipelineSettings
from pipelines.specification import write_specification
from services.http import running

MOODS = Project(name="moods", description="", port=1, steps=DATA_STEPS)


class Server(ThreadingHTTPServer):
    """Keeps the requests; its run passes through the given states."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, str, Any]] = []
        self.states = ["PENDING", "RUNNING", "SUCCEEDED"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.take({})

    def do_POST(self) -> None:
        self.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def take(self, body: Any) -> None:
        token = self.headers.get("Authorization", "")
        self.server.requests.append((self.command, self.path, token, body))
        answer = self.answer(body)
        content = json.dumps(answer).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def answer(self, body: Any) -> dict[str, Any]:
        path = self.path.partition("?")[0].removeprefix("/apis/v2beta1")
        if path == "/healthz":
            return {"multi_user": False}
        if path == "/experiments":
            if self.command == "GET":
                return {"experiments": [{"experiment_id": "e1", "display_name": "mesh"}]}
            return {"experiment_id": "e1", **body}
        if path == "/experiments/e1":
            return {"experiment_id": "e1", "display_name": "mesh"}
        if path == "/runs":
            return {"run_id": "r1", "state": "PENDING"}
        if path == "/runs/r1":
            states = self.server.states
            state = states.pop(0) if len(states) > 1 else states[0]
            tasks = [{"display_name": "ingest:ingest", "state": state, "parent_task_id": "t0"}]
            failed = {"error": {"code": 3, "message": "ingest ended with 3"}}
            return {
                "run_id": "r1",
                "state": state,
                "run_details": {"task_details": tasks},
                **(failed if state == "FAILED" else {}),
            }
        return {}

    def log_message(self, format: str, *args: Any) -> None:
        """Doesn't log requests; they are kept."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setattr("pipelines.following.POLL_SECONDS", 0)
    # The client keeps a file in the home folder.
    monkeypatch.setenv("HOME", str(tmp_path))
    with running(Server()) as server:
        yield server


@pytest.fixture
def compiled(tmp_path: Path) -> tuple[Plan, Path]:
    chosen = PipelineSettings(project="moods", run_containers=[1, 2])
    plan = make_plan(MOODS, chosen, ImageSettings(registry="registry.example", tag="7"))
    write_specification(plan, tmp_path / "pipeline.yaml")
    return plan, tmp_path / "pipeline.yaml"


def test_compiled_pipeline_is_run_with_token_and_account_until_it_succeeds(
    server: Server, compiled: tuple[Plan, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = KubeflowSettings(endpoint=server.address, service_account="runner")
    assert run_on_kubeflow(*compiled, settings, "a-token") == 0
    [body] = [
        body
        for method, path, _, body in server.requests
        if method == "POST" and path.startswith("/apis/v2beta1/runs")
    ]
    assert body["service_account"] == "runner"
    assert body["experiment_id"] == "e1"
    tasks = body["pipeline_spec"]["root"]["dag"]["tasks"]
    assert tasks["register"]["dependentTasks"] == ["ingest"]
    assert {token for _, path, token, _ in server.requests if "/runs" in path} == {"Bearer a-token"}
    shown = capsys.readouterr().err
    assert "ingest:ingest: RUNNING" in shown
    assert "moods-ingest-to-register: SUCCEEDED" in shown


def test_failed_run_fails_the_command(
    server: Server, compiled: tuple[Plan, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    server.states = ["RUNNING", "FAILED"]
    assert run_on_kubeflow(*compiled, KubeflowSettings(endpoint=server.address), None) == 1
    shown = capsys.readouterr().err
    assert "ingest:ingest: FAILED" in shown
    assert "ingest ended with 3" in shown


def test_unknown_server_and_missing_token_are_one_sentence(
    compiled: tuple[Plan, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = KubeflowSettings(endpoint="http://127.0.0.1:9", token_file=tmp_path / "none")
    with pytest.raises(UsageError, match="KUBEFLOW_TOKEN_FILE"):
        read_token(settings)
    with pytest.raises(MeshError, match="can't be reached"):
        run_on_kubeflow(*compiled, settings, None)
