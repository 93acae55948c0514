"""The end of this process, and exit codes of child processes."""

import atexit
import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn

from mesh.core.urls import mask_urls

_abandoned = False


def run_and_exit(main: Callable[[], int | None]) -> NoReturn:
    """Run a program's main function and end this process with the exit code that it returns.

    As at the end of every Python program, threads that aren't daemons are waited for, exit
    functions (`atexit`) run, and output is flushed. But the interpreter isn't finalised: a daemon
    thread that returns to it from native code (ONNX Runtime, torch) would be unwound through C++,
    which aborts the process with SIGABRT instead of the exit code.
    """
    exit_code = 1
    try:
        exit_code = _run(main)
        _wait()
        atexit._run_exitfuncs()
        if not _flush():
            exit_code = exit_code or 1
    finally:
        os._exit(exit_code)


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Import without searches for garbage; what exists afterwards is left out of later ones, too.

    Modules live until the end, so each search would go through all of them in vain.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def abandon_computations() -> None:
    """Let this process end without waiting for computations in threads and child processes."""
    global _abandoned
    _abandoned = True


def exit_code_of(returncode: int) -> int:
    """The exit code of a child process as shells report it: 128 plus the number of a fatal signal.

    Args:
        returncode: of `subprocess.Popen`.
    """
    return returncode if returncode >= 0 else 128 - returncode


def _run(main: Callable[[], int | None]) -> int:
    """The exit code of a main function; for exceptions, the same as the interpreter's."""
    try:
        return main() or 0
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:
        print(mask_urls("".join(traceback.format_exception(error))), end="", file=sys.stderr)
        return 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def _wait() -> None:
    if _abandoned:
        # An exit function of `multiprocessing` waits for them.
        for child in multiprocessing.active_children():
            child.kill()
        return
    # Ctrl-C ends the wait.
    with contextlib.suppress(KeyboardInterrupt):
        threading._shutdown()  # type: ignore[attr-defined]


def _flush() -> bool:
    """Flush all output; return whether that succeeded."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError):
            print(f"error: Output can't be written: {error.strerror}.", file=sys.stderr)
        return False
    return True
