"""Progress and errors of the bootstrap. Runs on any Python from 3.7 on."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

# The longest silence.
SECONDS_BETWEEN_LINES = 10


class BootstrapError(Exception):
    """The bootstrap can't continue; the message is a sentence that tells a person what to do."""


def say(text: str) -> None:
    """Print a line on standard error."""
    print(f"./pants: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def reporting(what: str, how_far: Callable[[], str] = str) -> Iterator[None]:
    """Report every few seconds that something is still running.

    Args:
        what: completes "still ...", such as `installing Pants`.
        how_far: gives the progress so far, or nothing.
    """
    ended = threading.Event()
    started = time.monotonic()

    def report() -> None:
        while not ended.wait(SECONDS_BETWEEN_LINES):
            done = how_far()
            seconds = time.monotonic() - started
            say(f"{what}{': ' if done else ''}{done} ({seconds:.0f} s)")

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def run(
    command: list[str],
    what: str,
    env: dict[str, str] | None = None,
    how_far: Callable[[], str] = str,
) -> None:
    """Run a command, and report every few seconds that it is still running.

    Raises:
        BootstrapError: it failed; what it printed has been shown.
    """
    try:
        with reporting(what, how_far):
            # Standard output belongs to the command given to ./pants. Open files are inherited, so that
            # the lock of an installation lasts until its last process has ended, even if the first one
            # was killed. Ctrl-C ends this process, which then ends the command: Python's own programs
            # would print tracebacks.
            subprocess.run(
                command,
                check=True,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                close_fds=False,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
            )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BootstrapError(f"{what[0].upper()}{what[1:]} failed ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit code {error.returncode}, see above"
    return str(error)
