"""The workflows: they fit GitHub's schema, and all they call is there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matrix
import pytest

from build_support.unit.workflow_files import ACTIONS, FOLDER, SCRIPTS, WORKFLOWS, jobs, load, uses

# What runners bring, and what bash has.
PROGRAMS = {"echo", "gh", "git"}
# Values for the variables that commands are given, so that they can be tried.
VALUES = {
    "PROJECT": "keywords",
    "SHARD": "0/2",
    "compared": "--all",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_RUN_ID": "1",
    "GITHUB_RUN_ATTEMPT": "1",
    "BEFORE": "",
    "PART": "keywords",
}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command that a step runs, as words."""
    for name, script in SCRIPTS:
        # What is assigned or printed is a command of its own.
        text = re.sub(r"(?m)^\s*\w+=\$\((.*)\)$", r"\1", script)
        for line in text.splitlines():
            if line.strip():
                words = shlex.split(line.split(">>")[0])
                yield name, words


COMMANDS = sorted({(name, tuple(words)) for name, words in commands()})


def fill(word: str) -> str:
    """A word with the variables' values."""
    return re.sub(r"\$(\w+)", lambda found: VALUES.get(found[1], "a"), word)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the Makefile looks at, with one project."""
    shutil.copy("Makefile", tmp_path)
    (tmp_path / "docker").mkdir()
    shutil.copy("docker/compose.yaml", tmp_path / "docker")
    for file in ("project.py", "train/BUILD", "compile/BUILD", "serve/BUILD"):
        path = tmp_path / "src/python/keywords" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_there_are_workflows() -> None:
    expected = {
        "ci",
        "_train_model",
        "_compile_model",
        "_provision_customized_runner",
        "_images",
        "_verify",
        "nightly",
        "release",
        "supply-chain",
    }
    assert {path.stem for path in WORKFLOWS} == expected
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.dependabot", [Path(".github/dependabot.yml")]),
    ],
)
def test_schema(schema: str, files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    process = subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, check=False
    )

    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize(("name", "script"), SCRIPTS)
def test_scripts_parse(name: str, script: str) -> None:
    process = subprocess.run(
        ["bash", "-n"], input=script, capture_output=True, text=True, check=False
    )

    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(("name", "words"), COMMANDS)
def test_commands_exist_and_parse(name: str, words: tuple[str, ...], tree: Path) -> None:
    program = words[0]
    if program in PROGRAMS:
        return
    if program == "make":
        if not shutil.which("make"):
            pytest.skip("there is no make on PATH")
        process = subprocess.run(
            ["make", "--dry-run", *map(fill, words[1:])],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return
    file = Path(words[1] if program == "python3" else program)
    assert file.is_file(), file
    if program == "python3":
        ask_for_help([sys.executable, str(file)])
        return
    assert os.access(file, os.X_OK), file
    if file.read_text().startswith("#!/usr/bin/env bash"):
        assert subprocess.run(["bash", "-n", str(file)], check=False).returncode == 0
    flags = [word for word in words[1:] if word.startswith("--")]
    if file.name in ("plan", "run-plan"):
        shown = ask_for_help([str(file)])
        assert not [flag for flag in flags if flag not in shown]


def ask_for_help(command: list[str]) -> str:
    process = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize(
    "words",
    # images.py would build.
    sorted(
        {words for _, words in COMMANDS if words[0] == "python3" and "images.py" not in words[1]}
    ),
)
def test_arguments_of_python_scripts_are_known(words: tuple[str, ...], tmp_path: Path) -> None:
    """With every argument in place, what stops a script is a missing file or variable, not its command line."""
    process = subprocess.run(
        [sys.executable, str(Path(words[1]).resolve()), *map(fill, words[2:])],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode != 2, process.stderr
    assert "usage:" not in process.stderr


def test_no_commit_on_main_is_cancelled() -> None:
    """In a group that runs share, a run that waits is cancelled by the next one."""
    for path in WORKFLOWS:
        workflow = load(path)
        assert not [name for name, job in workflow["jobs"].items() if "concurrency" in job], path
        if "push" in workflow["on"]:
            group = workflow["concurrency"]
            own = "github.event_name == 'pull_request' && github.ref || github.run_id"
            assert own in group["group"]
            assert group["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
        elif path.name != "release.yaml":
            assert "concurrency" not in workflow, path
    assert load(FOLDER / "release.yaml")["concurrency"] == {"group": "release"}


def test_each_kind_of_job_has_a_cache_of_its_own() -> None:
    [cache] = [
        step["with"]
        for step in load(Path(".github/actions/prepare/action.yaml"))["runs"]["steps"]
        if step.get("uses", "").startswith("actions/cache@")
    ]
    own = "pants-${{ runner.os }}-${{ github.job }}-${{ inputs.part }}-"
    assert cache["key"].startswith(own)
    assert cache["restore-keys"] == own
    kinds: dict[str, set[str]] = {}
    for name, job in jobs():
        if uses(job, "./.github/actions/prepare"):
            kinds.setdefault(name.partition(":")[2], set()).add(str(job.get("strategy")))
            [step] = [one for one in job["steps"] if "prepare" in one.get("uses", "")]
            # Projects need different packages; shards of tests need the same.
            parts = "${{ matrix.part }}" if "part" in str(job.get("strategy")) else None
            assert step.get("with", {}).get("part") == parts, name
    assert {"plan", "checks", "tests", "images", "vendors", "audit"} == set(kinds)


def test_jobs_with_large_environments_have_room() -> None:
    """Before anything is downloaded."""
    for name, job in jobs():
        commands = [step.get("run", step.get("uses", "")) for step in job.get("steps", ())]
        if (
            "base-image" in str(commands)
            and "images.py" in str(commands)
            or "--shard" in str(commands)
        ):
            assert commands[1].startswith("build-support/ci/free-disk "), name


def test_plan_may_ask_for_runs() -> None:
    plan = load(FOLDER / "ci.yaml")["jobs"]["plan"]

    assert plan["permissions"] == {"contents": "read", "actions": "read"}
    [step] = [step for step in plan["steps"] if "compare-with" in step.get("run", "")]
    assert step["env"]["GITHUB_TOKEN"] == "${{ github.token }}"
    checkout = plan["steps"][0]
    assert checkout["with"]["fetch-depth"] == 0


def test_every_job_has_a_time_limit() -> None:
    assert [name for name, job in jobs() if "steps" in job and "timeout-minutes" not in job] == []


def test_called_workflows_get_what_they_declare() -> None:
    calls = [(name, job) for name, job in jobs() if "uses" in job]
    assert calls
    for name, job in calls:
        called = load(Path(job["uses"].removeprefix("./")))
        for kind, given in (("inputs", "with"), ("secrets", "secrets")):
            declared = called["on"]["workflow_call"].get(kind, {})
            required = {key for key, value in declared.items() if value.get("required")}
            assert required <= set(job.get(given, {})) <= set(declared), f"{name}: {kind}"
        needed = [inner.get("permissions", {}) for inner in called["jobs"].values()]
        for permission in {key for inner in needed for key in inner}:
            assert permission in job["permissions"], f"{name} must grant {permission}"


def test_outputs_and_needs_exist() -> None:
    for path in WORKFLOWS:
        all_jobs = load(path)["jobs"]
        for name, job in all_jobs.items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            assert set(needs) <= set(all_jobs), name
            for other, output in re.findall(r"needs\.(\w+)\.outputs\.(\w+)", str(job)):
                assert other in needs, f"{path.name}:{name} reads {other} without needing it"
                source = all_jobs[other]
                if "uses" in source:
                    called = load(Path(source["uses"].removeprefix("./")))
                    assert output in called["on"]["workflow_call"]["outputs"]
                else:
                    assert output in source["outputs"], f"{path.name}:{name}: {other}.{output}"


def test_gate_waits_for_every_job() -> None:
    all_jobs = load(FOLDER / "ci.yaml")["jobs"]
    gate = all_jobs.pop("gate")

    assert set(gate["needs"]) == set(all_jobs)
    assert gate["if"] == "always()"


def test_outputs_of_the_plan_are_those_that_its_script_prints() -> None:
    parts: dict[str, list[Any]] = {"checks": [], "tests": [], "images": [], "models": []}
    printed = set(matrix.jobs(Path.cwd(), parts))

    assert set(load(FOLDER / "ci.yaml")["jobs"]["plan"]["outputs"]) == {"tag", *printed}
    for name in ("release", "nightly"):
        assert set(load(FOLDER / f"{name}.yaml")["jobs"]["plan"]["outputs"]) <= {"tag", *printed}


def test_all_containers_are_tested_every_night() -> None:
    workflow = load(FOLDER / "nightly.yaml")

    assert workflow["on"]["schedule"]
    runs = [step.get("run", "") for step in workflow["jobs"]["plan"]["steps"]]
    assert "build-support/ci/plan --all --json plan.json" in runs
    assert ["build-support/docker/test", "$PART"] in [
        words for name, words in commands() if name == "nightly.yaml:images"
    ]


def test_machine_is_stopped_whatever_happened() -> None:
    for name in ("_train_model", "_compile_model"):
        stop = load(FOLDER / f"{name}.yaml")["jobs"]["stop"]
        assert stop["if"].startswith("${{ always()")
        assert stop["with"]["verb"] == "stop"
        start = load(FOLDER / f"{name}.yaml")["jobs"]["start"]
        assert stop["with"]["name"] == start["with"]["name"]
