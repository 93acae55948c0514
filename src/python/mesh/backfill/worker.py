"""What a Ray task does: it makes one shard, with the model that its process has loaded."""

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh.backfill.division import Part
from mesh.backfill.job import Job, find_record
from mesh.backfill.manifest import ShardRecord
from mesh.backfill.models import describe_model, make_model, own_settings, placement
from mesh.backfill.shard import compute_part
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory, temporary_folder
from mesh.serve.model import ServedModel

SECONDS_BETWEEN_REPORTS = 1.0

Files = Mapping[str, bytes]

# Of this process, by the model's fingerprint.
_loaded: dict[str, ServedModel] = {}


def make_shard(job: Job, part: Part, files: Sequence[Any], board: Any) -> ShardRecord | None:
    """Make the shard of a part, unless it is finished.

    Args:
        files: a reference to the files of the compiled version, for machines without them; [] where all
            workers have the driver's.
        board: the actor that knows how far shards are.

    Returns:
        None if the run is to end and the shard hasn't been begun.
    """
    import ray

    name = job.name(part)
    # A board that is lost stops nobody.
    with contextlib.suppress(ray.exceptions.RayActorError):
        if not ray.get(board.begin.remote(name)):
            return None
    # A worker that was lost may have finished it.
    if (record := find_record(job, part)) is not None:
        return record
    report = _Report(job, name, board)
    model = _model(job, files)
    with temporary_folder() if job.folder.local is None else contextlib.nullcontext():
        return compute_part(job, part, model, report.add)


def _model(job: Job, files: Sequence[Any]) -> ServedModel:
    if job.model not in _loaded:
        own = own_settings(job.project)
        with model_directory(job, files) as directory:
            if files:
                _require_same(job, directory, own)
            model = make_model(job.project, directory, own)
            with placement(job.settings.precision):
                model.load()
        _loaded[job.model] = model
    return _loaded[job.model]


def _require_same(job: Job, directory: Path | None, own: Sequence[Any]) -> None:
    """Check that this machine computes what the driver's does.

    Raises:
        MeshError: it has other code, packages or settings.
    """
    precision = job.settings.precision
    if describe_model(job.project, directory, own, precision).fingerprint != job.model:
        raise MeshError(
            "A worker has other code, packages or settings of the model than the driver; start both "
            "from the same image, with the same env files."
        )


@contextlib.contextmanager
def model_directory(job: Job, files: Sequence[Any]) -> Iterator[Path | None]:
    """The directory of the compiled version: the driver's, or a copy of it."""
    import tempfile

    import ray

    if job.directory is None or not files:
        yield job.directory
        return
    content: Files = ray.get(files[0])
    # The model may read its files later, too. The machine's other workers share the copy.
    target = Path(tempfile.gettempdir()) / f"mesh-backfill-{job.model}" / job.directory.name
    if not target.is_dir():
        with contextlib.suppress(FileExistsError), atomic_directory(target, replace=True) as folder:
            for name, each in content.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(each)
    yield target


class _Report:
    """Tells the board, and Ray's metrics, how far a shard is."""

    def __init__(self, job: Job, name: str, board: Any) -> None:
        self._tags = {"project": job.project.name}
        self._name = name
        self._board = board
        self._rows = 0
        self._rejected = 0
        self._reported = time.monotonic()

    def add(self, rows: int, rejected: int) -> None:
        self._rows += rows
        self._rejected += rejected
        for name, count in (("rows", rows), ("rejected", rejected)):
            if count:
                _counter(name).inc(count, self._tags)
        if time.monotonic() - self._reported >= SECONDS_BETWEEN_REPORTS:
            self._reported = time.monotonic()
            self._board.set.remote(self._name, self._rows, self._rejected)


@functools.cache
def _counter(name: str) -> Any:
    from ray.util.metrics import Counter

    return Counter(f"mesh_backfill_{name}", f"Backfill: {name}.", tag_keys=("project",))


class Board:
    """How far the shards are that are computed now, and whether others may begin; an actor."""

    def __init__(self) -> None:
        self._stopped = False
        self._shards: dict[str, tuple[int, int]] = {}

    def begin(self, name: str) -> bool:
        """Note that a shard begins; return whether it may."""
        if not self._stopped:
            self._shards[name] = (0, 0)
        return not self._stopped

    def set(self, name: str, rows: int, rejected: int) -> None:
        """Note how many rows of a shard are predicted for and rejected."""
        if name in self._shards:
            self._shards[name] = (rows, rejected)

    def look(self, ended: Sequence[str]) -> dict[str, tuple[int, int]]:
        """The rows of the shards that are computed now, without those that have ended."""
        for name in ended:
            self._shards.pop(name, None)
        return self._shards

    def stop(self) -> None:
        """Let no other shard begin."""
        self._stopped = True
