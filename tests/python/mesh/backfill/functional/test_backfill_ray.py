"""Backfills on real Ray: two nodes on this machine, whose processes are killed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from shout_project import count_ids, plan, results, snapshot, write_parquet
from trace_collector import Collector, collecting

KILLS = int(os.environ.get("MESH_TEST_KILLS", "6"))
"""Of workers and drivers at random moments; a release tries more."""

ROWS = [{"id": f"r{number}", "text": f"text {number}"} for number in range(1200)]
FLAGS = ("--id", "id", "--shard-mb", "0.001", "--retries", "1000")
SECONDS = 0.01
DEADLINE = 600


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of two nodes with one core each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # Others would wait for all else that this machine does.
        patch.setenv("RAY_worker_niceness", "0")
        from ray.cluster_utils import Cluster

        node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 * 1024 * 1024}
        made = Cluster()
        try:
            for _ in range(2):
                add_node(made, **node, include_dashboard=False)
            yield made
        finally:
            made.shutdown()


def add_node(cluster: Any, **arguments: Any) -> None:
    """Add a node; its processes take long to begin on a busy machine, where Ray gives up."""
    for last in (False, False, True):
        try:
            cluster.add_node(**arguments)
        except Exception:
            if last:
                raise
        else:
            return


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of traces."""
    with collecting() as found:
        yield found


class Driver:
    """The program, in a process of its own."""

    def __init__(self, shout: Path, *flags: str, **variables: str) -> None:
        path = os.pathsep.join([str(shout), *filter(None, sys.path)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mesh.core.start", "shout.backfill", "backfill", *flags],
            env={**os.environ, "PYTHONPATH": path, "SHOUT_SECONDS": str(SECONDS), **variables},
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> tuple[int, str]:
        """The exit code, and what was logged."""
        _, errors = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, errors


@pytest.fixture
def whole(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What an uninterrupted run writes."""
    write_parquet(workspace / "in/a.parquet", ROWS)
    monkeypatch.setenv("SHOUT_SECONDS", str(SECONDS))
    backfill = plan("--input", "in", "--output", "whole", *FLAGS)
    assert len(backfill.parts) > 10
    assert backfill.run() == 0
    return workspace / "whole"


def workers() -> list[psutil.Process]:
    """The processes that make shards, and that of the board."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if (process.info["cmdline"] or [""])[0].startswith(("ray::backfill", "ray::Board"))
    ]


def wait_for_shard(driver: Driver, workspace: Path) -> None:
    """Wait until a shard is finished."""
    end = time.monotonic() + DEADLINE
    while not list(workspace.glob("out/*/_shards/*.json")):
        assert driver.process.poll() is None, driver.wait()[1]
        assert time.monotonic() < end
        time.sleep(0.05)


def listening(driver: Driver) -> list[Any]:
    """Where a driver and its descendants accept connections."""
    family = psutil.Process(driver.process.pid)
    return [
        connection.laddr
        for process in (family, *family.children(recursive=True))
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]


def test_killed_workers_drivers_and_a_node_lose_and_repeat_nothing(
    shout: Path, cluster: Any, workspace: Path, whole: Path
) -> None:
    flags = ("--input", "in", "--output", "out", "--ray", cluster.address, *FLAGS)
    chance = random.Random(7)
    driver = Driver(shout, *flags)
    wait_for_shard(driver, workspace)
    killed: Counter[str] = Counter()
    while killed.total() < KILLS and driver.process.poll() is None:
        time.sleep(chance.uniform(0.1, 1.0))
        if chance.random() < 0.2:
            driver.process.send_signal(signal.SIGKILL)
            assert driver.wait()[0] == -signal.SIGKILL
            killed["driver"] += 1
            driver = Driver(shout, *flags)
        elif found := workers():
            chance.choice(found).kill()
            killed["worker"] += 1
    if driver.process.poll() is None:
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
    code, errors = driver.wait()
    assert code == 0, errors
    assert snapshot(workspace / "out") == snapshot(whole)
    assert count_ids(workspace / "out") == Counter(row["id"] for row in ROWS)
    assert killed.total() > 0


def test_ctrl_c_lets_begun_shards_finish_in_an_embedded_run(
    shout: Path, workspace: Path, whole: Path, collector: Collector
) -> None:
    flags = ("--input", "in", "--output", "out", "--ray", "local", "--workers", "1", *FLAGS)
    driver = Driver(shout, *flags, RAY_worker_niceness="0", **collector.environment)
    wait_for_shard(driver, workspace)
    assert {place.ip.removeprefix("::ffff:") for place in listening(driver)} == {"127.0.0.1"}
    driver.process.send_signal(signal.SIGINT)
    code, errors = driver.wait()
    assert code == 130, errors
    assert "started Ray inside this process, on 1 cores" in errors
    assert "shards that have begun are finished" in errors
    folder = results(workspace / "out")
    data = {path.stem for path in (folder / "data").iterdir()}
    assert data == {path.stem for path in (folder / "_shards").iterdir()}
    assert not any((folder / "_partial").iterdir())
    assert not (folder / "_SUCCESS").exists()
    # Its trace has a span for each.
    [program, _] = collector.wait_for("shout.backfill:backfill", "shard")
    shards = [span for span in collector.spans if span.name == "shard"]
    assert {span.attributes["mesh.shard"] for span in shards} == data
    assert {(span.trace, span.parent) for span in shards} == {(program.trace, program.id)}
    assert program.attributes["mesh.fingerprint"].startswith(folder.name.removeprefix("model="))
    assert program.attributes["process.exit.code"] == 130
    # Other ways to go on make the same.
    assert plan(*flags).run() == 0
    assert snapshot(workspace / "out") == snapshot(whole)


def test_worker_that_always_dies_is_a_sentence(
    shout: Path, workspace: Path, cluster: Any, collector: Collector
) -> None:
    write_parquet(workspace / "in/a.parquet", [{"text": "a"}, {"text": "die"}])
    flags = ("--input", "in", "--output", "out", "--ray", cluster.address, "--retries", "1")
    code, errors = Driver(shout, *flags, **collector.environment).wait()
    assert code == 1
    assert "error: The shard a.parquet-00000-" in errors
    assert "failed 2 times, at last: " in errors
    assert "Traceback" not in errors
    shards = [span for span in collector.spans if span.name == "shard"]
    assert [span.attributes["mesh.attempt"] for span in shards] == [1, 2]
    assert all(span.failed for span in shards)
    assert {span.attributes["error.type"] for span in shards} == {"WorkerCrashedError"}
