"""The end of processes, tried in processes of their own."""

import gc
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.core.process import exit_code_of, without_garbage_collection

Start = Callable[..., "subprocess.Popen[str]"]
Run = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def run(start: Start) -> Run:
    """Run a script on an empty standard input; its exit code, output and errors."""

    def run_script(script: str) -> tuple[int, str, str]:
        process = start("-c", textwrap.dedent(script))
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    return run_script


def test_threads_are_waited_for_then_exit_functions_run_and_output_is_flushed(
    run: Run, tmp_path: Path
) -> None:
    script = """
        import atexit, sys, tempfile, threading
        from mesh.core.process import run_and_exit
        def finish():
            sys.stdin.read()
            print("thread")
        def main():
            atexit.register(print, "exit function")
            main.folder = tempfile.TemporaryDirectory(dir=".")
            print("main")
            threading.Thread(target=finish).start()
            return 7
        run_and_exit(main)
    """
    assert run(script) == (7, "main\nthread\nexit function\n", "")
    assert list(tmp_path.iterdir()) == []


def test_abandoned_threads_and_processes_are_not_waited_for(run: Run, tmp_path: Path) -> None:
    script = """
        import multiprocessing, os, tempfile, threading
        from mesh.core.process import abandon_computations, run_and_exit
        reading, writing = os.pipe()
        def compute():
            os.close(writing)
            # Until the parent is gone.
            os.read(reading, 1)
        def main():
            abandon_computations()
            main.folder = tempfile.TemporaryDirectory(dir=".")
            multiprocessing.get_context("fork").Process(target=compute).start()
            threading.Thread(target=os.read, args=(reading, 1)).start()
            print("main")
        run_and_exit(main)
    """
    assert run(script) == (0, "main\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argument", "code", "errors"), [("", 0, ""), ("3", 3, ""), ("'No.'", 1, "No.\n")]
)
def test_exit_in_the_work_counts_as_its_end(
    run: Run, argument: str, code: int, errors: str
) -> None:
    script = f"""
        import sys
        from mesh.core.process import run_and_exit
        run_and_exit(lambda: sys.exit({argument}))
    """
    assert run(script) == (code, "", errors)


@pytest.mark.parametrize(("returned", "code"), [(0, 1), (2, 2)])
def test_output_that_can_not_be_written_is_a_failure(run: Run, returned: int, code: int) -> None:
    script = f"""
        import sys
        from mesh.core.process import run_and_exit
        sys.stdout = open("/dev/full", "w")
        run_and_exit(lambda: print("lost") or {returned})
    """
    assert run(script) == (code, "", "error: Output can't be written: No space left on device.\n")


@pytest.mark.parametrize(("returncode", "code"), [(0, 0), (3, 3), (-6, 134), (-15, 143)])
def test_exit_code_of_a_child(returncode: int, code: int) -> None:
    assert exit_code_of(returncode) == code


def test_garbage_is_searched_for_again_after_imports_that_fail() -> None:
    def import_nothing() -> None:
        with without_garbage_collection():
            assert not gc.isenabled()
            raise ImportError

    try:
        with pytest.raises(ImportError):
            import_nothing()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
