"""The folder of a training: all that it needs at its end, from its start.

`base/` is the prepared base model, `checkpoint-*` are the Trainer's, `model/` is the result, and
`trained.json`, written last, says that it is complete.
"""

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.core import locks
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory, read_json, write_json_atomic
from mesh.lifecycle.base_model import BaseModel as BaseNetwork

logger = logging.getLogger(__name__)

_STATE_FILE = "trainer_state.json"
_TRAINED_FILE = "trained.json"
_LOCK_FILE = "lock"
_TOKENIZER_CONFIG = "tokenizer_config.json"
_TOKENIZER_FILES = ("vocab.txt", "special_tokens_map.json", TOKENIZER_FILE)
_KEPT_SECONDS = 7 * 24 * 3600
"""For so long, an interrupted training can be resumed after another one has ended."""


class TrainedNetwork(BaseModel):
    """The best epoch's network, a folder in Hugging Face's format.

    Args:
        epochs: each epoch's figures.
        temperature: by which the logits are divided; it is in the weights.
    """

    model_config = ConfigDict(frozen=True)

    folder: Path
    epochs: list[dict[str, Any]]
    temperature: float


@contextlib.contextmanager
def open_work(checkpoints: Path, name: str, *, alone: bool) -> Iterator[Path]:
    """The folder of a training; it stays if the training is interrupted.

    Args:
        alone: whether this process keeps other trainings out; those of a team share the folder.

    Raises:
        MeshError: another process trains the same, or the folder can't be written.
    """
    work = checkpoints / name
    in_use = f"Another process does the same training in {work}; wait for it."
    lock = locks.alone(work / _LOCK_FILE, in_use, called=str(work))
    with lock if alone else _shared(work), _temporary_files(work):
        yield work


@contextlib.contextmanager
def _shared(work: Path) -> Iterator[None]:
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MeshError(f"{work} can't be written: {error.strerror}.") from error
    yield


@contextlib.contextmanager
def _temporary_files(work: Path) -> Iterator[None]:
    """Have this process make its temporary files in the folder of a training.

    What cleans up the system's folder would remove them, and the program's own folder there.
    """
    import matplotlib as mpl

    # Without a home to write to, Matplotlib makes a folder, which it removes when the process ends.
    mpl.get_configdir()
    before = tempfile.tempdir
    folder = work / "temporary"
    folder.mkdir(exist_ok=True)
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if before:
            Path(before).mkdir(parents=True, exist_ok=True)


def remove_work(work: Path) -> None:
    """Remove the folder of a training that has ended, and those that nobody resumes."""
    shutil.rmtree(work)
    for other in work.parent.iterdir():
        if other.stat().st_mtime < time.time() - _KEPT_SECONDS and not _is_in_use(other):
            shutil.rmtree(other, ignore_errors=True)
    with contextlib.suppress(OSError):
        work.parent.rmdir()


def _is_in_use(work: Path) -> bool:
    try:
        with (work / _LOCK_FILE).open() as lock:
            return not locks.lock_now(lock.fileno(), shared=True)
    except OSError:
        return False


def prepare_base(base: BaseNetwork, change: Callable[[Path], None] | None, work: Path) -> Path:
    """The base model's copy in the folder of a training, changed as the project says."""
    folder = work / "base"
    if not folder.is_dir():
        with atomic_directory(folder) as partial:
            base.copy_to(partial)
            if change:
                change(partial)
    return folder


def last_checkpoint(work: Path, processes: int) -> Path | None:
    """The newest complete checkpoint; incomplete ones of killed processes are removed.

    Args:
        processes: each of several stores its random numbers' state.
    """
    complete: dict[int, Path] = {}
    for folder in work.glob("checkpoint-*"):
        missing = [
            number
            for number in range(processes)
            if processes > 1 and not (folder / f"rng_state_{number}.pth").is_file()
        ]
        try:
            step = int(read_json(folder / _STATE_FILE)["global_step"])
        except MeshError:
            step = None
        if missing or step is None:
            logger.warning("%s is incomplete and is removed", folder)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            complete[step] = folder
    return complete[max(complete)] if complete else None


def checkpoint_history(checkpoint: Path) -> list[dict[str, float]]:
    """The figures of the epochs before a checkpoint."""
    return epoch_figures(read_json(checkpoint / _STATE_FILE)["log_history"])


def epoch_figures(history: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """The figures of each epoch's evaluation, with the training loss and rate logged before it."""
    epochs = []
    training: dict[str, float] = {}
    for entry in history:
        if "eval_score" in entry:
            epochs.append({**training, **entry})
        else:
            training = {name: entry[name] for name in ("loss", "learning_rate") if name in entry}
    return epochs


def without_progress(epochs: Sequence[dict[str, float]]) -> int:
    """The number of epochs since the one with the best score."""
    scores = [epoch["eval_score"] for epoch in epochs]
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def save_network(
    model: Any, source: Path, max_length: int, work: Path, epochs: Any, temperature: float
) -> TrainedNetwork:
    """Write weights, configuration and tokenizer, with the token limit of the training."""
    folder = work / "model"
    with atomic_directory(folder, replace=True) as partial:
        model.save_pretrained(partial)
        for name in _TOKENIZER_FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, partial / name)
        configuration = source / _TOKENIZER_CONFIG
        described = read_json(configuration) if configuration.is_file() else {}
        write_json_atomic(
            partial / _TOKENIZER_CONFIG, {**described, "model_max_length": max_length}
        )
    network = TrainedNetwork(folder=folder, epochs=epochs, temperature=round(temperature, 4))
    write_json_atomic(work / _TRAINED_FILE, network.model_dump(mode="json", exclude={"folder"}))
    return network


def trained_network(work: Path) -> TrainedNetwork | None:
    """The result of a training that ended, but whose version wasn't published."""
    record = work / _TRAINED_FILE
    if not record.is_file():
        return None
    found: dict[str, Any] = read_json(record)
    return TrainedNetwork(folder=work / "model", **found)
