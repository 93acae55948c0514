"""Trials as jobs of a Ray cluster, whose server is a stand-in and whose trials only say things."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mesh.core.errors import MeshError, UsageError
from mesh.core.workspace import WorkspaceSettings
from mesh.data.files import Location
from mesh.data.settings import DataSettings
from mesh.lifecycle.search import job_server, mailbox, ray_jobs
from mesh.lifecycle.search.job_server import JobServer
from mesh.lifecycle.search.mailbox import BEGUN, TASK, Mailbox
from mesh.lifecycle.search.messages import Ended, Epoch, Stopped, Task
from mesh.lifecycle.search.ray_jobs import RayJobs
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.settings import RegistrySettings
from services.http import ScriptedServer, running
from services.ray_jobs import TOKEN, JobsServer
from tiny_training import TINY


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_SECONDS_BETWEEN_LOOKS", "_SECONDS_BETWEEN_STATES"):
        monkeypatch.setattr(ray_jobs, name, 0.0)
    monkeypatch.setattr(job_server, "_PAUSE", 0.0)
    monkeypatch.setattr(job_server, "_PATIENCE", 0.05)
    monkeypatch.setattr(ray_jobs, "_describe", lambda task: {"number": task.number})
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server() -> Iterator[JobsServer]:
    with running(JobsServer()) as server:
        yield server


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(
        number=3,
        project=TINY,
        settings=FineTuneSettings(base_model="base"),
        workspace=WorkspaceSettings(workspace=tmp_path),
        data=DataSettings(root=str(tmp_path / "data")),
        registry=RegistrySettings(),
        metric="validation/score",
        search="run",
        threads=0,
    )


def mailbox_of(task: Task, job: dict[str, Any]) -> Mailbox:
    """That of a submitted job."""
    place = f".searches/tiny/{job['submission_id']}"
    assert place in job["entrypoint"]
    return Mailbox(Location(f"{task.data.root}/{place}"))


def open_jobs(server: JobsServer, owner: str = "ann") -> RayJobs:
    return RayJobs(server.url, owner, 2, 1)


def test_trial_is_a_job_that_is_heard_and_replied_to(server: JobsServer, task: Task) -> None:
    jobs = open_jobs(server)
    jobs.start(task)
    [job] = server.submitted
    assert (job["entrypoint_num_cpus"], job["entrypoint_num_gpus"]) == (2, 1)
    box = mailbox_of(task, job)
    assert box.read(TASK) == {"number": 3}

    box.send(1, Epoch(1, 0.5))
    assert jobs.receive() == (3, Epoch(1, 0.5))
    jobs.reply(3, True)
    assert (box.receive_reply(1), box.receive_reply(2)) == (True, None)
    ended = Ended(state="complete", value=0.5, epoch=1, network="a", run="b")
    box.send(2, ended)
    assert jobs.receive() == (3, ended)
    jobs.reply(3, False)
    assert box.receive_reply(2) is False
    server.jobs[job["submission_id"]] = {"status": "SUCCEEDED"}
    jobs.finish(3)
    assert box.location.glob("*") == []
    jobs.close()
    assert server.stopped == []


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"status": "RUNNING"}, 1),
        ({"status": "PENDING"}, 1),
        ({"status": "SUCCEEDED"}, 1),
        ({"status": "FAILED"}, 2),
        ({"status": "STOPPED"}, 2),
        (None, 2),
    ],
)
def test_next_process_takes_over_what_goes_on_or_is_done(
    server: JobsServer, task: Task, job: dict[str, Any] | None, expected: int
) -> None:
    open_jobs(server).start(task)
    [first] = server.submitted
    mailbox_of(task, first).send(1, Epoch(1, 0.5))
    if job is None:
        # A cluster that was made anew.
        del server.jobs[first["submission_id"]]
    else:
        server.jobs[first["submission_id"]] = job
    later = open_jobs(server)
    later.start(task)
    assert len(server.submitted) == expected
    if expected == 1:
        assert later.receive() == (3, Epoch(1, 0.5))
    else:
        assert mailbox_of(task, server.submitted[1]).receive(1) is None


def test_another_search_has_jobs_of_its_own(server: JobsServer, task: Task) -> None:
    open_jobs(server, "ann").start(task)
    open_jobs(server, "bob").start(task)
    assert len({job["submission_id"] for job in server.submitted}) == 2


@pytest.mark.parametrize(
    ("job", "begun", "expected", "is_killed"),
    [
        (
            {"status": "FAILED", "message": "the node died."},
            False,
            "its job has ended: the node died",
            True,
        ),
        (
            {"status": "FAILED", "driver_exit_code": 137, "message": "logs:\n\nKilled\n"},
            True,
            "its job has ended: Killed",
            True,
        ),
        (
            {
                "status": "FAILED",
                "driver_exit_code": -9,
                "message": "Job entrypoint command failed with exit code -9, last available logs "
                "(truncated to 20,000 chars):\nRunning entrypoint for job a: python -m b\n",
            },
            True,
            "its job has ended: Job entrypoint command failed with exit code -9",
            True,
        ),
        ({"status": "STOPPED"}, True, "its job has ended: stopped", True),
        ({"status": "SUCCEEDED", "driver_exit_code": 0}, True, "its job has ended: suc", True),
        (None, True, "the cluster doesn't know its job any more", True),
        (
            {"status": "FAILED", "driver_exit_code": 1, "message": "logs:\nNo module named mesh"},
            False,
            "The machines of the Ray cluster can't do trials: No module named mesh.",
            False,
        ),
        (
            {
                "status": "FAILED",
                "error_type": "JOB_SUPERVISOR_ACTOR_START_TIMEOUT",
                "message": "Job supervisor actor failed to start within 900.0 seconds.",
            },
            False,
            "The Ray cluster has no room for a trial: Job supervisor actor failed to start",
            False,
        ),
    ],
)
def test_job_that_ends_without_a_last_word(
    server: JobsServer,
    task: Task,
    job: dict[str, Any] | None,
    begun: bool,
    expected: str,
    is_killed: bool,
) -> None:
    jobs = open_jobs(server)
    jobs.start(task)
    [submitted] = server.submitted
    box = mailbox_of(task, submitted)
    if begun:
        box.write(BEGUN, True)
    if job is None:
        server.jobs.clear()
    else:
        server.jobs[submitted["submission_id"]] = job
    number, message = jobs.receive()
    assert isinstance(message, Stopped)
    assert (number, message.is_killed) == (3, is_killed)
    assert message.reason.startswith(expected)
    assert "last available" not in message.reason
    assert box.location.glob("*") == []
    if is_killed:
        jobs.start(task)
        assert len(server.submitted) == 2


def test_trials_end_with_their_search(server: JobsServer, task: Task) -> None:
    jobs = open_jobs(server)
    jobs.start(task)
    jobs.close()
    assert server.stopped == [job["submission_id"] for job in server.submitted]
    assert not list(Path(task.data.root).rglob("*.json"))


def test_cluster_that_is_lost_ends_the_search_with_a_sentence(
    task: Task, caplog: pytest.LogCaptureFixture
) -> None:
    with running(JobsServer()) as server:
        jobs = open_jobs(server)
        jobs.start(task)
    with pytest.raises(MeshError, match="the same command goes on with the search once it does"):
        jobs.receive()
    jobs.close()
    assert "jobs are left to the cluster, which ends them: The Ray cluster" in caplog.text


def test_server_that_refuses_a_job_says_why(server: JobsServer, task: Task) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        server.jobs.clear()
        raise ConnectionResetError

    server.play = refuse
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(MeshError, match="hasn't answered for 0 minutes: .*; the same command goes"):
        open_jobs(server).start(task)


@pytest.mark.parametrize(
    "address",
    ["ray://host:10001", "http://", "host:port", "http://host:99999", "", "http://u:pw@host:8265"],
)
def test_address_that_is_none_is_a_sentence(address: str) -> None:
    with pytest.raises(UsageError, match="--ray ") as caught:
        JobServer(address)
    assert "pw" not in str(caught.value)


def test_auto_is_what_variables_name(server: JobsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", server.url.removeprefix("http://"))
    assert JobServer("auto").shown == server.url


def test_server_that_is_none_is_a_sentence() -> None:
    with (
        running(ScriptedServer(ScriptedServer.silence)) as other,
        pytest.raises(UsageError, match="isn't the dashboard of a Ray cluster"),
    ):
        JobServer(other.url)
    with pytest.raises(MeshError, match="can't be reached: .*Give the address of its dashboard"):
        JobServer(other.url)


@pytest.mark.parametrize("where", ["variable", "path", "home"])
def test_token_is_found_where_ray_finds_it(
    server: JobsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    server.token = TOKEN
    with pytest.raises(MeshError, match=r"refuses the token; set RAY_AUTH_TOKEN"):
        JobServer(server.url)
    if where == "variable":
        monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    else:
        file = tmp_path / ("token" if where == "path" else "home/.ray/auth_token")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{TOKEN}\n")
        if where == "path":
            monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    assert JobServer(server.url).find("none") is None


def test_storage_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = 2
    read = Location.read

    def fail(location: Location, name: str) -> bytes | None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise MeshError("The storage doesn't answer.")
        return read(location, name)

    monkeypatch.setattr(mailbox, "_PAUSE", 0.0)
    there = Mailbox(Location("memory://searches/a"))
    there.send(1, Epoch(1, 0.5))
    monkeypatch.setattr(Location, "read", fail)
    assert there.receive(1) == Epoch(1, 0.5)
    failures = 1_000_000
    monkeypatch.setattr(mailbox, "_PATIENCE", 0.0)
    with pytest.raises(MeshError, match="The storage doesn't answer"):
        there.receive(1)


def test_what_a_cluster_gets_holds_no_secret(
    server: JobsServer, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = RegistrySettings(
        uri="postgresql://ann:hunter2-hunter2@db/mesh",
        token=SecretStr("hunter2-hunter2"),
        user="ann",
    )
    found = ray_jobs._variables(registry)
    assert "hunter2" not in json.dumps(found)
    assert found["MESH_REGISTRY_USER"] == "ann"
