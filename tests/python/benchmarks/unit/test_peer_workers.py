"""Contestants compute in processes of their own, in turns."""

from pathlib import Path

import pytest

from benchmarks.peer_workers import Contestant, TurnsSettings, measure
from mesh.core.errors import MeshError

WORK = """
import os

calls = 0


def load(setup):
    print("what a library says while it loads")

    def work(inputs):
        global calls
        calls += 1
        if setup == "fail":
            raise ValueError("a failure of the work")
        print("what a library says while it works")
        made = {"double": lambda each: 2 * each, "count": lambda each: calls}[setup]
        return [made(each) for each in inputs]

    return work
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "some_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_outputs_are_in_the_order_of_the_inputs(folder: Path) -> None:
    contestants = [Contestant(name, "some_work", setup="double") for name in ("one", "other")]
    settings = TurnsSettings(rounds=2, together=2, cache=folder)

    workers = measure(contestants, [1, 2, 3, 4, 5], settings)

    assert [worker.name for worker in workers] == ["one", "other"]
    for worker in workers:
        assert worker.outputs == [2, 4, 6, 8, 10]
        assert len(worker.cpu) == len(worker.wall) == 2


def test_outputs_that_change_from_round_to_round_are_refused(folder: Path) -> None:
    settings = TurnsSettings(rounds=2, cache=folder)

    with pytest.raises(MeshError, match="counter has other outputs in another round"):
        measure([Contestant("counter", "some_work", setup="count")], [1], settings)


def test_failure_is_reported_with_what_was_printed(folder: Path) -> None:
    with pytest.raises(MeshError, match=r"(?s)broken ended; its output:.*a failure of the work"):
        measure([Contestant("broken", "some_work", setup="fail")], [1], TurnsSettings(cache=folder))
