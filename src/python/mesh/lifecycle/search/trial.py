"""A trial: the training of a project with some of a search's settings, scored but not registered."""

import logging
import math
import shutil
from collections.abc import Mapping
from pathlib import Path

from mesh.core.disk import FullDiskError, full_disk_errors
from mesh.core.errors import MeshError
from mesh.data.store import DataStore
from mesh.lifecycle.recipe import load_recipe
from mesh.lifecycle.search.messages import METRICS, Ask, Ended, Epoch, Stopped, Task
from mesh.lifecycle.training.checkpoints import TrainedNetwork, open_work, remove_work
from mesh.lifecycle.training.fine_tuning import describe, read_rows, train
from mesh.lifecycle.training.planning import Plan, make_plan
from mesh.lifecycle.training.recording import Recording, record
from mesh.lifecycle.training.team import ALONE
from mesh.registry.runs import PARENT_TAG

logger = logging.getLogger(__name__)

VALUE = "trial/value"
"""The figure of a trial's run that is compared."""


class _PrunedError(Exception):
    """The search has ended this trial."""


def run_trial(task: Task, ask: Ask) -> Ended | Stopped | None:
    """Train, and tell the search the value of each epoch and the result.

    The training's folder is that of `train:train` with the same settings: this resumes what was
    interrupted there, and `train:train` registers the network that is kept there.

    Returns:
        What is still to tell.
    """
    try:
        return _run(task, ask)
    except FullDiskError as error:
        return Stopped(str(error))
    except MeshError as error:
        return Ended(state="failed", reason=str(error))
    except Exception as error:
        # A network that doesn't fit into memory, for example.
        logger.exception("trial %d failed", task.number)
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        return Ended(state="failed", reason=f"{type(error).__name__}: {said}")


def _run(task: Task, ask: Ask) -> Ended | None:
    recipe = load_recipe(task.project)
    training = recipe.training
    if training is None:
        raise MeshError(f"{task.project.name} trains no network.")
    name = f"trial {task.number}"
    with record(task.project, task.registry, task.settings, ALONE, name) as recording:
        recording.describe({}, {PARENT_TAG: task.search} if task.search else {})
        store = DataStore(task.project, "features", task.data)
        plan = make_plan(recipe, training, task.settings, store, download=True)
        checkpoints = task.workspace.output(task.project, "checkpoints")
        folder = plan.fingerprint[:16]
        with open_work(checkpoints, folder, alone=True) as work:
            with full_disk_errors(work, "make room there, and search again: the search goes on"):
                network = _train(plan, task, ask, work, recording)
            if network is None:
                recording.ends_as("pruned")
                run = recording.reference().get("id", "")
                _remove(work, recording)
                return Ended(state="pruned", run=run)
            ended = _result(task, network, folder, recording)
            if ask(ended):
                for checkpoint in work.glob("checkpoint-*"):
                    shutil.rmtree(checkpoint)
            else:
                _remove(work, recording)
    return None


def _remove(work: Path, recording: Recording) -> None:
    recording.leave_folder()
    remove_work(work)


def _train(
    plan: Plan, task: Task, ask: Ask, work: Path, recording: Recording
) -> TrainedNetwork | None:
    """The trained network; None if the search has ended the trial."""
    rows = read_rows(plan, work)
    describe(recording, plan, rows, ALONE)
    recording.start(work)

    def log(step: int, figures: Mapping[str, float]) -> None:
        recording.log(step, figures)
        if task.metric in figures:
            epoch = Epoch(round(figures["validation/epoch"]), figures[task.metric])
            if not ask(epoch):
                raise _PrunedError

    try:
        return train(plan, rows, work, ALONE, log)
    except _PrunedError:
        return None


def _result(task: Task, network: TrainedNetwork, folder: str, recording: Recording) -> Ended:
    """The value of the epoch whose network would be registered.

    Raises:
        MeshError: it isn't a number.
    """
    best = max(network.epochs, key=lambda epoch: epoch["eval_score"])
    value = float(best[METRICS[task.metric][0]])
    if math.isnan(value):
        raise MeshError(f"{task.metric} isn't a number after epoch {best['epoch']:.0f}.")
    recording.log(int(best["step"]), {VALUE: value})
    return Ended(
        state="complete",
        value=value,
        epoch=round(best["epoch"]),
        network=folder,
        run=recording.reference().get("id", ""),
    )
