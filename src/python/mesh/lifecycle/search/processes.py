"""Trials as processes on this machine."""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.connection import Connection, wait
from typing import Any

from mesh.core.process import exit_code_of
from mesh.lifecycle.search.messages import Message, Stopped, Task

_PATIENCE = 60.0
"""So long a trial may take to end, in seconds; it waits for the server of the runs."""


class Processes:
    """The running trials, a process each."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[Connection[Any, Any], subprocess.Popen[bytes]]] = {}

    def start(self, task: Task) -> None:
        """Start a trial.

        Ctrl-C reaches the search alone, which then ends its trials.
        """
        ours, theirs = multiprocessing.Pipe()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "mesh.lifecycle.search.trial_process", str(theirs.fileno())],
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # Standard output is for the result of the search.
                stdout=2,
                start_new_session=True,
            )
        self._running[task.number] = ours, process
        ours.send(task)

    def receive(self) -> tuple[int, Message]:
        """Wait for the next message of any trial, or the end of its process; return its number."""
        ready = wait([connection for connection, _ in self._running.values()])
        number, connection = next(
            (number, connection)
            for number, (connection, _) in self._running.items()
            if connection in ready
        )
        try:
            message: Message = connection.recv()
        except (EOFError, OSError):
            code = exit_code_of(self._end(number))
            return number, Stopped(f"its process has ended with code {code}", is_killed=True)
        return number, message

    def reply(self, number: int, answer: bool) -> None:
        """Reply to a message of a trial; a trial that is gone is told of by `receive`."""
        try:
            self._running[number][0].send(answer)
        except OSError:
            return

    def finish(self, number: int) -> None:
        """Wait for the end of a trial that has said its last word."""
        self._end(number)

    def close(self) -> None:
        """End all trials; what they have made so far is kept."""
        for _, process in self._running.values():
            process.terminate()
        for number in list(self._running):
            self._end(number)

    def _end(self, number: int) -> int:
        connection, process = self._running.pop(number)
        connection.close()
        try:
            return process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
