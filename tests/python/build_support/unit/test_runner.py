"""Starting and stopping machines, with a GitHub of our own and an `aws` that keeps its machines in a file."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import runner

from services.http import running

SECRET = "token-of-an-administrator"
CONFIG = "Y29uZmlndXJhdGlvbg=="
# Instances are folders named after their ids, each with the state and the user data of one.
AWS = """#!/bin/bash
echo "$*" >>"$MACHINES/calls"
case $2 in
    run-instances)
        [[ ! -e $MACHINES/refuse ]] || { echo "InsufficientInstanceCapacity" >&2; exit 254; }
        mkdir "$MACHINES/i-1"
        for argument in "$@"; do
            [[ $argument != --user-data=* ]] || cp "${argument#--user-data=file://}" "$MACHINES/i-1/user-data"
        done
        echo pending >"$MACHINES/i-1/state"
        echo i-1
        ;;
    describe-instances)
        case "$*" in
            *--filters*) if grep -qsxE 'pending|running' "$MACHINES/i-1/state"; then echo i-1; fi ;;
            *) cat "$MACHINES/i-1/state" ;;
        esac
        ;;
    terminate-instances) echo terminated >"$MACHINES/$4/state" ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


class FakeGitHub(ThreadingHTTPServer):
    """Knows one repository's runners; a runner is online after it was looked for a number of times."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.runners: dict[int, dict[str, Any]] = {}
        self.looks_until_online: float = 2
        self.looked_for = threading.Event()
        self.registrations: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        path = path.removeprefix("/repos/team/mesh/actions/runners")
        if path == "/downloads":
            file = {"architecture": "x64", "download_url": "https://example.com/runner.tar.gz"}
            return 200, [{**file, "os": "linux", "sha256_checksum": "ab" * 32}]
        if path == "/generate-jitconfig":
            self.registrations.append(body)
            self.runners[7] = {"id": 7, "name": body["name"], "status": "offline"}
            return 201, {"runner": self.runners[7], "encoded_jit_config": CONFIG}
        if path.startswith("?"):
            return 200, {"runners": list(self.runners.values()) if "&page=1" in path else []}
        number = int(path.removeprefix("/"))
        if number not in self.runners:
            return 404, {"message": "Not Found"}
        if method == "DELETE":
            del self.runners[number]
            return 204, None
        self.looks_until_online -= 1
        self.looked_for.set()
        status = "online" if self.looks_until_online <= 0 else "offline"
        return 200, {**self.runners[number], "status": status}


class Handler(BaseHTTPRequestHandler):
    server: FakeGitHub

    def respond(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        if self.headers["Authorization"] != f"Bearer {SECRET}":
            status, answer = 401, {"message": "Bad credentials"}
        else:
            status, answer = self.server.answer(self.command, self.path, body)
        self.send_response(status)
        self.end_headers()
        if answer is not None:
            self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_DELETE = respond

    def log_message(self, *arguments: object) -> None:
        pass


class Cloud:
    """What the program is run against."""

    def __init__(self, folder: Path, github: FakeGitHub) -> None:
        self.github = github
        self.machines = folder / "machines"
        self.machines.mkdir()
        program = folder / "bin/aws"
        program.parent.mkdir()
        program.write_text(AWS)
        program.chmod(0o755)
        self.environment = {
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "MACHINES": str(self.machines),
            "GITHUB_API_URL": f"http://127.0.0.1:{github.server_address[1]}",
            "GITHUB_REPOSITORY": "team/mesh",
            "RUNNER_TOKEN": SECRET,
            "RUNNER_POLL_SECONDS": "0.01",
        }

    def command(self, verb: str, *more: str) -> list[str]:
        options = ["--name", "compile-keywords-12-1"]
        if verb == "start":
            options += ["--instance-type", "inf2.xlarge", "--image", "ami-1"]
            options += ["--subnet", "subnet-1", "--security-group", "sg-1"]
        return [sys.executable, runner.__file__, verb, *options, *more]

    def run(self, verb: str, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(verb, *more),
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def state(self) -> str:
        return (self.machines / "i-1/state").read_text().strip()

    @property
    def calls(self) -> str:
        return (self.machines / "calls").read_text()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with running(FakeGitHub()) as github:
        yield Cloud(tmp_path, github)


def test_machine_starts_works_and_is_terminated(cloud: Cloud) -> None:
    started = cloud.run("start")

    assert started.returncode == 0, started.stderr
    assert "waits for its job" in started.stdout
    assert cloud.github.registrations == [
        {
            "name": "compile-keywords-12-1",
            "runner_group_id": 1,
            "labels": ["compile-keywords-12-1"],
        }
    ]
    assert cloud.state == "pending"

    stopped = cloud.run("stop")

    assert (stopped.returncode, cloud.state, cloud.github.runners) == (0, "terminated", {})


def test_stopping_twice_is_no_failure(cloud: Cloud) -> None:
    assert cloud.run("start").returncode == 0
    assert cloud.run("stop").returncode == 0

    again = cloud.run("stop")

    assert again.returncode == 0
    assert "there was no such machine" in again.stdout


def test_user_data_is_a_script_that_checks_what_it_downloads(cloud: Cloud) -> None:
    cloud.run("start", "--minutes", "90")
    script = cloud.machines / "i-1/user-data"
    text = script.read_text()

    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert f"{'ab' * 32}  runner.tar.gz" in text
    assert "shutdown --poweroff +90" in text
    assert "bash /opt/prepare-runner compose neuron" in text
    # EC2 takes 16 KiB.
    assert len(text.encode()) < 12_000


def test_only_machines_with_accelerators_get_their_driver() -> None:
    def script(machine: str) -> str:
        return runner.user_data(("https://example.com/a", "ab"), CONFIG, machine, 60)

    assert "prepare-runner compose neuron\n" in script("trn1.2xlarge")
    assert "prepare-runner compose\n" in script("c7i.4xlarge")


def test_no_secret_is_printed_or_on_a_command_line(cloud: Cloud) -> None:
    process = cloud.run("start")

    shown = process.stdout + process.stderr + cloud.calls
    assert SECRET not in shown
    assert CONFIG not in shown
    assert SECRET not in (cloud.machines / "i-1/user-data").read_text()


def test_machine_is_bound_to_terminate_and_to_the_new_metadata_service(cloud: Cloud) -> None:
    cloud.run("start")

    assert "--instance-initiated-shutdown-behavior=terminate" in cloud.calls
    assert "HttpTokens=required" in cloud.calls
    assert "Encrypted=true" in cloud.calls


def test_no_capacity(cloud: Cloud) -> None:
    (cloud.machines / "refuse").touch()

    process = cloud.run("start")

    assert process.returncode == 1
    assert "InsufficientInstanceCapacity" in process.stderr
    assert "Traceback" not in process.stderr
    assert cloud.github.runners == {}


def test_machine_that_never_reports_is_terminated(cloud: Cloud) -> None:
    cloud.github.looks_until_online = float("inf")

    process = cloud.run("start", "--wait", "0")

    assert process.returncode == 1
    assert "did not report to GitHub" in process.stderr
    assert (cloud.state, cloud.github.runners) == ("terminated", {})


def test_machine_that_dies_while_starting(cloud: Cloud) -> None:
    cloud.github.looks_until_online = float("inf")
    with subprocess.Popen(
        cloud.command("start"), env=cloud.environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert cloud.github.looked_for.wait(30)
        (cloud.machines / "i-1/state").write_text("shutting-down\n")
        _, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "i-1 is shutting-down before it took a job" in err
    assert cloud.github.runners == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_cancelled_start_leaves_no_machine(cloud: Cloud, number: signal.Signals) -> None:
    cloud.github.looks_until_online = float("inf")
    with subprocess.Popen(
        cloud.command("start"), env=cloud.environment, stderr=subprocess.DEVNULL
    ) as process:
        assert cloud.github.looked_for.wait(30)
        process.send_signal(number)
        process.wait(timeout=30)

    assert process.returncode != 0
    assert (cloud.state, cloud.github.runners) == ("terminated", {})


def test_refused_token(cloud: Cloud) -> None:
    process = cloud.run("start", RUNNER_TOKEN="another")

    assert process.returncode == 1
    assert "GitHub answered 401" in process.stderr
    assert not (cloud.machines / "calls").exists()


def test_missing_settings_are_all_named(cloud: Cloud) -> None:
    process = cloud.run("stop", RUNNER_TOKEN="", GITHUB_REPOSITORY="")

    assert process.returncode == 1
    assert "set GITHUB_REPOSITORY and RUNNER_TOKEN." in process.stderr


@pytest.mark.parametrize("name", ["", "A", "a b", "x;y", "a'b", "-a", "a" * 64])
def test_names_are_plain(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        runner.parse(["stop", f"--name={name}"])

    assert stopped.value.code == 2
    assert "lower-case letters" in capsys.readouterr().err


def test_aws_is_a_program(cloud: Cloud) -> None:
    """The stand-in is found before the real one, which this machine may have."""
    assert shutil.which("aws", path=cloud.environment["PATH"]) == str(
        cloud.machines.parent / "bin/aws"
    )
