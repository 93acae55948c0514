"""Print the newest commit below the checked-out one whose run of a workflow succeeded: `succeeded.py ci.yaml main`.

GitHub is asked for the runs of pushes to the branch, newest first. Nothing is printed, and the
reason is said, if there is no such commit or GitHub doesn't answer: everything is then to be
planned. GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN are those of a job with `actions: read`.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from typing import Any

PAGE = 100
MOST_PAGES = 10
"""GitHub lists at most 1,000 runs."""
TRIES = 3
LONGEST_WAIT = 60.0
"""Seconds between tries; GitHub may ask for an hour, and planning everything is quicker."""
TIMEOUT = 30.0

_COMMIT = re.compile(r"[0-9a-f]{40}")


class NoAnswerError(Exception):
    """GitHub gave no answer that can be used; the message says why."""


def succeeded(
    environment: Mapping[str, str],
    workflow: str,
    branch: str,
    is_below: Callable[[str], bool],
    wait: Callable[[float], None] = time.sleep,
) -> str | None:
    """The newest commit whose run succeeded, of those that `is_below` accepts.

    Raises:
        NoAnswerError: GitHub doesn't say.
    """
    repository = environment["GITHUB_REPOSITORY"]
    for run in _runs(environment, workflow, branch, wait):
        # The name of a fork's branch may be the same, and its run checks less than that of a push.
        mine = (run.get("head_repository") or {}).get("full_name")
        if (run.get("event"), run.get("head_branch"), mine) != ("push", branch, repository):
            continue
        commit = run.get("head_sha")
        if run.get("conclusion") != "success" or not _COMMIT.fullmatch(str(commit)):
            continue
        if is_below(str(commit)):
            return str(commit)
    return None


def _runs(
    environment: Mapping[str, str], workflow: str, branch: str, wait: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    """The successful runs of a workflow, newest first, as GitHub describes them."""
    api = environment["GITHUB_API_URL"].rstrip("/")
    file = urllib.parse.quote(workflow, safe="")
    address = f"{api}/repos/{environment['GITHUB_REPOSITORY']}/actions/workflows/{file}/runs"
    for page in range(1, MOST_PAGES + 1):
        query = {"branch": branch, "event": "push", "status": "success"}
        numbers = {"per_page": PAGE, "page": page}
        request = urllib.request.Request(  # noqa: S310
            f"{address}?{urllib.parse.urlencode({**query, **numbers})}",
            headers={
                "Accept": "application/vnd.github+json",
                "User-Agent": "mesh-ci",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        # Not for where a redirection may lead.
        request.add_unredirected_header("Authorization", f"Bearer {environment['GITHUB_TOKEN']}")
        runs = _entries(_answer(request, wait))
        yield from runs
        if len(runs) < PAGE:
            return


def _entries(text: bytes) -> list[dict[str, Any]]:
    """The runs in an answer."""
    try:
        runs = json.loads(text)["workflow_runs"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoAnswerError("it isn't GitHub's list of runs that came back") from error
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise NoAnswerError("it isn't GitHub's list of runs that came back")
    return runs


def _answer(request: urllib.request.Request, wait: Callable[[float], None]) -> bytes:
    """The body of an answer; what may pass is tried again."""
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            with error:
                pause = _pause(error.code, error.headers, TRIES - left)
            reason = f"it answered with {error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            pause, reason = 2.0 ** (TRIES - left), f"it can't be reached ({error})"
        if pause is None or pause > LONGEST_WAIT or not left:
            raise NoAnswerError(reason)
        wait(pause)
    raise AssertionError("unreachable")


def _pause(status: int, headers: Message, tried: int) -> float | None:
    """The seconds after which another try may succeed; none if it won't.

    A used-up limit is a 403 or 429 that says when it ends: in `retry-after`, or for the hourly one in
    `x-ratelimit-reset`, seconds since 1970.
    """
    if status in (403, 429):
        if (seconds := headers.get("retry-after", "")).isdigit():
            return float(seconds)
        if headers.get("x-ratelimit-remaining") == "0":
            reset = headers.get("x-ratelimit-reset", "")
            return max(0.0, float(reset) - time.time()) if reset.isdigit() else None
    return 2.0**tried if status >= 500 or status == 429 else None


def _is_ancestor(commit: str) -> bool:
    command = ["git", "merge-base", "--is-ancestor", commit, "HEAD"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def main() -> None:
    """Print the commit, or say why there is none."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workflow", help="the workflow's file, such as ci.yaml")
    parser.add_argument("branch")
    options = parser.parse_args()
    missing = [
        name
        for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN")
        if not os.environ.get(name)
    ]
    if missing:
        sys.exit(f"succeeded.py: {', '.join(missing)} isn't set; is this a job of GitHub's?")
    try:
        commit = succeeded(os.environ, options.workflow, options.branch, _is_ancestor)
    except NoAnswerError as error:
        print(f"succeeded.py: GitHub doesn't say which runs succeeded: {error}.", file=sys.stderr)
        return
    if commit:
        print(commit)
    else:
        print(
            f"succeeded.py: no run of {options.workflow} on {options.branch} succeeded for a commit"
            " before this one.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
