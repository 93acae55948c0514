"""The process of a trial: `python -m mesh.lifecycle.search.trial_process DESCRIPTOR`."""

import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

from mesh.core.files import temporary_folder
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.program import TerminatedError, with_termination
from mesh.core.settings import load_settings
from mesh.core.tracing import program_span, tracing
from mesh.lifecycle.search.messages import Ended, Epoch, Task
from mesh.lifecycle.search.trial import run_trial

_SECONDS = 1.0


def main() -> int:
    """Do the task that the connection with this descriptor brings."""
    _end_with(os.getppid())
    connection: Connection[object, object] = Connection(int(sys.argv[1]))
    try:
        return with_termination(lambda: _work(connection))
    except TerminatedError:
        return 128 + signal.SIGTERM
    except (EOFError, OSError):
        # The search was killed before the trial's beginning, or after its end.
        return 1


def _work(connection: "Connection[object, object]") -> int:
    task = connection.recv()
    assert isinstance(task, Task)  # noqa: S101 - of the search
    (log,) = load_settings([LogSettings])
    # The search says how its trials get on.
    configure_logging(f"{task.project.package}.train", log.model_copy(update={"level": "WARNING"}))
    if task.threads:
        import torch

        torch.set_num_threads(task.threads)

    def ask(message: Epoch | Ended) -> bool:
        try:
            connection.send(message)
            return bool(connection.recv())
        except (EOFError, OSError) as error:
            # The search was killed.
            raise TerminatedError from error

    name = f"trial {task.number}"
    with tracing(f"{task.project.package}-train"), program_span(name), temporary_folder():
        if last := run_trial(task, ask):
            connection.send(last)
    return 0


def _end_with(parent: int) -> None:
    """End this process when another one, its parent, has been killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    run_and_exit(main)
