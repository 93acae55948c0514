"""From which commit a push to main is planned, with a GitHub of our own that answers as its API does."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import succeeded

from services.http import Handler, running

REPOSITORY = "someone/mesh"
TOKEN = "token-of-the-job"
COMPARE = Path("build-support/ci/compare-with").resolve()

Answer = tuple[int, dict[str, str], bytes]


class GitHub(Handler):
    """The list of a workflow's runs, filtered and in pages, behind what is made to fail first."""

    server: "Server"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.server.asked.append((address.path, query, self.headers.get("Authorization")))
        status, headers, body = (
            self.server.first.pop(0) if self.server.first else self.list(address.path, query)
        )
        self.answer(status, body, headers)

    def list(self, path: str, query: dict[str, str]) -> Answer:
        if path != f"/repos/{REPOSITORY}/actions/workflows/ci.yaml/runs":
            return 404, {}, b'{"message": "Not Found"}'
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {}, b'{"message": "Bad credentials"}'
        found = [
            run
            for run in self.server.runs
            if run["head_branch"] == query["branch"]
            and query.get("event", run["event"]) == run["event"]
            and query["status"] in (run["status"], run["conclusion"])
        ]
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        part = found[(page - 1) * size : page * size]
        return 200, {}, json.dumps({"total_count": len(found), "workflow_runs": part}).encode()


class Server(ThreadingHTTPServer):
    """GitHub with its runs, newest first, the answers that come before the list, and what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), GitHub)
        self.runs: list[dict[str, Any]] = []
        self.first: list[Answer] = []
        self.asked: list[tuple[str, dict[str, str], str | None]] = []

    @property
    def environment(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self.server_port}"
        return {
            "GITHUB_API_URL": address,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REF_NAME": "main",
        }

    def ask(
        self, below: Callable[[str], bool] = lambda _: True, waited: list[float] | None = None
    ) -> str | None:
        wait = (waited if waited is not None else []).append
        return succeeded.succeeded(self.environment, "ci.yaml", "main", below, wait)


@pytest.fixture
def github() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


def commit(number: int) -> str:
    return f"{number:040x}"


def run(head: int | str, conclusion: str | None = "success", **more: Any) -> dict[str, Any]:
    return {
        "head_sha": head if isinstance(head, str) else commit(head),
        "head_branch": "main",
        "head_repository": {"full_name": REPOSITORY},
        "event": "push",
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        **more,
    }


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], None),
        ([run(3), run(2)], 3),
        # Three quick pushes: what failed, was cancelled or still runs is no beginning.
        ([run(4, None), run(3, "cancelled"), run(2, "failure"), run(1)], 1),
        ([run(3, "timed_out"), run(2, "skipped")], None),
        ([run(3, "failure"), run(2, "neutral"), run(1, "startup_failure")], None),
        # A branch of a fork, or a pull request's, has the same name.
        ([run(3, event="pull_request"), run(2, event="schedule"), run(1)], 1),
        ([run(3, head_repository={"full_name": "stranger/mesh"}), run(1)], 1),
        ([run(3, head_repository=None), run(1)], 1),
        ([run(3, head_branch="release"), run(1)], 1),
        ([run("main"), run("--all"), run(""), run(1)], 1),
    ],
)
def test_newest_commit_that_succeeded(
    github: Server, runs: list[dict[str, Any]], expected: int | None
) -> None:
    github.runs = runs

    assert github.ask() == (commit(expected) if expected else None)


@pytest.mark.parametrize(
    "strange", [run(3, head_branch="release"), run(3, event="pull_request"), run(3, "failure")]
)
def test_what_was_asked_for_is_looked_at_again(github: Server, strange: dict[str, Any]) -> None:
    """A server that knows one filter less, as older releases of GitHub's do, changes nothing."""
    body = json.dumps({"total_count": 2, "workflow_runs": [strange, run(1)]}).encode()
    github.first = [(200, {}, body)]

    assert github.ask() == commit(1)


def test_it_asks_for_pushes_as_the_job(github: Server) -> None:
    github.ask()

    [(path, query, authorization)] = github.asked
    assert path == f"/repos/{REPOSITORY}/actions/workflows/ci.yaml/runs"
    assert query == {
        "branch": "main",
        "event": "push",
        "status": "success",
        "per_page": "100",
        "page": "1",
    }
    assert authorization == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("count", "wanted", "pages"), [(100, 0, 2), (250, 1, 3), (101, 1, 2), (99, 0, 1), (2000, 0, 10)]
)
def test_pages_are_read_until_a_commit_is_below(
    github: Server, count: int, wanted: int, pages: int
) -> None:
    """Pages that are full are followed by others, but GitHub lists no more than a thousand runs."""
    github.runs = [run(number) for number in range(count, 0, -1)]

    found = github.ask(below=lambda sha: sha == commit(wanted))

    assert found == (commit(wanted) if wanted else None)
    assert [query["page"] for _, query, _ in github.asked] == [str(n + 1) for n in range(pages)]


def test_pages_end_where_a_commit_is_found(github: Server) -> None:
    github.runs = [run(number) for number in range(300, 0, -1)]

    assert github.ask(below=lambda sha: sha == commit(290)) == commit(290)
    assert len(github.asked) == 1


BROKEN: Answer = (502, {}, b"<html>Bad gateway</html>")


