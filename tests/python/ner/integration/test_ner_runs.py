"""`mesh runs` with a registry on this machine: output, and sentences for bad input."""

import json
import time
from pathlib import Path

import pytest

from mesh.registry.factory import open_runs
from mesh.registry.runs import DATA_TAG, ERROR_TAG, PARENT_TAG, Figure, Runs
from mesh.registry.settings import RegistrySettings
from mesh_in_process import Mesh, make_mesh


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Of the project `ner`: one that finished, one that failed, one that nobody has heard from."""
    settings = RegistrySettings(uri=f"sqlite:///{tmp_path}/registry.db", user="ann@host")
    monkeypatch.setenv("MESH_REGISTRY_URI", settings.uri)
    monkeypatch.chdir(tmp_path)
    return open_runs(settings)


def now() -> int:
    return time.time_ns() // 1_000_000


def record(runs: Runs, rate: float, losses: list[float], age: int = 0) -> str:
    started = now() - age * 1000
    run_id = runs.start(
        "ner", "NER-TRAINED", {"learning_rate": str(rate), "seed": "1"}, {DATA_TAG: "d0"}, started
    )
    figures = [Figure("train/loss", loss, step, started) for step, loss in enumerate(losses)]
    runs.record(run_id, figures)
    return run_id


@pytest.fixture
def mesh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mesh:
    return make_mesh("runs", monkeypatch, capsys)


def test_runs_are_listed_shown_and_compared(runs: Runs, mesh: Mesh, tmp_path: Path) -> None:
    lost = record(runs, 0.3, [], age=600)
    first = record(runs, 0.1, [4, 3, 2, 1], age=120)
    # A resumed training repeats steps: the last value counts.
    runs.record(first, [Figure("train/loss", 0, 3, now()), Figure("test/f1", 0.75, 4, now())])
    assert runs.resume(first)
    runs.end(first, "finished", {"mesh.version": "NER-TRAINED-3"})
    second = record(runs, 0.2, [4, 8], age=60)
    runs.end(second, "failed", {ERROR_TAG: "The disk is full."})
    assert not runs.resume("0" * 32)

    code, output, _ = mesh("list", "ner")
    assert code == 0
    rows = [line.split() for line in output.splitlines()[2:]]
    assert [row[0] for row in rows] == [second[:8], first[:8], lost[:8]]
    assert [row[3] for row in rows] == ["failed", "finished", "lost"]
    assert rows[1][5:] == ["0.750", "test/f1", "NER-TRAINED-3", "d0"]
    _, output, errors = mesh("list", "ner", "--json")
    assert errors == ""
    assert [each["state"] for each in json.loads(output)] == ["failed", "finished", "lost"]

    code, output, _ = mesh("show", "ner", "NER-TRAINED-3")
    assert code == 0
    assert "█▆▅▁" in output
    _, output, errors = mesh("show", "ner", first[:8], "--json")
    assert errors == ""
    assert json.loads(output)["curves"] == {"train/loss": [[0, 4], [1, 3], [2, 2], [3, 0]]}
    _, output, _ = mesh("show", "ner")
    assert "The disk is full." in output

    plot = tmp_path / "curves.png"
    code, output, _ = mesh("compare", "ner", "--plot", str(plot))
    assert code == 0
    lines = [line.split() for line in output.splitlines()]
    assert lines[0] == [first[:8], "NER-TRAINED-3", second[:8], "failed"]
    assert ["learning_rate", "0.1", "0.2"] in lines
    assert "seed" not in output
    assert "▁█" in output
    assert plot.stat().st_size > 1_000


def test_trials_are_listed_below_their_search(runs: Runs, mesh: Mesh) -> None:
    before = record(runs, 0.1, [], age=90)
    search = runs.start("ner", "search", {"trials": "3"}, {}, now() - 80_000)
    trials = [
        runs.start("ner", f"trial {number}", {}, {PARENT_TAG: search}, now() - 70_000 + number)
        for number in range(2)
    ]
    after = record(runs, 0.1, [], age=10)
    orphan = runs.start("ner", "trial 0", {}, {PARENT_TAG: "0" * 32}, now())
    runs.record(trials[1], [Figure("trial/value", 0.5, 4, now())])
    runs.record(search, [Figure("search/best", 0.5, 1, now())])
    runs.end(trials[0], "pruned", {})
    code, output, _ = mesh("list", "ner")
    assert code == 0
    rows = output.splitlines()[2:]
    assert [row.split()[0] for row in rows] == [
        each[:8] for each in (orphan, after, search, *trials, before)
    ]
    assert [row[:3].isspace() for row in rows] == [True, False, False, True, True, False]
    assert "search " in rows[2]
    assert "0.500 search/best" in rows[2]
    assert "trial 0 " in rows[3]
    assert " pruned " in rows[3]
    assert "0.500 trial/value" in rows[4]
    _, output, _ = mesh("list", "ner", "--json")
    assert [each["parent"] for each in json.loads(output)][-2] == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "ner"), "No runs are 'latest': use the start of a run's id"),
        (("show", "ner", ""), "No runs are ''"),
        (("compare", "ner"), "Two runs or more are compared, and there is none"),
        (("compare", "ner", "abc", "def"), "No runs are 'abc'"),
        (("list", "nothing"), "nothing"),
    ],
)
def test_bad_input_is_a_sentence(
    runs: Runs, mesh: Mesh, arguments: tuple[str, ...], expected: str
) -> None:
    assert runs.list("ner") == []
    code, output, errors = mesh(*arguments)
    assert code in (1, 2)
    assert expected in errors
    assert "Traceback" not in output + errors


def test_the_beginning_of_several_ids_is_not_enough(runs: Runs, mesh: Mesh) -> None:
    # Ids have 16 different beginnings.
    ids = [record(runs, 0.1, []) for _ in range(17)]
    digits = [each[0] for each in ids]
    shared = next(digit for digit in digits if digits.count(digit) > 1)
    code, _, errors = mesh("show", "ner", shared)
    assert (code, f"runs are '{shared}'" in errors) == (1, True)


def test_no_runs_are_kept_elsewhere(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_REGISTRY_BACKEND", "neptune")
    code, _, errors = mesh("list", "ner")
    assert (code, "'neptune' keeps no runs of trainings" in errors) == (2, True)
