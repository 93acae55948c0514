"""The official client with a stand-in of the server."""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import DATA_STEPS, Project
from pipelines import following
from pipelines.following import WatchingError
from pipelines.kubeflow import read_token, run_on_kubeflow
from pipelines.plan import Plan, make_plan
from pipelines.run_kfp import main
from pipelines.settings import ImageSettings, KubeflowSettings, PipelineSettings
from pipelines.specification import write_specification
from services.http import running

COMMAND = "./pants run src/python/pipelines:run-kfp -- --target kubeflow --watch r1"
MOODS = Project(name="moods", description="", port=1, steps=DATA_STEPS)


class Server(ThreadingHTTPServer):
    """Keeps the requests; its run passes through the given states.

    Attributes:
        troubles: answers to the first questions for the run's state.
        token: the only one that is taken; any, if empty.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, str, Any]] = []
        self.states = ["PENDING", "RUNNING", "SUCCEEDED"]
        self.troubles: list[Callable[[Handler], None]] = []
        self.token = ""

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
        if self.server.troubles and "/runs/" in self.path:
            self.server.troubles.pop(0)(self)
        elif self.server.token and token != f"Bearer {self.server.token}":
            self.send(401, b"{}")
        else:
            answer = self.answer(body)
            self.send(200 if answer else 404, json.dumps(answer).encode())

    def send(self, status: int, content: bytes) -> None:
        self.send_response(status)
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


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a token", b"a\nb", "tökén".encode()])
def test_file_without_a_token_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    settings = KubeflowSettings(endpoint="http://127.0.0.1:9", token_file=file)
    with pytest.raises(UsageError, match="holds no token"):
        read_token(settings)
    file.write_text("abc.DEF-1_2\n")
    assert read_token(settings) == "abc.DEF-1_2"


def status(code: int) -> Callable[[Handler], None]:
    return lambda handler: handler.send(code, b"{}")


def login_page(handler: Handler) -> None:
    """What a proxy answers instead of the server."""
    handler.send(200, b"<html>Log in</html>")


def cut_off(handler: Handler) -> None:
    handler.close_connection = True


def test_passing_failures_do_not_end_the_command(
    server: Server, compiled: tuple[Plan, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    passing = [status(code) for code in (408, 429, 500, 502, 503, 504)]
    server.troubles = [*passing, login_page, cut_off, status(401)]
    assert run_on_kubeflow(*compiled, KubeflowSettings(endpoint=server.address), None) == 0
    assert server.troubles == []
    assert "(HTTP 408 Request Timeout); trying again" in capsys.readouterr().err


def test_rotated_token_is_read_again(
    server: Server, compiled: tuple[Plan, Path], tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    server.token = "old"

    def rotate(handler: Handler) -> None:
        server.token = "new"
        file.write_text("new")
        handler.send(401, b"{}")

    server.troubles = [rotate]
    settings = KubeflowSettings(endpoint=server.address, token_file=file)
    assert run_on_kubeflow(*compiled, settings, read_token(settings)) == 0
    assert server.requests[-1][2] == "Bearer new"


@pytest.mark.parametrize(
    ("code", "readings"), [(503, following.MOST_FAILURES), (401, following.MOST_FAILURES), (403, 1)]
)
def test_watching_ends_with_3_and_the_command_that_goes_on(
    server: Server, compiled: tuple[Plan, Path], tmp_path: Path, code: int, readings: int
) -> None:
    server.troubles = [status(code)] * 100
    file = tmp_path / "the token"
    file.write_text("a-token")
    settings = KubeflowSettings(endpoint=server.address, token_file=file)
    with pytest.raises(WatchingError) as ended:
        run_on_kubeflow(*compiled, settings, "a-token")
    assert ended.value.exit_code == 3
    variables = f"KUBEFLOW_ENDPOINT={server.address} KUBEFLOW_TOKEN_FILE='{file}'"
    assert str(ended.value).endswith(f"the run goes on; to watch it again: {variables} {COMMAND}")
    assert len([path for _, path, _, _ in server.requests if "/runs/" in path]) == readings


@pytest.mark.parametrize("answers", [b"<html>Log in</html>", b"[]", b"{}"])
def test_server_that_is_not_kubeflow_is_one_sentence(
    server: Server,
    compiled: tuple[Plan, Path],
    monkeypatch: pytest.MonkeyPatch,
    answers: bytes,
) -> None:
    monkeypatch.setattr(Handler, "take", lambda handler, _: handler.send(200, answers))
    with pytest.raises(MeshError, match="can't run moods"):
        run_on_kubeflow(*compiled, KubeflowSettings(endpoint=server.address), None)


def interrupt(number: int) -> Callable[[Handler], None]:
    def handle(handler: Handler) -> None:
        os.kill(os.getpid(), number)
        # The program may be gone.
        with contextlib.suppress(ConnectionError):
            handler.send(503, b"{}")

    return handle


@pytest.mark.parametrize(
    ("states", "troubles", "code", "words"),
    [
        (["RUNNING", "SUCCEEDED"], [status(503), status(500)], 0, "r1: SUCCEEDED"),
        (["FAILED"], [], 1, "ingest ended with 3"),
        (["RUNNING"], [status(404)], 2, "has no run r1"),
        (["RUNNING"], [status(503)] * 100, 3, COMMAND),
        (["RUNNING"], [interrupt(signal.SIGINT)], 130, COMMAND),
        (["RUNNING"], [interrupt(signal.SIGTERM)], 143, COMMAND),
    ],
)
def test_watched_run_gives_the_exit_code(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    states: list[str],
    troubles: list[Callable[[Handler], None]],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBEFLOW_ENDPOINT", server.address)
    server.states, server.troubles = states, troubles
    assert main.main(["--target", "kubeflow", "--watch", "r1"]) == code
    shown = capsys.readouterr().err
    assert words in shown
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []
