"""`./pants run`: Pants prepares the program, which then takes the place of the whole command."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from kept_mesh import FOR_MESH, current_key
from prepared import ROOT, Program

# With these, Pants doesn't run a program, or runs it more than once.
NOT_A_RUN = {"-h", "--help", "--help-advanced", "-v", "-V", "--version", "--loop"}


def start_program(arguments: list[str], prepare: Callable[[list[str]], int]) -> list[str]:
    """Become the program that Pants would run with these arguments.

    Args:
        arguments: those of ./pants.
        prepare: runs Pants with arguments and without standard input, and returns its exit code.

    Returns:
        The arguments for Pants, if it runs no program, or has to stay beside it.

    Raises:
        SystemExit: Pants failed, and has said why.
    """
    called_from, for_mesh = os.getcwd(), ""
    if arguments and arguments[0].startswith(FOR_MESH):
        called_from = for_mesh = arguments[0][len(FOR_MESH) :]
        arguments = arguments[1:]
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if not _is_run(own):
        return arguments
    key = current_key() if for_mesh else ""
    program = Program.new()
    preparation = ["prepare-run" if argument == "run" else argument for argument in own]
    code = prepare([f"--prepare-run-folder={program.folder}", *preparation])
    if code:
        raise SystemExit(code)
    if program.complete:
        # The program may or may not contain edits made meanwhile.
        if for_mesh and key == current_key():
            program.keep(key)
        program.start(arguments[len(own) + 1 :], called_from)
    return arguments


def _is_run(arguments: Sequence[str]) -> bool:
    """Whether `run` is the only goal: Pants takes words for goals unless they look like targets."""
    goals = [argument for argument in arguments if argument == "run" or not _is_no_goal(argument)]
    return goals == ["run"] and not NOT_A_RUN.intersection(arguments)


def _is_no_goal(argument: str) -> bool:
    is_spec = any(character in argument for character in "/.:*#") or (ROOT / argument).exists()
    return argument.startswith("-") or is_spec


def run_here(script: str, arguments: Sequence[str]) -> int:
    """Run Pants' script in this process, so that signals to it reach Pants, and return its exit code."""
    from pants.bin.pants_loader import main

    sys.argv = [script, *arguments]
    with _standard_input_aside(), _inherited_restored():
        try:
            main()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextlib.contextmanager
def _standard_input_aside() -> Iterator[None]:
    """Pants would read the program's input, and send it to its daemon."""
    kept, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@contextlib.contextmanager
def _inherited_restored() -> Iterator[None]:
    """Restore everything that the program inherits from this process."""
    blocked, environment = signal.pthread_sigmask(signal.SIG_BLOCK, []), dict(os.environ)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.environ.clear()
        os.environ.update(environment)
