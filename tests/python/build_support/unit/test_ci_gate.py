import json
import subprocess
import sys

import gate
import pytest


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ({"plan": "success", "tests": "success"}, []),
        ({"plan": "success", "tests": "skipped"}, []),
        ({"plan": "success", "tests": "failure"}, ["tests: failure"]),
        ({"plan": "success", "tests": "cancelled"}, ["tests: cancelled"]),
        ({"plan": "skipped", "tests": "skipped"}, ["plan: skipped"]),
        ({"plan": "failure", "tests": "skipped"}, ["plan: failure"]),
        ({"tests": "success"}, ["plan: isn't among the jobs waited for"]),
        # Not a word of GitHub's: an unknown result is no success.
        ({"plan": "success", "tests": "neutral"}, ["tests: neutral"]),
    ],
)
def test_gate(results: dict[str, str], found: list[str]) -> None:
    assert gate.problems(results, ["plan"]) == found


def run_gate(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, gate.__file__, "--required", "plan"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("result", "code"), [("success", 0), ("failure", 1)])
def test_exit_code(result: str, code: int) -> None:
    needs = {"plan": {"result": result, "outputs": {}}}

    process = run_gate(NEEDS=json.dumps(needs))

    assert process.returncode == code
    assert f"{result:10} plan" in process.stdout


def test_without_results_it_fails() -> None:
    process = run_gate()

    assert process.returncode == 1
    assert "set NEEDS" in process.stderr
