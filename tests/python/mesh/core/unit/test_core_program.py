"""A program of a component on disk, run in processes of its own."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Start = Callable[..., "subprocess.Popen[str]"]

PROGRAM = """
import atexit, sys, threading
from pathlib import Path
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict
from mesh.core.errors import MeshError, UsageError
from mesh.core.files import atomic_directory
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

class WorkSettings(MeshSettings):
    '''Do toy work.'''
    model_config = SettingsConfigDict(env_prefix="TOY_WORK_")
    what: str = Field("nothing", description="What to do.")
    count: int = 1

class RemoteSettings(MeshSettings):
    model_config = SettingsConfigDict(env_prefix="TOY_REMOTE_")
    token: SecretStr = SecretStr("")

def run(work, remote):
    print("running", work.what, work.count, remote.token.get_secret_value(), flush=True)
    if work.what == "refuse":
        raise MeshError("The toy is broken; repair it.")
    if work.what == "misuse":
        raise UsageError("Toys have no wheels.")
    if work.what == "defect":
        raise ZeroDivisionError("oops")
    if work.what == "wait":
        with atomic_directory(Path("made")) as partial:
            (partial / "half").write_text("half")
            print("waiting", flush=True)
            sys.stdin.read()
    if work.what == "wrap":
        try:
            print("waiting", flush=True)
            sys.stdin.read()
        except KeyboardInterrupt:
            raise ImportError("It was interrupted.")
    if work.what == "compute":
        from native_work import compute_until
        atexit.register(print, "exit function")
        started = threading.Event()
        compute = lambda: compute_until(lambda: started.set())
        threading.Thread(target=compute, daemon=True).start()
        started.wait()
        print("waiting", flush=True)
        sys.stdin.read()
        raise ZeroDivisionError("oops")

program = Program(component="toy.work", name="work", run=run, settings=(WorkSettings, RemoteSettings))
if __name__ == "__main__":
    program()
