"""Trials as jobs of a Ray cluster, which start the program of a trial on its machines.

Their messages go through the storage of the data, so that neither this process nor the cluster needs
a way to the other but the server of jobs, and neither the packages of the other.
"""

import dataclasses
import itertools
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError, UsageError, as_clause
from mesh.core.project import source_root
from mesh.core.secret_values import mask_secret
from mesh.core.settings import MeshSettings, variable_name
from mesh.data.files import Location
from mesh.data.store import DataStore
from mesh.lifecycle.recipe import load_recipe
from mesh.lifecycle.search.job_server import HAS_ENDED, Job, JobServer, State
from mesh.lifecycle.search.mailbox import BEGUN, FOLDER, TASK, Mailbox
from mesh.lifecycle.search.messages import Message, Stopped, Task
from mesh.lifecycle.training.planning import make_plan

logger = logging.getLogger(__name__)

_MODULE = "mesh.lifecycle.search.trial_job"
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_STATES = 3.0
_LOOKS_OF_WAIT = 10
"""A job that waits for a machine so long is told of."""
_PATIENCE = 60
"""So long a trial may take to end, in seconds; it waits for the server of the runs."""
_LOST: tuple[State, ...] = ("STOPPED", "FAILED")
_OF_RAY = "Running entrypoint for job"
"""Begins the line before the log of a job's command."""
_MOST_WORDS = 300
_NO_ROOM = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"


@dataclass
class _Running:
    """A job.

    Args:
        received: how many of its messages were.
        waited: how often it was seen to wait for a machine.
    """

    name: str
    mailbox: Mailbox
    received: int = 0
    waited: int = 0


class RayJobs:
    """The running trials, a job each.

    Jobs outlive this process. Those that one before it has started, and that still run or have done
    their trials, are taken over.

    Args:
        address: see `JobServer`.
        owner: names the search among all.
        cpus: cores of a trial.
        gpus: GPUs of a trial.

    Raises:
        MeshError: there is no such cluster.
    """

    def __init__(self, address: str, owner: str, cpus: int, gpus: int) -> None:
        self._server = JobServer(address)
        self._owner = owner
        self._resources = {"entrypoint_num_cpus": cpus, "entrypoint_num_gpus": gpus}
        self._cpus = cpus
        self._running: dict[int, _Running] = {}

    def start(self, task: Task) -> None:
        """Start a trial.

        Raises:
            UsageError: its settings hold a secret.
            MeshError: the cluster doesn't take it, or the storage of the data can't be used.
        """
        described = _describe(dataclasses.replace(task, threads=self._cpus))
        # The run of the search is another one each time.
        identity = {"owner": self._owner, **described, "search": ""}
        name = f"mesh-{task.project.name}-trial-{task.number}-{fingerprint(identity)[:16]}"
        for number in itertools.count(1):
            place = f"{FOLDER}/{task.project.name}/{name}-{number}"
            running = _Running(f"{name}-{number}", Mailbox(Location(task.data.root) / place))
            job = self._server.find(running.name)
            # Those that were heard to the end have no mailbox any more.
            if job is None or (job.state not in _LOST and running.mailbox.read(TASK) is not None):
                break
        self._running[task.number] = running
        if job is None:
            running.mailbox.remove()
            running.mailbox.write(TASK, described)
            self._server.submit(
                {
                    "submission_id": running.name,
                    "entrypoint": _command(task.data.root, place),
                    "runtime_env": {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(_PATIENCE)}},
                    "metadata": {"name": f"{task.project.name}: trial {task.number}"},
                    **self._resources,
                }
            )

    def receive(self) -> tuple[int, Message]:
        """Wait for the next message of any trial, or the end of its job; return its number."""
        asked = time.monotonic()
        while True:
            for number, running in self._running.items():
                if message := self._next(running):
                    return number, message
            if time.monotonic() - asked >= _SECONDS_BETWEEN_STATES:
                for number, running in self._running.items():
                    if stopped := self._find_end(running):
                        # It may have said something in the meantime.
                        if message := self._next(running):
                            return number, message
                        self._remove(number)
                        return number, stopped
                asked = time.monotonic()
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def reply(self, number: int, answer: bool) -> None:
        """Reply to a message of a trial; a trial that is gone is told of by `receive`."""
        running = self._running[number]
        running.mailbox.send_reply(running.received, answer)

    def finish(self, number: int) -> None:
        """Wait for the end of a trial that has said its last word."""
        self._end(number, time.monotonic() + _PATIENCE)

    def close(self) -> None:
        """End all trials; what they have made so far is kept."""
        try:
            for running in self._running.values():
                self._server.stop(running.name)
            patience = time.monotonic() + _PATIENCE
            for number in list(self._running):
                self._end(number, patience)
        except MeshError as error:
            logger.warning("jobs are left to the cluster, which ends them: %s", as_clause(error))
        finally:
            self._server.close()

    def _next(self, running: _Running) -> Message | None:
        message = running.mailbox.receive(running.received + 1)
        running.received += message is not None
        return message

    def _find_end(self, running: _Running) -> Stopped | None:
        """Why a job has ended, or None if it hasn't."""
        job = self._server.find(running.name)
        if job is None:
            return Stopped("the cluster doesn't know its job any more", is_killed=True)
        if job.state not in HAS_ENDED:
            running.waited += job.state == "PENDING"
            if job.state == "PENDING" and running.waited == _LOOKS_OF_WAIT:
                logger.info("%s waits for a machine: %s", running.name, _words(job))
            return None
        if job.error == _NO_ROOM:
            return Stopped(f"The Ray cluster has no room for a trial: {_words(job)}.")
        if job.exit_code is not None and running.mailbox.read(BEGUN) is None:
            return Stopped(f"The machines of the Ray cluster can't do trials: {_words(job)}.")
        return Stopped(f"its job has ended: {_words(job)}", is_killed=True)

    def _end(self, number: int, patience: float) -> None:
        name = self._running[number].name
        while (job := self._server.find(name)) and job.state not in HAS_ENDED:
            if time.monotonic() > patience:
                logger.warning("the job %s takes long to end, and is left alone", name)
                break
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        self._remove(number)

    def _remove(self, number: int) -> None:
        self._running.pop(number).mailbox.remove()


