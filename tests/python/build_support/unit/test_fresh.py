"""The script `build-support/fresh`, with stand-ins for the programs that make containers."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = "build-support/fresh"
README = """# Mesh

    ./pants of another section

## Start

Serve:

    ./pants run serve -- up

    curl -s http://127.0.0.1:8001

Test:

    ./pants test ::

## Every day

    ./pants test some::
"""
# Notes what would run in a container, fails where asked, and stays where asked.
SETPRIV = """
while [[ $1 != --inside ]]; do shift; done
shift
echo "$*" >>"$LOG"
[[ $1 != make ]] || mkdir "$folder/base"
[[ $* != *"${HANG:-nothing}"* ]] || { echo started; read -r _ <"$GATE"; }
[[ $* != *"${FAIL:-nothing}"* ]]
"""


def _heed_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Machine:
    """A machine where root can make containers, and a clone with one commit."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self.bin = folder / "bin"
        self.containers = folder / "containers"
        self.log = folder / "log"
        self.bin.mkdir()
        self.add("id", "echo 0")
        self.add("setpriv", SETPRIV)
        for name in ("debootstrap", "unshare", "flock"):
            self.add(name)
        (self.clone / "build-support").mkdir(parents=True)
        shutil.copy(SCRIPT, self.clone / SCRIPT)
        (self.clone / "README.md").write_text(README)
        self.git("init", "--quiet")
        self.commit()

    def add(self, name: str, body: str = "") -> None:
        program = self.bin / name
        program.write_text(f"#!/bin/bash\n{body}\n")
        program.chmod(0o755)

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=self.clone, check=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start it; the folder is an argument, and inside a container a variable."""
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        given = {"PATH": path, "HOME": str(self.clone), "LOG": str(self.log)}
        if arguments[:1] == ("--inside",):
            given["folder"] = str(self.containers)
        else:
            arguments = ("--folder", str(self.containers), *arguments)
        return subprocess.Popen(
            [self.clone / SCRIPT, *arguments],
            env=given | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell can't trap what nohup, or a job in the background, has made it ignore.
            preexec_fn=_heed_signals,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def ran(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_commands_are_those_of_the_committed_readme(machine: Machine) -> None:
    (machine.clone / "README.md").write_text("")

    assert machine.run("--print") == (0, "./pants run serve -- up\n./pants test ::\n", "")


def test_quick_tests_one_folder_of_each_kind(machine: Machine) -> None:
    _, out, _ = machine.run("--print", "--quick")

    first, second = out.splitlines()
    assert first == "./pants run serve -- up"
    assert second.startswith("./pants test tests/python/")
    for kind in ("unit", "integration", "functional", "load"):
        assert re.search(rf"/{kind}(::|/test_\w+\.py)", second)


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "    ./pants test ::\n",
        "    ./pants a\n    ./pants b\n",
        "    ./a\n    ./b\n    ./c ::\n",
    ],
)
def test_readme_must_show_two_commands(machine: Machine, shown: str) -> None:
    (machine.clone / "README.md").write_text(f"## Start\n\n{shown}\n## Read on\n")
    machine.commit()

    code, out, err = machine.run("--print")

    assert (code, out) == (2, "")
    assert "must show two commands, the second ending in ' ::'; it shows: " in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fast"], "unknown argument '--fast'"),
        (["--as"], "--as needs a value"),
        (["--as", "guest"], "--as takes root, user or both, not 'guest'."),
        (["--shell"], "--shell needs --as root or --as user."),
        (["--shell", "--as", "user"], "no container was left"),
    ],
)
def test_wrong_arguments_are_explained(
    machine: Machine, arguments: list[str], sentence: str
) -> None:
    code, out, err = machine.run(*arguments)

    assert (code, out, machine.ran()) == (2, "", [])
    assert sentence in err


@pytest.mark.parametrize(
    ("program", "body", "sentence"),
    [
        ("id", "echo 1000", "only root can make a container."),
        ("uname", "echo Darwin", "containers of this kind need Linux."),
        ("flock", "exit 1", "another run uses"),
    ],
)
def test_where_no_container_can_be_made(
    machine: Machine, program: str, body: str, sentence: str
) -> None:
    machine.add(program, body)

    code, out, err = machine.run()

    assert (code, out, machine.ran()) == (2, "", [])
    assert sentence in err


def test_folder_of_something_else_is_left_alone(machine: Machine) -> None:
    machine.containers.mkdir()
    (machine.containers / "mine").touch()

    code, _, err = machine.run()

    assert code == 2
    assert f"{machine.containers} holds something else" in err
    assert (machine.containers / "mine").exists()


def test_both_users_run_both_commands_and_nothing_is_left(machine: Machine) -> None:
    code, out, err = machine.run()

    assert code == 0, err
    commands = "./pants run serve -- up ./pants test ::"
    assert machine.ran() == ["make base", f"try root {commands}", f"try user {commands}"]
    assert not machine.containers.exists()


@pytest.mark.parametrize("failing", ["try root", "try user"])
def test_a_failure_is_told_and_hides_nothing(machine: Machine, failing: str) -> None:
    assert machine.run(FAIL=failing)[0] == 1

    assert len(machine.ran()) == 3
    assert not machine.containers.exists()


def test_without_a_container_nothing_is_run(machine: Machine) -> None:
    code, _, err = machine.run(FAIL="make")

    assert (code, machine.ran()) == (2, ["make base"])
    assert "no container could be made" in err


def test_containers_are_kept_until_the_next_run(machine: Machine) -> None:
    machine.run("--keep", "--as", "user")
    left = machine.containers / "user"
    assert left.is_dir()
    (left / "file").touch()

    machine.run("--keep", "--as", "user")

    assert left.is_dir()
    assert not (left / "file").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_container_too(machine: Machine, tmp_path: Path, number: int) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    process = machine.start(HANG="try root", GATE=str(gate))
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"

    process.send_signal(number)

    # The output ends with the last process that has it.
    process.communicate(timeout=300)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert not machine.containers.exists()


@pytest.fixture
def container(machine: Machine, tmp_path: Path) -> Machine:
    """What is done inside a container, with a folder for its root and no mounts."""
    (tmp_path / "inside/mesh").mkdir(parents=True)
    (tmp_path / "containers/root").mkdir(parents=True)
    machine.add("mount", 'echo "$*" >>"$LOG"')
    machine.add(
        "chroot", f'cd {tmp_path}/inside; command=${{*: -1}}; exec bash -c "${{command#cd && }}"'
    )
    for name in ("git", "hostname", "python3"):
        machine.add(name)
    return machine


# Answers at once, and ends by SIGTERM with an exit code.
SERVER = """#!{python}
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit({code}))
print("curl -s http://127.0.0.1:{port}/predict -d x")
print('{{"outputs":[]}}', flush=True)
signal.pause()
"""


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        (SERVER.format(python=sys.executable, code=0, port=1), ""),
        (SERVER.format(python=sys.executable, code=143, port=1), ""),
        (SERVER.format(python=sys.executable, code=3, port=1), "ended with exit code 3"),
        ("#!/bin/bash\n", "ended before it printed a response"),
    ],
)
@pytest.mark.parametrize("tests", [0, 1])
def test_both_commands_count(
    container: Machine, tmp_path: Path, server: str, sentence: str, tests: int
) -> None:
    for name, program in (("serve", server), ("tests", f"#!/bin/bash\nexit {tests}\n")):
        (tmp_path / "inside/mesh" / name).write_text(program)
        (tmp_path / "inside/mesh" / name).chmod(0o755)

    code, _, err = container.run("--inside", "try", "root", "./serve", "./tests")

    assert code == (1 if sentence or tests else 0), err
    assert sentence in err
    times = (container.containers / "times").read_text().splitlines()
    assert [line.split()[2:] for line in times] == [
        ["FAILED" if sentence else "passed", "root", "./serve"],
        ["FAILED" if tests else "passed", "root", "./tests"],
    ]


def test_the_response_of_the_user_before_does_not_count(container: Machine, tmp_path: Path) -> None:
    (container.containers / "response").write_text('{"outputs":[]}\n')
    program = tmp_path / "inside/mesh/serve"
    program.write_text("#!/bin/bash\nsleep 1\n")
    program.chmod(0o755)

    code, _, err = container.run("--inside", "try", "root", "./serve", "true")

    assert code == 1
    assert "ended before it printed a response" in err


def test_server_that_is_left_is_a_failure(container: Machine, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as left:
        port = left.getsockname()[1]
        program = tmp_path / "inside/mesh/serve"
        program.write_text(SERVER.format(python=sys.executable, code=0, port=port))
        program.chmod(0o755)

        code, _, err = container.run("--inside", "try", "root", "./serve", "true")

    assert code == 1
    assert f"127.0.0.1:{port} still responds after its end." in err


def test_what_pip_is_configured_with_is_mounted(container: Machine, tmp_path: Path) -> None:
    for name in ("wheels", "index/simple", "xdg/pip"):
        (tmp_path / name).mkdir(parents=True)
    configuration = tmp_path / "xdg/pip/pip.conf"
    configuration.write_text(f"[global]\nextra-index-url = file://{tmp_path}/index/simple\n")

    container.run(
        *("--inside", "try", "root", "true", "true"),
        PIP_FIND_LINKS=f"{tmp_path}/wheels {tmp_path}/absent",
        XDG_CONFIG_DIRS=str(tmp_path / "xdg"),
    )

    for path in (configuration, tmp_path / "index", tmp_path / "wheels"):
        assert f"--bind {path} {container.containers}/root{path}" in container.ran()
    assert not (container.containers / f"root{tmp_path}/absent").exists()