@pytest.mark.parametrize(
    ("first", "waited"),
    [
        ([BROKEN], [2.0]),
        ([BROKEN, (503, {}, b"")], [2.0, 4.0]),
        ([(429, {}, b"")], [2.0]),
        ([(429, {"Retry-After": "7"}, b"{}")], [7.0]),
        ([(403, {"Retry-After": "0"}, b"{}")], [0.0]),
        ([(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, b"{}")], [0.0]),
    ],
)
def test_what_may_pass_is_tried_again(
    github: Server, first: list[Answer], waited: list[float]
) -> None:
    github.runs, github.first = [run(1)], first
    waits: list[float] = []

    assert github.ask(waited=waits) == commit(1)
    assert waits == waited


LATER = str(int(time.time()) + 3000)


@pytest.mark.parametrize(
    ("first", "said", "tries"),
    [
        ([BROKEN] * 3, "502", 3),
        ([(401, {}, b"{}")], "401", 1),
        ([(403, {}, b'{"message": "Resource not accessible by integration"}')], "403", 1),
        ([(404, {}, b"{}")], "404", 1),
        ([(422, {}, b"{}")], "422", 1),
        # An hourly limit lasts longer than planning everything.
        ([(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": LATER}, b"{}")], "403", 1),
        ([(429, {"Retry-After": "3600"}, b"{}")], "429", 1),
        ([(200, {}, b"<html>sign in</html>")], "GitHub's list", 1),
        ([(200, {}, b'{"total_count": 0}')], "GitHub's list", 1),
        ([(200, {}, b'{"workflow_runs": null}')], "GitHub's list", 1),
        ([(200, {}, b'{"workflow_runs": [1]}')], "GitHub's list", 1),
        ([(200, {}, b"[]")], "GitHub's list", 1),
        ([(200, {}, b"\xff\xfe")], "GitHub's list", 1),
    ],
)
def test_no_answer_is_said_and_nothing_is_guessed(
    github: Server, first: list[Answer], said: str, tries: int
) -> None:
    github.runs, github.first = [run(1)], first

    with pytest.raises(succeeded.NoAnswerError, match=said) as error:
        github.ask()
    assert len(github.asked) == tries
    assert TOKEN not in str(error.value)


def test_failure_on_a_later_page_is_no_answer(github: Server) -> None:
    github.runs = [run(number) for number in range(150, 0, -1)]
    page = json.dumps({"workflow_runs": github.runs[:100]}).encode()
    github.first = [(200, {}, page), (404, {}, b"{}")]

    with pytest.raises(succeeded.NoAnswerError, match="404"):
        github.ask(below=lambda sha: sha == commit(1))


def test_the_token_does_not_follow_a_redirection(github: Server) -> None:
    with running(Server()) as elsewhere:
        target = f"{elsewhere.environment['GITHUB_API_URL']}/repos/{REPOSITORY}/elsewhere"
        github.first = [(301, {"Location": target}, b"")]

        with pytest.raises(succeeded.NoAnswerError):
            github.ask()
        assert [authorization for _, _, authorization in elsewhere.asked] == [None]


def test_nobody_answers(github: Server) -> None:
    environment = github.environment
    github.server_close()

    with pytest.raises(succeeded.NoAnswerError, match="can't be reached"):
        succeeded.succeeded(environment, "ci.yaml", "main", lambda _: True, lambda _: None)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Four commits on `main`, and one on a branch that left it at the second."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for message in ("One", "Two", "Three", "Four"):
        git(tmp_path, "commit", "--quiet", "--allow-empty", f"--message={message}")
    git(tmp_path, "checkout", "--quiet", "-b", "elsewhere", "main~2")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=Other")
    git(tmp_path, "checkout", "--quiet", "main")
    return tmp_path


def compare(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMPARE), "push"],
        cwd=clone,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_push_is_planned_from_the_last_success_below_it(clone: Path, github: Server) -> None:
    two, three = (git(clone, "rev-parse", f"main~{back}") for back in (2, 1))
    replaced = git(clone, "rev-parse", "elsewhere")
    unknown = "ab" * 20
    github.runs = [run(three, "failure"), run(replaced), run(unknown), run(two)]

    process = compare(clone, **github.environment)

    assert (process.returncode, process.stdout) == (0, f"--base={two}\n"), process.stderr


@pytest.mark.parametrize(
    ("runs", "first", "said"),
    [
        ([], [], "no run of ci.yaml on main succeeded"),
        ([run("ab" * 20)], [], "no run of ci.yaml on main succeeded"),
        ([], [(404, {}, b"{}")], "404 Not Found"),
        ([], [(200, {}, b"nothing")], "GitHub's list"),
    ],
)
def test_everything_is_planned_where_no_success_is_known(
    clone: Path, github: Server, runs: list[dict[str, Any]], first: list[Answer], said: str
) -> None:
    github.runs, github.first = runs, first

    process = compare(clone, **github.environment)

    assert (process.returncode, process.stdout) == (0, "--all\n"), process.stderr
    assert said in process.stderr
    assert "everything is planned" in process.stderr


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_setting_that_is_missing_stops_the_plan(clone: Path, github: Server, name: str) -> None:
    process = compare(clone, **{**github.environment, name: ""})

    assert (process.returncode, process.stdout) == (1, "")
    assert f"{name} isn't set" in process.stderr
