"""The driver of a backfill of any size, whose shards only sleep: `... ROWS SHARDS SECONDS FLIGHT RESULT`.

The driver's code, Ray, the task for each shard, its arguments, its record and the board are real.
Simulated are the input (parts that no file has) and the shards: a thousand at once sleep in one
process, as coroutines of an actor, and return the records of files that nobody has written.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.server_process import status
from mesh.backfill.cluster import Cluster, connected
from mesh.backfill.distribution import Distribution
from mesh.backfill.division import Part
from mesh.backfill.inputs import InputFile
from mesh.backfill.job import Job, make_job
from mesh.backfill.manifest import DATA, BackfillManifest, ModelEntry, ShardRecord
from mesh.backfill.progress import Progress
from mesh.backfill.settings import BackfillSettings
from mesh.core.manifest import FileEntry
from mesh.core.project import load_project

_BYTES = 64 * 1024 * 1024


class Sleeping:
    """Shards that sleep; an actor with coroutines."""

    def __init__(self, seconds: float, rows: int) -> None:
        self._seconds = seconds
        self._rows = rows

    async def ready(self) -> bool:
        """Whether it has started."""
        return True

    async def make(self, job: Job, part: Part, _files: Any, board: Any) -> ShardRecord:
        """The record of a part's shard, after the time that it takes."""
        name = job.name(part)
        await board.begin.remote(name)
        await asyncio.sleep(self._seconds)
        return ShardRecord(
            name=name,
            key=job.key(part),
            input=part.file.name,
            shard=part.number,
            first_row=part.first_row,
            rows=self._rows,
            rejected=0,
            reasons={},
            data=FileEntry(path=f"{DATA}/{name}.parquet", size=_BYTES // 10, sha256="0" * 64),
            rejects=None,
        )


@dataclass(frozen=True)
class ManySlots(Cluster):
    """A cluster that says that it has so many cores."""

    flight: int = 0

    def slots(self, settings: BackfillSettings) -> int:  # noqa: ARG002 - as the real one
        """So many."""
        return self.flight


@dataclass
class Simulated(Distribution):
    """The driver's distribution over shards that sleep."""

    actor: Any = None

    def make_task(self) -> Any:
        """The actor's coroutine, instead of a task."""
        return self.actor.make


def main() -> None:
    """Make all shards, and write what it took as JSON."""
    rows, shards = int(sys.argv[1]), int(sys.argv[2])
    seconds, flight, result = float(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])
    project = load_project("sleeper")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as output:
        settings = BackfillSettings(input=("in",), output=output, ray="local")
        model = ModelEntry(name=project.name, version=None, fingerprint="0" * 64, made_from={})
        file = InputFile("in/a.jsonl", "a.jsonl", shards * _BYTES, "sha256:0", "", "jsonl", "", "")
        parts = [
            Part(file, number, number * (rows // shards), number * _BYTES, (number + 1) * _BYTES)
            for number in range(shards)
        ]
        job = make_job(project, None, settings, model, {})
        progress = Progress(settings, shards, [])
        with connected(settings, {}), progress:
            # What the connection sets is read by the import.
            import ray

            cluster = ManySlots(embedded=True, flight=flight)
            remote: Any = ray.remote(Sleeping)
            options = remote.options(num_cpus=0, max_concurrency=flight)
            actor = options.remote(seconds, rows // shards)
            ray.get(actor.ready.remote())
            distribution = Simulated(job, cluster, progress.look, actor=actor)
            started = time.monotonic(), time.process_time()
            for record in distribution.run(parts):
                progress.add(record)
            took = time.monotonic() - started[0]
            driver = time.process_time() - started[1]
        manifest = BackfillManifest(
            project=project.name,
            model=model,
            code_revision="",
            settings={},
            columns={},
            inputs=(file.entry,),
            rows=sum(record.rows for record in progress.made),
            rejected=0,
            shards=tuple(progress.made),
        )
        size = len(manifest.model_dump_json(indent=2))
    result.write_text(
        json.dumps(
            {
                "seconds": took,
                "ideal": seconds * -(-shards // flight),
                "driver_cpu": driver,
                "driver_mb": status(os.getpid(), "VmHWM") / 1024,
                "manifest": size,
                "rows": manifest.rows,
            }
        )
    )


if __name__ == "__main__":
    main()
