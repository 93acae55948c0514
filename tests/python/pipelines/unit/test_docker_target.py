"""What Docker is told, by a stand-in of its client."""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project
from pipelines.docker_target import run_in_containers
from pipelines.plan import make_plan
from pipelines.settings import ImageSettings, PipelineSettings
from pipelines.specification import write_specification

MOODS = Project(name="moods", description="", port=1, steps=(*DATA_STEPS, *TRAINED_STEPS))
VALUES = {"COST": "$(USER) 5$$ {{$.x}} {{channel:task=;name=a;type=String;}}", "TEXT": "a\n'b'"}


class Container:
    """One that succeeds at once."""

    def logs(self, *, stream: bool) -> Iterator[bytes]:
        return iter([b"done\n"])

    def wait(self) -> dict[str, int]:
        return {"StatusCode": 0}

    def remove(self, *, force: bool) -> None:
        pass


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The options of each container that was started."""
    options: list[dict[str, Any]] = []

    def run(**given: Any) -> Container:
        options.append(given)
        return Container()

    client = types.SimpleNamespace(
        containers=types.SimpleNamespace(run=run),
        images=types.SimpleNamespace(get=lambda name: types.SimpleNamespace(id="sha256:1")),
        info=dict,
        close=lambda: None,
    )
    monkeypatch.setattr(docker, "from_env", lambda: client)
    return options


def test_containers_get_values_as_they_were_given(
    started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = PipelineSettings(project="moods", run_containers=[1, 2], variables=VALUES)
    plan = make_plan(MOODS, settings, ImageSettings(tag="7"))
    write_specification(plan, tmp_path / "pipeline.yaml")
    secrets = {"HF_TOKEN": "$(USER)"}
    outcomes = run_in_containers(plan, tmp_path / "pipeline.yaml", secrets, lambda name: None)
    assert [outcome.exit_code for outcome in outcomes] == [0, 0]
    for options in started:
        assert options["environment"].items() >= (VALUES | secrets).items()


@pytest.mark.parametrize(("gpus", "shared"), [(0, None), (1, None), (2, "1g")])
def test_processes_on_several_gpus_share_enough_memory(
    started: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    gpus: int,
    shared: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = PipelineSettings(project="moods", run_containers=[1, 4], gpus=gpus)
    plan = make_plan(MOODS, settings, ImageSettings(tag="7"))
    write_specification(plan, tmp_path / "pipeline.yaml")
    run_in_containers(plan, tmp_path / "pipeline.yaml", {}, lambda name: None)
    ingest, train = started
    assert train.get("shm_size") == shared
    assert [request["Count"] for request in train.get("device_requests", ())] == [gpus][
        : bool(gpus)
    ]
    assert not {"shm_size", "device_requests"} & ingest.keys()
