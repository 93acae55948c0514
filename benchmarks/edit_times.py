"""How long a person waits for the build after an edit of one module: tests, a step, an image.

A clone of the repository's last commit is edited, not the repository itself.
"""

import contextlib
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.report import print_table
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

EDITED = "src/python/keywords/model.py"
WAITS = {
    "nothing to do: a list of targets": ["list", "src/python/keywords/compile:trace"],
    "the verdict of its own tests": [
        "test",
        "tests/python/keywords/unit/test_keyword_extractor.py",
    ],
    "the verdict of the project's unit tests": ["test", "tests/python/keywords/unit::"],
    "the first line of compile:trace": ["run", "src/python/keywords/compile:trace", "--", "--help"],
    "the image of compile": ["package", "src/python/keywords/compile:image"],
}
"""What is waited for, and the arguments of ./pants."""


class EditSettings(MeshSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    edits: int = Field(5, ge=1, description="How often the module is edited.")
    images: bool = Field(True, description="Whether an image is built, which needs Docker.")


class _Clone:
    """A clone of the repository in a folder of its own, with its own daemon of Pants."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = ["git", "clone", "--quiet", os.getcwd(), str(folder)]
        subprocess.run(command, check=True)

    def edit(self, number: int) -> None:
        """Add a line to the module that no edit has added before."""
        with (self._folder / EDITED).open("a", encoding="utf-8") as module:
            module.write(f"_EDIT_{number} = {time.time_ns()}\n")

    def wait_for(self, arguments: list[str]) -> float:
        """Run Pants; return the seconds until its end, or until a program's first line.

        Raises:
            MeshError: Pants fails.
        """
        started = time.monotonic()
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(
                [str(self._folder / "pants"), *arguments],
                cwd=self._folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_without_pants(),
            ) as process,
        ):
            stdout = cast(IO[bytes], process.stdout)
            stdout.readline()
            first = time.monotonic()
            stdout.read()
            process.wait()
            ended = time.monotonic()
            if process.returncode:
                errors.seek(0)
                raise MeshError(f"./pants {' '.join(arguments)} failed:\n{errors.read()}")
        return (first if arguments[0] == "run" else ended) - started

    def stop(self) -> None:
        """Stop the daemon."""
        for file in (self._folder / ".pids").glob("*/pantsd/pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGTERM)


@contextlib.contextmanager
def _clone() -> Iterator[_Clone]:
    with tempfile.TemporaryDirectory() as folder:
        clone = _Clone(Path(folder) / "mesh")
        try:
            yield clone
        finally:
            clone.stop()


def _without_pants() -> dict[str, str]:
    """The variables of this process without those that are about its own Pants."""
    about = ("PANTS_", "_PANTS_", "PEX", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(about)}


def main_run(settings: EditSettings) -> None:
    """Wait for everything once, then after each edit; print the results."""
    waits = {
        name: arguments
        for name, arguments in WAITS.items()
        if settings.images or arguments[0] != "package"
    }
    with _clone() as clone:
        first = {name: clone.wait_for(arguments) for name, arguments in waits.items()}
        seconds: dict[str, list[float]] = {name: [] for name in waits}
        for name, arguments in waits.items():
            for number in range(settings.edits):
                clone.edit(number)
                seconds[name].append(clone.wait_for(arguments))
    print_table(
        f"Seconds after an edit of {EDITED}, {settings.edits} times",
        ("wait for", "median", "longest", "before any edit"),
        [
            [name, f"{statistics.median(times):.1f}", f"{max(times):.1f}", f"{first[name]:.1f}"]
            for name, times in seconds.items()
        ],
    )


main = Program(component="benchmarks", name="edit_times", run=main_run, settings=(EditSettings,))

if __name__ == "__main__":
    main()
