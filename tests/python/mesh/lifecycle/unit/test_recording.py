"""A training's run is recorded beside the training, whatever happens to the server."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mesh.core.errors import MeshError
from mesh.core.project import Project
from mesh.lifecycle.training import recording
from mesh.lifecycle.training.recording import Recording
from mesh.registry.runs import ERROR_TAG, Figure, flat_figures
from mesh.registry.settings import RegistrySettings

PROJECT = Project(name="tiny", description="", port=1)


class Server:
    """Runs in memory; lost while `is_lost`."""

    def __init__(self) -> None:
        self.is_lost = False
        self.runs: dict[str, dict[str, Any]] = {}

    def open(self, _: RegistrySettings) -> "Server":
        self._answer()
        return self

    def start(
        self,
        experiment: str,
        name: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        started: int,
    ) -> str:
        self._answer()
        run_id = f"run-{len(self.runs)}"
        self.runs[run_id] = {
            "experiment": experiment,
            "parameters": dict(parameters),
            "tags": dict(tags),
            "figures": [],
            "states": ["running"],
        }
        return run_id

    def resume(self, run_id: str) -> bool:
        self._answer()
        if run_id in self.runs:
            self.runs[run_id]["states"].append("running")
        return run_id in self.runs

    def record(self, run_id: str, figures: Sequence[Figure]) -> None:
        self._answer()
        self.runs[run_id]["figures"] += figures

    def end(self, run_id: str, state: str, tags: Mapping[str, str]) -> None:
        self._answer()
        self.runs[run_id]["states"].append(state)
        self.runs[run_id]["tags"] |= tags

    def machine(self) -> Mapping[str, float]:
        return {"system/load": 1.0}

    def losses(self, run_id: str) -> list[tuple[int, float]]:
        figures = self.runs[run_id]["figures"]
        return [(each.step, each.value) for each in figures if each.name == "loss"]

    def _answer(self) -> None:
        if self.is_lost:
            raise MeshError("The registry failed: it can't be reached.")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(recording, "open_runs", server.open)
    monkeypatch.setattr(recording, "_SECONDS", 0.01)
    monkeypatch.setenv("MESH_CODE_REVISION", "abc")
    return server


def record(parameters: Mapping[str, Any] | None = None, *, wanted: bool = True) -> Recording:
    return Recording(PROJECT, RegistrySettings(), parameters or {}, wanted=wanted)


def test_figures_arrive_with_parameters_and_the_end(server: Server, tmp_path: Path) -> None:
    with record({"epochs": 3, "password": "hidden"}) as run:
        run.describe({"rows": 7}, {"data": "d0"})
        run.start(tmp_path)
        for step in range(2_000):
            run.log(step, {"loss": 1 / (step + 1)})
        assert run.reference() == {"experiment": "tiny", "id": "run-0"}
    [found] = server.runs.values()
    assert found["parameters"] == {"epochs": "3", "password": "***", "rows": "7"}
    assert found["tags"] == {"mlflow.source.git.commit": "abc", "data": "d0"}
    assert found["states"] == ["running", "finished"]
    assert server.losses("run-0") == [(step, 1 / (step + 1)) for step in range(2_000)]


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (MeshError("The base model is missing."), "failed", "The base model is missing."),
        (ValueError("a defect with details"), "failed", "ValueError"),
        (KeyboardInterrupt(), "interrupted", None),
    ],
)
def test_a_training_that_does_not_end_says_why(
    server: Server, error: BaseException, state: str, said: str | None
) -> None:
    """Even if it has not begun."""
    with pytest.raises(type(error)), record():
        raise error
    [found] = server.runs.values()
    assert found["states"] == ["running", state]
    assert found["tags"].get(ERROR_TAG) == said


def test_nothing_is_sent_where_it_is_off_or_there_is_nothing_to_train(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.is_lost = True
    before = threading.active_count()
    with record(wanted=False) as run:
        run.start(tmp_path)
        run.log(1, {"loss": 1})
        assert threading.active_count() == before
        assert run.reference() == {}
    with record() as run:
        run.discard()
    monkeypatch.setattr(Server, "_answer", lambda _: pytest.fail("it was called"))
    read_only = RegistrySettings(client_mode="read-only")
    with Recording(PROJECT, read_only, {}, wanted=True) as run:
        run.start(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_lost_server_misses_is_sent_when_it_is_back(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with record() as run:
        run.start(tmp_path)
        run.log(1, {"loss": 3})
        assert run.reference()
        server.is_lost = True
        run.log(2, {"loss": 2})
        run._attempt(run._send)
        server.is_lost = False
        run.log(3, {"loss": 1})
    assert server.losses("run-0") == [(1, 3), (2, 2), (3, 1)]
    warnings = [each for each in caplog.records if each.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "the training goes on" in warnings[0].message


def test_a_resumed_training_goes_on_with_its_run(server: Server, tmp_path: Path) -> None:
    def interrupted() -> None:
        with record() as run:
            run.start(tmp_path)
            run.log(1, {"loss": 3})
            run._attempt(run._send)
            server.is_lost = True
            run.log(2, {"loss": 2})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    server.is_lost = False
    with record() as run:
        run.start(tmp_path)
        run.log(3, {"loss": 1})
    [found] = server.runs.values()
    assert found["states"] == ["running", "running", "finished"]
    assert server.losses("run-0") == [(1, 3), (2, 2), (3, 1)]


@pytest.mark.parametrize("damage", ["", "{", json.dumps({"id": 3}), json.dumps([])])
def test_a_damaged_record_of_the_run_begins_another(
    server: Server, tmp_path: Path, damage: str
) -> None:
    (tmp_path / "run.json").write_text(damage)
    (tmp_path / "figures.jsonl").write_text("what?")
    with record() as run:
        run.start(tmp_path)
        run.log(1, {"loss": 3})
    assert server.losses("run-0") == [(1, 3)]


def test_figures_of_a_card_are_named_by_their_paths() -> None:
    card = {
        "test": {"f1": 0.5, "per_label": {"A/B": {"f1": 1}}, "matrix": [[1]], "ok": True},
        "plots": ["x"],
        "temperature": 2,
        "..": {"": 1},
    }
    assert flat_figures(card) == {
        "test/f1": 0.5,
        "test/per_label/A_B/f1": 1.0,
        "temperature": 2.0,
        "_/_": 1.0,
    }
