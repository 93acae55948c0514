"""The command with the projects' images and shipped data."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest

from mesh.core.errors import UsageError
from mesh.core.project import get_project, source_root
from pipelines.containers import CONTAINERS, choose
from pipelines.plan import ENTRY_POINT

IMAGES: dict[str, str] = json.loads(os.environ.get("MESH_TEST_IMAGES") or "{}")
"""The images as `build-support/docker/built` prints them: from name with tag to id."""

PATIENCE = 1800
TRAINING = 4
SOME_DATA = "/app/lib/python3.11/site-packages/*/ingest/samples/support.jsonl"
VARIABLES = {
    "INGEST_SOURCE": SOME_DATA,
    "TRAIN_EPOCHS": "1",
    "COMPILE_VOCABULARY_WORDS": "200",
    "BACKFILL_INPUT": "outputs/documents.jsonl",
    "BACKFILL_OUTPUT": "outputs/backfill",
}
QUICK = ("--variables", json.dumps(VARIABLES))
"""Settings for a quick model from a part of the shipped data."""


def image(project: str, component: str) -> str:
    """The name of a component's image, with registry and tag."""
    [found] = [
        name
        for name in IMAGES
        if name.rpartition("/")[2].rpartition(":")[0] == f"{project}-{component}"
    ]
    return found


def components(project: str) -> set[str]:
    names = (name.rpartition("/")[2].rpartition(":")[0] for name in IMAGES)
    return {name.rpartition("-")[2] for name in names if name.rpartition("-")[0] == project}


def numbers(project: str) -> list[int]:
    """The containers of a project for which there are images."""
    found = []
    for number in CONTAINERS:
        try:
            steps = choose(get_project(project), [number])
        except UsageError:
            continue
        if {step.component for step in steps} <= components(project):
            found.append(number)
    return found


def projects() -> list[str]:
    """One project for each set of containers with images, if it is trained."""
    chosen: dict[tuple[int, ...], str] = {}
    for name in sorted({name.rpartition("/")[2].rpartition("-")[0] for name in IMAGES}):
        chosen.setdefault(tuple(numbers(name)), name)
    return [name for some, name in chosen.items() if TRAINING in some]


pytestmark = pytest.mark.skipif(
    not projects(),
    reason="no images of pipelines are given; build-support/docker/test builds and tests them, "
    "with a Docker daemon",
)


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.run_kfp", *flags]


def environment(some_image: str) -> dict[str, str]:
    inherited = ("PATH", "HOME", "DOCKER_HOST")
    paths = [str(source_root()), *(path for path in sys.path if path)]
    return {
        **{name: os.environ[name] for name in inherited if name in os.environ},
        "PYTHONPATH": os.pathsep.join(paths),
        "IMAGE_TAG": some_image.rpartition(":")[2],
        "IMAGE_REGISTRY": some_image.rpartition("/")[0],
    }


def run(workspace: Path, project: str, *flags: str, **more: str) -> tuple[int, str]:
    some_image = next(name for name in IMAGES if name.rpartition("/")[2].startswith(project))
    result = subprocess.run(
        command("--project", project, *flags),
        cwd=workspace,
        env=environment(some_image) | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    assert "Traceback" not in result.stdout, result.stdout
    return result.returncode, result.stdout


def choice(project: str, *some: int) -> list[str]:
    flags = [flag for number in some for flag in ("-r", str(number))]
    return [*flags, "-t", "dataset_v22"] if {3} & set(some) else flags


@pytest.mark.parametrize("project", projects())
def test_every_container_of_a_project_runs_and_repeats_no_work(
    tmp_path: Path, project: str
) -> None:
    documents = tmp_path / "outputs/documents.jsonl"
    documents.parent.mkdir()
    documents.write_text('{"text": "Marie Curie was born in Warsaw."}\n')
    every = numbers(project)
    to_training = [number for number in every if number <= TRAINING]
    exit_code, output = run(tmp_path, project, *choice(project, *reversed(to_training)), *QUICK)
    assert exit_code == 0, output
    assert "is done." in output
    exit_code, output = run(tmp_path, project, *choice(project, *reversed(every)), *QUICK)
    assert exit_code == 0, output
    assert f"{project.upper()}-TRAINED-1 is up to date" in output
    assert f"registered {project.upper()}-COMPILED-1" in output
    # The second run kept the existing results.
    versions = sorted((tmp_path / ".mesh").glob("data/*/features/*/manifest.json"))
    assert len(versions) == (1 if 2 in every else 0)
    assert len(list((tmp_path / ".mesh").glob("data/*/tags/dataset_v22.dvc"))) == len(versions)
    [manifest] = tmp_path.glob("outputs/backfill/*/manifest.json")
    assert json.loads(manifest.read_text())["rows"] == 1


@pytest.fixture
def project() -> str:
    """The project with the most containers."""
    return max(projects(), key=lambda name: len(numbers(name)))


def test_failing_step_is_the_last_and_gives_its_exit_code(tmp_path: Path, project: str) -> None:
    """Without earlier results, the second container of a project fails at once."""
    later = numbers(project)[1:]
    exit_code, output = run(tmp_path, project, *choice(project, *later))
    [failing, *rest] = [step.program for number in later for step in CONTAINERS[number]]
    assert exit_code == 1, output
    assert f"stopped at {failing} (exit code 1)." in output
    table = output[output.rindex("exit code   seconds") :]
    assert [line.split()[:3] for line in table.splitlines() if "not run" in line] == [
        [program, "not", "run"] for program in rest
    ]


def test_wrong_setting_of_a_step_is_named_with_its_exit_code(tmp_path: Path, project: str) -> None:
    first = numbers(project)[0]
    variables = '{"MESH_ENV_FILE": "config/none.env"}'
    exit_code, output = run(tmp_path, project, *choice(project, first), "--variables", variables)
    assert (exit_code, "config/none.env" in output) == (2, True), output


def test_killed_run_stops_its_container_and_leaves_no_half_version(
    tmp_path: Path, project: str
) -> None:
    client = docker.from_env()
    first = numbers(project)[0]
    [step, *_] = CONTAINERS[first]
    name = image(project, step.component)
    process = subprocess.Popen(
        command("--project", project, *choice(project, first)),
        cwd=tmp_path,
        env=environment(name),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def containers() -> list[object]:
        mount = f"{tmp_path}/.mesh"
        return [
            container
            for container in client.containers.list()
            if mount in {mounted["Source"] for mounted in container.attrs["Mounts"]}
        ]

    deadline = time.monotonic() + PATIENCE
    while not containers():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert containers() == []
    assert not list(tmp_path.rglob("*.partial"))
    assert not list((tmp_path / ".mesh").rglob("manifest.json"))


def test_missing_image_is_one_sentence_before_anything_starts(tmp_path: Path, project: str) -> None:
    first = numbers(project)[0]
    exit_code, output = run(
        tmp_path, project, *choice(project, first), IMAGE_REGISTRY="", IMAGE_TAG="never-built"
    )
    assert exit_code == 2, output
    assert ":never-built is missing" in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", IMAGES)
def test_pipelines_start_the_image_s_own_entry_point(name: str) -> None:
    entry_point = docker.from_env().images.get(name).attrs["Config"]["Entrypoint"]
    assert tuple(entry_point[: len(ENTRY_POINT)]) == ENTRY_POINT
    project, _, component = name.rpartition("/")[2].rpartition(":")[0].rpartition("-")
    assert entry_point[-1] == f"{project.replace('-', '_')}.{component}" or component == "load"
