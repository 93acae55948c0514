"""`./pants run` and `./mesh` with real Pants: the program takes the command's place, and Pants is free."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from build_support.functional.small_repository import SmallRepository, require_pants

CONFIGURATION = """
[GLOBAL]
pants_version = "2.17.1"
backend_packages = ["pants.backend.python", "prepare_run"]
pythonpath = ["%(buildroot)s/build-support/pants_plugins"]
build_patterns = ["BUILD"]
pantsd_timeout_when_multiple_invocations = -1
[anonymous-telemetry]
enabled = false
[source]
root_patterns = ["/src/python"]
[python]
interpreter_constraints = ["CPython==3.11.*"]
"""

# Tells what it was started with, then ends as it is told, or when a signal comes.
PROGRAM = """
import json, os, signal, sys, threading

def stop(number, frame):
    # Not print, which may be at work.
    os.write(1, b"stopped by %d\\n" % number)
    sys.exit(40 + number)

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, stop)
started = {"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(), "process": os.getpid()}
print(json.dumps(started), flush=True)
if sys.argv[1:] == ["serve"]:
    threading.Event().wait()
print(sys.stdin.read(), end="")
sys.exit(7)
"""

FILES = {
    "pants.toml": CONFIGURATION,
    "src/python/app/BUILD": (
        'python_source(name="app", source="app.py", run_goal_use_sandbox=False)\n'
        'python_source(name="watched", source="app.py", run_goal_use_sandbox=False, restartable=True)\n'
        'pex_binary(name="pex", entry_point="app.py", dependencies=[":app"])\n'
    ),
    "src/python/app/app.py": PROGRAM,
    "src/python/mesh/cli/BUILD": (
        'python_source(name="mesh", source="mesh.py", run_goal_use_sandbox=False)\n'
    ),
    "src/python/mesh/cli/mesh.py": PROGRAM,
}

APP = "src/python/app:app"
ARGUMENTS = ["a b", "", "'\"$HOME\\", "-x", "--", "--tag=é", "run", "*"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallRepository]:
    require_pants()
    repository = SmallRepository(tmp_path_factory.mktemp("repository"), FILES)
    yield repository
    repository.stop()


def started(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What the program says that it was started with."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(process.communicate()[1])
    told: dict[str, Any] = json.loads(line)
    return told


def end(process: "subprocess.Popen[str]", number: int) -> tuple[int, str]:
    """Send a signal to a process; its exit code and what it says."""
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_arguments_input_folder_and_exit_code_are_the_callers(repository: SmallRepository) -> None:
    with repository.start("pants", "-linfo", "run", APP, "--", *ARGUMENTS) as process:
        told = started(process)
        out, err = process.communicate("some\ntext")

    assert told["arguments"] == ARGUMENTS
    assert (told["folder"], told["process"]) == (str(repository.folder), process.pid)
    assert (process.returncode, out) == (7, "some\ntext"), err


def test_environment_is_the_one_that_pants_gives(repository: SmallRepository) -> None:
    variables = {"A": "x y\n'$(z)", "PYTHONPATH": "/nowhere", "EMPTY": ""}

    environments = []
    # Pants stays beside the second one.
    for target in (APP, "src/python/app:watched"):
        with repository.start("pants", "run", target, **variables) as process:
            told = started(process)
            process.communicate("")
        assert process.returncode == 7
        environments.append(told["environment"])
    own, of_pants = environments

    assert variables["A"] == own["A"]
    assert own.pop("MESH_CALLED_FROM") == str(repository.folder)
    # The folder of the program's own files differs.
    paths = [
        [Path(path).name for path in environment.pop("PEX_EXTRA_SYS_PATH").split(":")]
        for environment in environments
    ]
    assert paths[0] == paths[1]
    for name in [name for name in of_pants if name.startswith(("PANTSD_", "__PANTS"))]:
        del of_pants[name]
    assert own == of_pants


def test_addresses_are_relative_to_the_callers_folder(repository: SmallRepository) -> None:
    with repository.start("pants", "run", ":pex", "--", "x", folder="src/python/app") as process:
        told = started(process)
        process.communicate()

    assert (told["arguments"], told["folder"]) == (["x"], str(repository.folder))
    assert told["environment"]["MESH_CALLED_FROM"] == f"{repository.folder}/src/python/app"
    assert process.returncode == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_program(repository: SmallRepository, number: signal.Signals) -> None:
    with repository.start("pants", "run", APP, "--", "serve") as process:
        started(process)

        assert end(process, number) == (40 + number, f"stopped by {number}\n")


def test_four_commands_at_once_beside_a_server(repository: SmallRepository) -> None:
    with repository.start("pants", "run", APP, "--", "serve") as server:
        started(server)
        commands = [
            repository.start("pants", "list", "::"),
            repository.start("pants", "dependencies", APP),
            repository.start("pants", "run", APP, "--", "once"),
            repository.start("mesh", "twice"),
        ]
        ended = [(process, *process.communicate()) for process in commands]

        assert [process.returncode for process in commands] == [0, 0, 7, 7], ended
        assert server.poll() is None
        assert end(server, signal.SIGTERM)[0] == 40 + signal.SIGTERM


def test_preparation_that_is_killed_leaves_nothing(repository: SmallRepository) -> None:
    programs = repository.folder / ".pants.d/programs"
    repository.append("src/python/app/app.py")
    with repository.start("pants", "run", APP) as process:
        while not list(programs.glob(f"{process.pid}.*")):
            assert process.poll() is None
            time.sleep(0.001)
        process.kill()
        process.communicate()
    assert list(programs.glob(f"{process.pid}.*"))

    assert repository.run("pants", "run", APP).returncode == 7
    assert not list(programs.glob(f"{process.pid}.*"))


def test_what_is_no_run_of_one_program_stays_with_pants(repository: SmallRepository) -> None:
    result = repository.run("pants", "run", "--help")
    assert "`run` goal options" in result.stdout
    assert repository.run("pants", "run", "list", APP).returncode == 7
    failed = repository.run("pants", "run", "src/python/nothing:here")
    assert failed.returncode == 1
    assert "src/python/nothing" in failed.stderr


def test_mesh_is_started_without_pants_until_a_source_changes(repository: SmallRepository) -> None:
    def requests() -> int:
        return (repository.folder / ".pants.d/pants.log").read_text().count("handling request")

    first = repository.run("mesh", "once")
    assert first.returncode == 7, first.stderr
    before = requests()

    with repository.start("mesh", *ARGUMENTS, folder="src/python") as process:
        told = started(process)
        out, err = process.communicate("text")

    assert (told["arguments"], told["process"]) == (ARGUMENTS, process.pid)
    assert told["folder"] == str(repository.folder)
    assert told["environment"]["MESH_CALLED_FROM"] == f"{repository.folder}/src/python"
    assert (process.returncode, out, err) == (7, "text", "")
    assert requests() == before

    repository.write("src/python/mesh/cli/word.py", "WORD = 'new'")
    repository.append(
        "src/python/mesh/cli/BUILD", 'python_sources(name="lib", sources=["word.py"])\n'
    )
    repository.write("src/python/mesh/cli/mesh.py", "from mesh.cli.word import WORD\nprint(WORD)")
    changed = repository.run("mesh", "once")
    assert (changed.returncode, changed.stdout) == (0, "new\n"), changed.stderr
    assert requests() == before + 1
    repository.write("src/python/mesh/cli/mesh.py", PROGRAM)


def test_mesh_through_a_link_from_anywhere(repository: SmallRepository, tmp_path: Path) -> None:
    link = tmp_path / "bin" / "m"
    link.parent.mkdir()
    link.symlink_to(os.path.relpath(repository.folder / "mesh", link.parent))

    result = subprocess.run([link, "x"], cwd=tmp_path, capture_output=True, text=True, input="")

    assert result.returncode == 7, result.stderr
    told = json.loads(result.stdout)
    assert (told["arguments"], told["folder"]) == (["x"], str(repository.folder))
    assert told["environment"]["MESH_CALLED_FROM"] == str(tmp_path)
    shutil.rmtree(link.parent)