def _describe(task: Task) -> dict[str, Any]:
    """A task as JSON-serialisable values, with what must be the same on the other machine.

    Raises:
        UsageError: it holds a secret, which a cluster gets by its own variables.
    """
    settings = task.settings.model_dump(mode="json")
    for name, value in settings.items():
        if mask_secret(name, value) != value:
            raise UsageError(
                f"{variable_name(type(task.settings), name)} holds a secret, which isn't sent to a Ray "
                "cluster."
            )
    recipe = load_recipe(task.project)
    assert recipe.training  # noqa: S101 - searched are projects that train a network
    store = DataStore(task.project, "features", task.data)
    plan = make_plan(recipe, recipe.training, task.settings, store, download=True)
    return {
        "number": task.number,
        "package": task.project.package,
        "settings": settings,
        "metric": task.metric,
        "search": task.search,
        "threads": task.threads,
        "variables": {
            **_variables(task.workspace),
            **_variables(task.data),
            **_variables(task.registry),
        },
        # Machines with GPUs have other builds of packages.
        "inputs": {
            name: value for name, value in plan.made_from.items() if not name.startswith("package ")
        },
    }


def _variables(settings: MeshSettings) -> Mapping[str, str]:
    """The settings as variables, without secrets, which the cluster has by its own ones."""
    return {
        variable_name(type(settings), name): str(value)
        for name, value in settings
        if isinstance(value, str | os.PathLike) and mask_secret(name, str(value)) == str(value)
    }


def _command(root: str, place: str) -> str:
    """The shell's command for a trial.

    Where this process's Python and code are, as on this machine or one that shares their folders, they
    do the trial, in this folder; elsewhere, the first Python on the path.
    """
    own, code = quote(sys.executable), quote(str(source_root() / "mesh"))
    path = os.pathsep.join(path for path in sys.path if path)
    arguments = f"-m {_MODULE} {quote(root)} {quote(place)}"
    return (
        f"cd {quote(os.getcwd())} 2>/dev/null; "
        f"if [ -x {own} ] && [ -d {code} ]; then PYTHONPATH={quote(path)} exec {own} {arguments}; "
        f"else exec python {arguments}; fi"
    )


def _words(job: Job) -> str:
    """The last line of what Ray says of a job: of its log, if its command has said anything."""
    lines = [line.strip() for line in job.message.splitlines()]
    said = [line for line in lines if line and not line.startswith(_OF_RAY)]
    last = said[-1].partition(", last available logs")[0] if said else job.state.lower()
    return last[:_MOST_WORDS].rstrip(".")
