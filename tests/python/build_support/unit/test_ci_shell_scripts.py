"""The small scripts of CI, with stand-ins for the programs that reach other machines."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path("build-support/ci").resolve()
ZEROS = "0" * 40


def run(
    script: str, *arguments: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPTS / script), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    command = ["git", *identity, *arguments]
    result = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return result.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits on `main`, one on `feature`, and checked out what would come of merging that."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for message in ("One", "Two"):
        git(tmp_path, "commit", "--quiet", "--allow-empty", f"--message={message}")
    git(tmp_path, "checkout", "--quiet", "-b", "feature", "main^")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=Three")
    git(tmp_path, "checkout", "--quiet", "--detach", "main")
    git(tmp_path, "merge", "--quiet", "--no-ff", "--message=Merge", "feature")
    return tmp_path


def test_pull_request_is_compared_with_its_target(repository: Path) -> None:
    process = run("compare-with", "pull_request", cwd=repository)

    assert process.stdout.strip() == f"--base={git(repository, 'rev-parse', 'main')}"


def test_merge_queue_is_compared_with_what_it_builds_on(repository: Path) -> None:
    base = git(repository, "rev-parse", "main")
    assert run("compare-with", "merge_group", base, cwd=repository).stdout == f"--base={base}\n"
    for unknown in ("", ZEROS):
        process = run("compare-with", "merge_group", unknown, cwd=repository)
        assert (process.returncode, process.stdout) == (1, "")
        assert f"lacks the commit '{unknown}'" in process.stderr


@pytest.mark.parametrize("event", ["pull_request", "merge_group", "push"])
def test_folder_of_another_owner_is_named_as_that(repository: Path, event: str) -> None:
    process = run("compare-with", event, ZEROS, cwd=repository, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert (process.returncode, process.stdout) == (1, "")
    assert "dubious ownership" in process.stderr
    assert "git refuses this folder" in process.stderr


def test_unknown_event(tmp_path: Path) -> None:
    process = run("compare-with", "schedule", cwd=tmp_path)

    assert (process.returncode, process.stdout) == (2, "")
    assert "unknown event 'schedule'" in process.stderr


def stand_in(folder: Path, name: str, body: str) -> str:
    """A program of that name; the PATH on which it is found."""
    program = folder / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/bash\n{body}\n")
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def test_registry_login_gives_the_password_on_standard_input(tmp_path: Path) -> None:
    registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    stand_in(tmp_path, "aws", '[[ $* == *"--region eu-west-1"* ]] && echo pass-word')
    path = stand_in(tmp_path, "docker", 'echo "$*"; cat >"$HOME/password"')

    process = run("registry-login", registry, cwd=tmp_path, PATH=path, HOME=str(tmp_path))

    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == f"login --username AWS --password-stdin {registry}"
    assert (tmp_path / "password").read_text() == "pass-word\n"


def test_registry_login_fails_with_aws(tmp_path: Path) -> None:
    stand_in(tmp_path, "aws", "exit 254")
    path = stand_in(tmp_path, "docker", "cat >/dev/null")

    registry = "1.dkr.ecr.us-east-1.amazonaws.com"
    assert run("registry-login", registry, cwd=tmp_path, PATH=path).returncode != 0


def test_prepare_runner_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    process = run("prepare-runner", "gpu", cwd=tmp_path)

    assert process.returncode == 2
    assert "unknown 'gpu'" in process.stderr


@pytest.fixture
def disk(tmp_path: Path) -> dict[str, str]:
    """A runner with 14 GB free, and 9 more with each folder that is removed."""
    (tmp_path / "free").write_text("14")
    stand_in(
        tmp_path,
        "df",
        f"""echo Filesystem
echo "/dev/root 0 0 $(($(<{tmp_path}/free) * 1000000000 / 1024 + 1)) 1% /"
""",
    )
    path = stand_in(
        tmp_path,
        "sudo",
        f"""echo "$*" >>{tmp_path}/commands
echo $(($(<{tmp_path}/free) + 9)) >{tmp_path}/free""",
    )
    return {"PATH": path, "RUNNER_ENVIRONMENT": "github-hosted"}


def removed(folder: Path) -> list[str]:
    file = folder / "commands"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize(("wanted", "folders"), [("10", 0), ("14", 0), ("15", 1), ("25", 2)])
def test_as_much_of_a_runner_s_disk_is_freed_as_is_needed(
    tmp_path: Path, disk: dict[str, str], wanted: str, folders: int
) -> None:
    process = run("free-disk", wanted, cwd=tmp_path, **disk)

    assert process.returncode == 0, process.stderr
    commands = removed(tmp_path)
    assert len(commands) == folders
    assert all(command.startswith("rm -rf /") for command in commands)
    assert process.stdout == f"free-disk: {14 + 9 * folders} GB are free, 14 before\n"


def test_too_small_a_disk_fails_at_once(tmp_path: Path, disk: dict[str, str]) -> None:
    process = run("free-disk", "1000", cwd=tmp_path, **disk)

    assert process.returncode == 1
    assert "1000 GB are needed" in process.stderr


@pytest.mark.parametrize("environment", ["", "self-hosted"])
def test_nothing_is_removed_elsewhere(
    tmp_path: Path, disk: dict[str, str], environment: str
) -> None:
    process = run("free-disk", "20", cwd=tmp_path, **{**disk, "RUNNER_ENVIRONMENT": environment})

    assert process.returncode == 1
    assert removed(tmp_path) == []


@pytest.mark.parametrize("size", ["", "0", "much", "-1", "1; touch x"])
def test_size_must_be_a_number(tmp_path: Path, disk: dict[str, str], size: str) -> None:
    process = run("free-disk", size, cwd=tmp_path, **disk)

    assert process.returncode == 2
    assert "isn't a number of GB" in process.stderr
    assert removed(tmp_path) == []
