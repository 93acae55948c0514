"""The small scripts of CI, with stand-ins for the programs that reach other machines."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path("build-support/ci").resolve()
ZEROS = "0" * 40
IDENTITY = "identity-of-the-job"
KEYS = '{"AccessKeyId": "AKIA1", "SecretAccessKey": "sec/ret", "SessionToken": "ses+sion"}'


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


def test_push_is_compared_with_what_was_there(repository: Path) -> None:
    before = git(repository, "rev-parse", "main^")

    process = run("compare-with", "push", before, cwd=repository)

    assert process.stdout.strip() == f"--base={before}"


@pytest.mark.parametrize("before", [ZEROS, "", "ab" * 20])
def test_push_on_nothing_known_needs_everything(repository: Path, before: str) -> None:
    process = run("compare-with", "push", before, cwd=repository)

    assert (process.returncode, process.stdout) == (0, "--all\n")


def test_forced_push_needs_everything(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "main")
    elsewhere = git(repository, "rev-parse", "feature")

    assert run("compare-with", "push", elsewhere, cwd=repository).stdout == "--all\n"


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


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    """The environment of a GitHub job with the permission `id-token: write`."""
    stand_in(
        tmp_path,
        "curl",
        f"""echo "$*" >>{tmp_path}/commands
grep -q 'Authorization: bearer job-secret' || exit 22
echo '{{"value": "{IDENTITY}"}}'""",
    )
    path = stand_in(
        tmp_path,
        "aws",
        f"""echo "$*" >>{tmp_path}/commands
[[ $* =~ file://([^ ]+) && $(<"${{BASH_REMATCH[1]}}") == {IDENTITY} ]] || exit 255
echo '{{"Credentials": {KEYS}}}'""",
    )
    return {
        "PATH": path,
        "TMPDIR": str(tmp_path),
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/token?a=b",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job-secret",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci",
        "AWS_REGION": "us-east-1",
        "GITHUB_ENV": str(tmp_path / "env"),
    }


def test_login_hands_credentials_to_later_steps_masked(tmp_path: Path, job: dict[str, str]) -> None:
    process = run("aws-login", cwd=tmp_path, **job)

    assert process.returncode == 0, process.stderr
    assert (tmp_path / "env").read_text().splitlines() == [
        "AWS_ACCESS_KEY_ID=AKIA1",
        "AWS_SECRET_ACCESS_KEY=sec/ret",
        "AWS_SESSION_TOKEN=ses+sion",
        "AWS_REGION=us-east-1",
    ]
    masks = ["::add-mask::AKIA1", "::add-mask::sec/ret", "::add-mask::ses+sion"]
    assert process.stdout.splitlines()[:3] == masks
    rest = "".join(process.stdout.splitlines()[3:]) + process.stderr
    commands = (tmp_path / "commands").read_text()
    for secret in ("job-secret", IDENTITY, "sec/ret", "ses+sion"):
        assert secret not in rest + commands
    # What was left in temporary files.
    assert not [file for file in tmp_path.glob("tmp.*") if file.is_file()]


def test_login_that_is_refused_leaves_nothing(tmp_path: Path, job: dict[str, str]) -> None:
    process = run("aws-login", cwd=tmp_path, **{**job, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "wrong"})

    assert process.returncode != 0
    assert not (tmp_path / "env").exists()


def test_login_without_permission_says_so(tmp_path: Path, job: dict[str, str]) -> None:
    process = run("aws-login", cwd=tmp_path, **{**job, "ACTIONS_ID_TOKEN_REQUEST_URL": ""})

    assert process.returncode == 1
    assert "id-token: write" in process.stderr


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
