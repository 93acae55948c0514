"""A program of the mesh: settings in, work, exit code out."""

import contextlib
import importlib.util
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError
from mesh.core.files import temporary_folder
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.progress import break_silence
from mesh.core.secret_values import mask_secret
from mesh.core.settings import MeshSettings, load_settings
from mesh.core.status import Status
from mesh.core.tracing import NO_SPAN, Span, program_span, tracing

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Program:
    """A step of a project's life cycle that can be run alone.

    Args:
        component: the package whose `config/` holds the env files, such as `keywords.compile`.
        name: the program's name in it, such as `trace`.
        run: does the work, given an instance of each settings class; may return an exit code.
        settings: the program's settings classes; the flags of the command line belong to the first.
        status: tells whether the result is up to date, given the same settings; None for programs
            without a result.
        serves: whether it waits for requests; other programs log every few seconds.
    """

    component: str
    name: str
    run: Callable[..., int | None]
    settings: tuple[type[MeshSettings], ...]
    status: Callable[..., Status] | None = None
    serves: bool = False

    def __call__(self) -> NoReturn:
        """Run with the command line's flags and end this process."""
        run_and_exit(lambda: self.main(sys.argv[1:]))

    def main(self, flags: Sequence[str]) -> int:
        """Run with flags; return 0 on success, 1 on failure, 2 for bad settings or flags.

        A `MeshError` is printed as a sentence. Any other exception is a defect, with its traceback.
        """
        try:
            *own, log = self._load([*self.settings, LogSettings], flags)
            configure_logging(self.component, log)
            _log_settings(own)
            with tracing(self.component.replace(".", "-")), self._at_work() as span:
                exit_code = with_termination(lambda: self.run(*own)) or 0
                if exit_code:
                    span.set({"process.exit.code": exit_code})
                    span.fail("exit code")
                return exit_code
        except MeshError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_code
        except TerminatedError:
            print("terminated", file=sys.stderr)
            return 128 + signal.SIGTERM
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 128 + signal.SIGINT

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[Span]:
        """While other programs than servers work: their temporary files, progress and span."""
        if self.serves:
            yield NO_SPAN
            return
        name = f"{self.component}:{self.name}"
        about = {
            "mesh.project": self.component.partition(".")[0],
            "mesh.step": name.partition(".")[2],
        }
        with temporary_folder(), break_silence(name), program_span(name, about) as span:
            yield span

    def find_status(self) -> Status:
        """Whether the program's result is what it would make now, with its settings and no flags.

        Raises:
            MeshError: it can't be told, such as since settings are missing or the registry can't be
                reached.
        """
        if self.status is None:
            raise MeshError(f"{self.component}:{self.name} leaves no result.")
        return self.status(*self.load_settings())

    def load_settings(self) -> Sequence[Any]:
        """The program's settings without flags, an instance of each class.

        Raises:
            UsageError: settings are missing or wrong.
        """
        return self._load(self.settings, ())

    def _load(self, settings: Sequence[type[MeshSettings]], flags: Sequence[str]) -> Sequence[Any]:
        return load_settings(
            settings,
            flags=flags,
            env_file=find_env_file(component_folder(self.component)),
            program=f"{self.component}:{self.name}",
        )


def component_folder(component: str) -> Path:
    """The folder of a component, such as `keywords.compile`; it exists if the component has files.

    Raises:
        MeshError: there is no such project.
    """
    package, _, folder = component.partition(".")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MeshError(f"The package {package!r} can't be found.")
    return Path(spec.submodule_search_locations[0], *folder.split("."))


class TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived; handled wherever Ctrl-C is."""


def with_termination(work: Callable[[], Result]) -> Result:
    """Do the work so that SIGTERM raises an exception, like Ctrl-C, and partial files are removed.

    Raises:
        TerminatedError: SIGTERM arrived.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    came: type[KeyboardInterrupt] | None = None

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        nonlocal came
        came = TerminatedError if number == signal.SIGTERM else KeyboardInterrupt
        raise came

    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells ignore it for background jobs.
        numbers.remove(signal.SIGINT)
    previous = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        return work()
    except (Exception, KeyboardInterrupt) as error:
        if came is None:
            raise
        # Click, pytest and imports of extension modules turn the interruption into another error.
        raise came from error
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _log_settings(loaded: Sequence[MeshSettings]) -> None:
    for settings in loaded:
        values = " ".join(
            f"{name}={mask_secret(name, value)}"
            for name, value in settings.model_dump(mode="json").items()
        )
        logger.info("%s: %s", type(settings).__name__, values)
