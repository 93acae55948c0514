"""Publishing, fetching and verifying a large version, compared with a plain copy of its files.

All run in turns on one disk, with a new embedded registry. The files are in memory before each
measurement.
"""

import logging
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.report import print_table
from mesh.core.card import ModelCard
from mesh.core.digest import sha256_file
from mesh.core.program import Program
from mesh.core.settings import MeshSettings
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger("benchmarks.registry_files")

NAME = "BENCHMARK-TRAINED"
_BLOCK = 2**20
_COPY = "plain copy, within the system's cache"
_SYNCED = "plain copy, on the disk"


class Settings(MeshSettings):
    """Measure a registry with large files."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    megabytes: int = Field(1000, ge=8, description="Size of the version.")
    files: int = Field(1, ge=1, description="Number of its files.")
    rounds: int = Field(3, ge=1, description="Number of measurements; the median counts.")
    folder: Path = Field(
        Path(tempfile.gettempdir()), description="Working folder; takes six times the size."
    )


def run(settings: Settings) -> None:
    """Measure in turns and print the table."""
    seconds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=settings.folder) as temporary:
        folder = Path(temporary)
        source = folder / "source"
        _write_files(source, settings.megabytes * 1_000_000 // settings.files, settings.files)
        registry = open_registry(
            RegistrySettings(uri=f"sqlite:///{folder}/registry.db", artifacts=f"{folder}/artifacts")
        )
        before = _peak()
        for number in range(settings.rounds):
            logger.info("round %d", number + 1)
            for action, act in _actions(registry, source, folder).items():
                _claim_memory(folder / "claimed", settings.megabytes)
                seconds[action].append(_measure(act))
            for name in ("copy", "synced", "fetched"):
                shutil.rmtree(folder / name)
            for version in registry.list():
                registry.delete(version.reference)
        grown = _peak() - before
    medians = {
        action: tuple(statistics.median(column) for column in zip(*measured, strict=True))
        for action, measured in seconds.items()
    }
    copy, synced = (medians[peer][0] for peer in (_COPY, _SYNCED))
    print_table(
        f"{settings.megabytes} MB in {settings.files} files, median of {settings.rounds}",
        ("", "seconds", "plain copies", "copies to the disk", "of a core, s"),
        [
            [action, f"{own:.2f}", f"{own / copy:.2f}x", f"{own / synced:.2f}x", f"{cpu:.2f}"]
            for action, (own, cpu) in medians.items()
        ],
        packages=("mlflow-skinny",),
        notes=[f"Memory grew by {grown:.0f} MiB at most."],
    )


def _actions(
    registry: ModelRegistry, source: Path, folder: Path
) -> dict[str, Callable[[], object]]:
    card = ModelCard(
        project="benchmark", model_type="trained", code_revision="unknown", fingerprint="benchmark"
    )
    latest = f"{NAME}:latest"
    return {
        _COPY: lambda: shutil.copytree(source, folder / "copy"),
        _SYNCED: lambda: _copy_synced(source, folder / "synced"),
        "sha256": lambda: [sha256_file(path) for path in source.iterdir()],
        "publish": lambda: registry.publish(NAME, source, card),
        "publish identical files": lambda: registry.publish(NAME, source, card),
        "fetch": lambda: registry.fetch(latest, folder / "fetched"),
        "fetch existing files": lambda: registry.fetch(latest, folder / "fetched"),
        "verify": lambda: registry.verify(latest),
    }


def _copy_synced(source: Path, target: Path) -> None:
    """Copy files like `cp` followed by `sync`; a published version is on the disk as well."""
    shutil.copytree(source, target)
    os.sync()


def _write_files(folder: Path, size: int, files: int) -> None:
    """Files that nothing can compress or share."""
    folder.mkdir()
    for number in range(files):
        with (folder / f"weights-{number:03}.bin").open("wb") as file:
            for start in range(0, size, _BLOCK):
                file.write(os.urandom(min(_BLOCK, size - start)))


def _claim_memory(place: Path, megabytes: int) -> None:
    """Claim memory for another copy, so that the order of actions doesn't matter.

    A virtual machine gives free memory back after a while, and claiming it takes longer than
    copying a file.
    """
    with place.open("wb") as file:
        for _ in range(megabytes):
            file.write(bytes(_BLOCK))
    place.unlink()


def _measure(act: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds; earlier writes are on the disk before it starts."""
    os.sync()
    wall, processor = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - processor


def _peak() -> float:
    """The peak memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


main = Program(component="benchmarks", name="registry_files", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
