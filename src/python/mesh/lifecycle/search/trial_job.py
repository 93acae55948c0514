"""A trial's program on a machine of a Ray cluster: `python -m mesh.lifecycle.search.trial_job ROOT PLACE`.

It needs what `train:train` needs, and nothing of Ray. The machine's own variables come before those
of the search: `DATA_ROOT` where the data is reached by another path or URL, and all secrets.
"""

import os
import signal
import sys
import time
from typing import Any

from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError, as_clause
from mesh.core.files import temporary_folder
from mesh.core.inputs import Inputs, differences
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.program import TerminatedError, component_folder, with_termination
from mesh.core.project import load_project
from mesh.core.secrets import set_managed_secrets
from mesh.core.settings import load_settings
from mesh.core.workspace import WorkspaceSettings
from mesh.data.files import Location
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore
from mesh.lifecycle.recipe import load_recipe
from mesh.lifecycle.search.mailbox import BEGUN, TASK, Mailbox
from mesh.lifecycle.search.messages import Ended, Epoch, Stopped, Task
from mesh.lifecycle.search.trial import run_trial
from mesh.lifecycle.training.planning import make_plan
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.settings import RegistrySettings

_SECONDS_BETWEEN_LOOKS = 1.0
_PATIENCE = 600.0
"""So long a trial waits for its search, in seconds; then it ends, and can be resumed."""


def main() -> int:
    """Do the task in the mailbox at a place in the root of the data."""
    root, place = sys.argv[1:]
    try:
        set_managed_secrets()
        mailbox = Mailbox(Location(os.environ.get("DATA_ROOT", root)) / place)
        return with_termination(lambda: _work(mailbox))
    except MeshError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except TerminatedError:
        return 128 + signal.SIGTERM


def _work(mailbox: Mailbox) -> int:
    described = mailbox.read(TASK)
    if described is None:
        raise MeshError(
            f"{mailbox.location.url} has no task here: the data of the search must be on S3 or GCS, or in "
            "a folder that all machines share. DATA_ROOT names it where its path is another one."
        )
    task = _make_task(described)
    mailbox.write(BEGUN, True)
    if problem := _find_difference(task, described["inputs"]):
        mailbox.send(1, problem)
        return 0
    if task.threads:
        import torch

        torch.set_num_threads(task.threads)
    said = 0

    def ask(message: Epoch | Ended) -> bool:
        nonlocal said
        said += 1
        mailbox.send(said, message)
        return _wait_for_reply(mailbox, said)

    with temporary_folder():
        if last := run_trial(task, ask):
            mailbox.send(said + 1, last)
    return 0


def _make_task(described: dict[str, Any]) -> Task:
    for name, value in described["variables"].items():
        os.environ.setdefault(name, value)
    project = load_project(described["package"])
    component = f"{project.package}.train"
    workspace, data, registry, log = load_settings(
        [WorkspaceSettings, DataSettings, RegistrySettings, LogSettings],
        env_file=find_env_file(component_folder(component)),
        complete=False,
    )
    # The search says how its trials get on.
    configure_logging(component, log.model_copy(update={"level": "WARNING"}))
    return Task(
        number=described["number"],
        project=project,
        settings=FineTuneSettings(**described["settings"]),
        workspace=workspace,
        data=data,
        registry=registry,
        metric=described["metric"],
        search=described["search"],
        threads=described["threads"],
    )


def _find_difference(task: Task, expected: Inputs) -> Stopped | None:
    """What keeps this machine from doing the same training as the search's."""
    recipe = load_recipe(task.project)
    if recipe.training is None:
        return Stopped(f"{task.project.name} trains no network on the machines of the Ray cluster.")
    store = DataStore(task.project, "features", task.data)
    try:
        plan = make_plan(recipe, recipe.training, task.settings, store, download=True)
    except MeshError as error:
        return Stopped(f"A machine of the Ray cluster can't do trials: {as_clause(error)}.")
    own = {name: value for name, value in plan.made_from.items() if name in expected}
    if found := differences(expected, own):
        return Stopped(
            f"A machine of the Ray cluster has other code or data than the search: {found[0]}; start "
            "both from the same revision."
        )
    return None


def _wait_for_reply(mailbox: Mailbox, number: int) -> bool:
    """The reply to a message.

    Raises:
        TerminatedError: the search is gone.
    """
    patience = time.monotonic() + _PATIENCE
    while (answer := mailbox.receive_reply(number)) is None:
        if time.monotonic() > patience:
            raise TerminatedError
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return answer


if __name__ == "__main__":
    run_and_exit(main)
