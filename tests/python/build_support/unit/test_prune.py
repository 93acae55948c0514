"""What is removed from Docker, with a stand-in for it."""

import os
import subprocess
from pathlib import Path

import pytest

PRUNE = Path("build-support/docker/prune").resolve()
# Stages by the labels, the newest first, as `docker images` lists them.
STAGES = {
    "5": "words/deps",
    "4": "names/deps",
    "3": "words/deps",
    "2": "words/srcs",
    "1": "words/deps",
}


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A `docker` that knows these stages, and writes down what else it is asked for."""
    program = tmp_path / "docker"
    labels = "\n".join(f"{key}) echo {label} {key} ;;" for key, label in STAGES.items())
    program.write_text(f"""#!/bin/bash
case "$1 $2" in
    "images --quiet") echo "$STAGES" ;;
    "image inspect") for id in "${{@:5}}"; do case $id in
        {labels}
        esac; done ;;
    *) echo "$*" >>{tmp_path}/commands ;;
esac
""")
    program.chmod(0o755)
    return tmp_path


def prune(docker: Path, *arguments: str, stages: str = "\n".join(STAGES)) -> list[str]:
    environment = {"PATH": f"{docker}{os.pathsep}{os.environ['PATH']}", "STAGES": stages}
    subprocess.run([PRUNE, *arguments], env=environment, check=True)
    return (docker / "commands").read_text().splitlines()


def test_only_the_newest_of_each_stage_stays(docker: Path) -> None:
    assert "image rm 3 1" in prune(docker)


def test_no_stage_stays_on_request(docker: Path) -> None:
    commands = prune(docker, "--stages")

    assert "image rm 5 4 3 2 1" in commands
    assert "builder prune --force --filter description=environment.py" in commands


def test_nothing_is_removed_where_nothing_is_old(docker: Path) -> None:
    for stages in ("", "5\n4\n2"):
        assert not [line for line in prune(docker, stages=stages) if line.startswith("image rm")]


def test_images_of_others_and_of_a_build_that_goes_on_are_left_alone(docker: Path) -> None:
    [images] = [line for line in prune(docker) if line.startswith("image prune")]

    assert "--filter label=org.mesh.repository" in images
    assert "--filter until=1h" in images
    assert "--all" not in images


def test_unknown_argument_removes_nothing(docker: Path) -> None:
    result = subprocess.run([PRUNE, "--al"], capture_output=True, text=True, check=False)

    assert (result.returncode, "prune --stages" in result.stderr) == (2, True)