"""


@pytest.fixture
def toy(tmp_path: Path, start: Start) -> Start:
    """Start the program with flags; variables are those of the environment."""
    folder = tmp_path / "toy" / "work"
    (folder / "config").mkdir(parents=True)
    (tmp_path / "toy/__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "work.py").write_text(PROGRAM)
    (folder / "config/dev.env").write_text("TOY_WORK_COUNT=2\nTOY_REMOTE_TOKEN=dev-s3cret\n")
    (folder / "config/prod.env").write_text("TOY_WORK_COUNT=20\n")
    return lambda *flags, **variables: start("-m", "toy.work.work", *flags, **variables)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    output, errors = process.communicate()
    return process.returncode, output, errors


def test_success_is_zero(toy: Start) -> None:
    code, output, _ = finish(toy())
    assert (code, output) == (0, "running nothing 2 dev-s3cret\n")


def test_flag_over_environment_over_env_file(toy: Start) -> None:
    assert finish(toy(MESH_ENV_FILE="config/prod.env"))[1] == "running nothing 20 \n"
    assert (
        finish(toy(MESH_ENV_FILE="config/prod.env", TOY_WORK_COUNT="3"))[1]
        == "running nothing 3 \n"
    )
    assert finish(toy("--count", "4", TOY_WORK_COUNT="3"))[1] == "running nothing 4 dev-s3cret\n"


def test_settings_are_logged_with_secrets_masked(toy: Start) -> None:
    _, _, errors = finish(toy(TOY_REMOTE_TOKEN="env-s3cret"))
    assert "WorkSettings: what=nothing count=2" in errors
    assert "RemoteSettings: token=***" in errors
    assert "s3cret" not in errors


def test_json_logs(toy: Start) -> None:
    _, _, errors = finish(toy(MESH_LOG_FORMAT="json"))
    records = [json.loads(line) for line in errors.splitlines()]
    assert {record["service"] for record in records} == {"toy-work"}
    assert "s3cret" not in errors


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [("refuse", 1, "The toy is broken; repair it."), ("misuse", 2, "Toys have no wheels.")],
)
def test_errors_for_people_are_one_line(toy: Start, what: str, code: int, message: str) -> None:
    returned, _, errors = finish(toy("--what", what, MESH_LOG_LEVEL="ERROR"))
    assert (returned, errors) == (code, f"error: {message}\n")


def test_defects_keep_their_traceback(toy: Start) -> None:
    code, _, errors = finish(toy("--what", "defect"))
    assert code == 1
    assert "Traceback" in errors
    assert "ZeroDivisionError: oops" in errors


def test_bad_settings_are_all_named_and_nothing_runs(toy: Start) -> None:
    code, output, errors = finish(
        toy(TOY_WORK_COUNT="x", MESH_LOG_LEVEL="LOUD", TOY_WORK_WHATT="x")
    )
    assert (code, output) == (2, "")
    for part in (
        "TOY_WORK_COUNT='x'",
        "MESH_LOG_LEVEL='LOUD'",
        "TOY_WORK_WHATT is unknown; did you mean TOY_WORK_WHAT?",
    ):
        assert part in errors
    assert "Traceback" not in errors


def test_missing_env_file(toy: Start) -> None:
    code, output, errors = finish(toy(MESH_ENV_FILE="config/test.env"))
    assert (code, output) == (2, "")
    assert errors.startswith("error: MESH_ENV_FILE names 'config/test.env'")


def test_unknown_flags(toy: Start) -> None:
    code, output, errors = finish(toy("--whatever", "x"))
    assert (code, output) == (2, "")
    assert "usage: toy.work:work" in errors
    assert "--whatever" in errors


def test_help(toy: Start) -> None:
    code, output, _ = finish(toy("--help"))
    assert code == 0
    assert "Do toy work." in output
    assert "What to do." in output


signals = pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)


def wait_until_it_waits(process: "subprocess.Popen[str]") -> None:
    assert process.stdout
    assert process.stdout.readline().startswith("running")
    assert process.stdout.readline() == "waiting\n"


@signals
def test_signals_remove_partial_files(
    toy: Start, tmp_path: Path, number: signal.Signals, code: int, word: str
) -> None:
    process = toy("--what", "wait", MESH_LOG_LEVEL="ERROR")
    wait_until_it_waits(process)
    assert list(tmp_path.glob(".made.*.partial"))
    process.send_signal(number)
    returned, _, errors = finish(process)
    assert (returned, errors) == (code, f"{word}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy"]


def test_temporary_folder_of_a_killed_program_is_removed_by_the_next(
    toy: Start, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = toy("--what", "wait", TMPDIR=str(temporary))
    wait_until_it_waits(process)
    process.kill()
    process.wait()
    [left] = temporary.iterdir()
    assert left.name.startswith(".mesh.")
    assert finish(toy(TMPDIR=str(temporary)))[0] == 0
    assert list(temporary.iterdir()) == []


@signals
def test_signals_are_told_whatever_became_of_them_in_the_work(
    toy: Start, number: signal.Signals, code: int, word: str
) -> None:
    process = toy("--what", "wrap", MESH_LOG_LEVEL="ERROR")
    wait_until_it_waits(process)
    process.send_signal(number)
    returned, _, errors = finish(process)
    assert (returned, errors) == (code, f"{word}\n")


@signals
def test_signals_while_threads_compute_in_native_code(
    toy: Start, number: signal.Signals, code: int, word: str
) -> None:
    process = toy("--what", "compute", MESH_LOG_LEVEL="ERROR")
    wait_until_it_waits(process)
    process.send_signal(number)
    assert finish(process) == (code, "exit function\n", f"{word}\n")


def test_defects_while_threads_compute_in_native_code(toy: Start) -> None:
    process = toy("--what", "compute")
    wait_until_it_waits(process)
    code, output, errors = finish(process)
    assert (code, output) == (1, "exit function\n")
    assert errors.endswith("ZeroDivisionError: oops\n")


def test_component_that_is_not_there(start: Start) -> None:
    code, _, errors = finish(
        start(
            "-c",
            "from mesh.core.program import Program; Program(component='no', name='x', run=print, settings=())()",
        )
    )
    assert (code, errors) == (1, "error: The package 'no' can't be found.\n")
