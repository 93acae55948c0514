"""The script `pants`, run with interpreters that only pretend to install."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

# Plays the part of Python: answers what the script asks, and makes the files that the real commands would make.
PYTHON = """#!/bin/bash
case "$*" in
    "-c import ensurepip"*"'VERSION'"*) exit 0 ;;
    "-c import ensurepip"*) exit 1 ;;
    "-c import os"*) echo "$0" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *"pip config list") echo "global.find-links='/my/wheels /more'" ; echo "global.cert='/my.pem'" ;;
    *"pip -qq"*" install "*) echo installing | tee -a "$LOG"; [[ -z ${GATE:-} ]] || read -r _ <"$GATE" ;;
    *"pip -qq"*" download "*) mkdir "${@: -3:1}" ;;
    "-m pex "*) mkdir -p "$PEX_ROOT"; echo pex >"${@: -1}" ;;
    *"/build-support/launch pants "*/venv/bin/pants*) shift 4; echo "started $*"; env | grep ^PANTS_ ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


class Machine:
    """A machine with the tools of Debian, but only the interpreters that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.bin = folder / "bin"
        self.cache = folder / ".cache/mesh-build"
        self.log = folder / "installs"
        self.bin.mkdir()
        tools = "bash cp cut dirname env flock grep ls mkdir mv rm sed sha256sum tee tr uname wc"
        for tool in tools.split():
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)

    def add(self, path: str, content: str) -> None:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o755)

    def add_python(self, version: str, path: str | None = None) -> None:
        self.add(path or f"bin/python{version}", PYTHON.replace("VERSION", version))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        env = {"HOME": str(self.home), "PATH": str(self.bin), "LOG": str(self.log), **environment}
        return subprocess.Popen(
            ["bash", str(Path("pants").resolve()), *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def gate(self) -> str:
        """A named pipe; an installation that was given it goes on when something is written there."""
        path = self.home / "gate"
        os.mkfifo(path)
        return str(path)

    @property
    def installs(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_installs_once_and_passes_arguments_on(machine: Machine) -> None:
    machine.add_python("3.9")
    machine.add_python("3.11")

    code, out, err = machine.run("test", "::")
    assert (code, out.splitlines()[0]) == (0, "started test ::"), err
    assert "installing Pants" in err

    code, out, err = machine.run("list")
    assert (code, out.splitlines()[0], err) == (0, "started list", "")
    assert machine.installs == 1


def test_pip_settings_reach_pants(machine: Machine) -> None:
    machine.add_python("3.9")
    machine.add_python("3.11")

    _, out, _ = machine.run("list")

    assert "PANTS_CA_CERTS_PATH=/my.pem" in out.splitlines()
    assert "PANTS_PYTHON_REPOS_FIND_LINKS=['/my/wheels','/more',]" in out.splitlines()


def test_shim_without_an_interpreter_is_passed_over(machine: Machine) -> None:
    machine.add("bin/python3.9", "#!/bin/bash\nexit 127\n")
    machine.add_python("3.9", ".pyenv/versions/3.9.18/bin/python")
    machine.add_python("3.11", ".pyenv/versions/3.11.7/bin/python")

    code, _, err = machine.run("list")

    assert code == 0, err
    assert f"['{machine.home}/.pyenv/versions/3.11.7/bin',]" in machine.run("list")[1]


@pytest.mark.parametrize(
    ("present", "sentence"),
    [
        ("3.11", "found no Python 3.9, 3.8, 3.7, needed to run Pants"),
        ("3.8", "found no Python 3.11, needed to run the code"),
    ],
)
def test_missing_interpreter_is_named(machine: Machine, present: str, sentence: str) -> None:
    machine.add_python(present)

    code, out, err = machine.run("list")

    assert (code, out) == (1, "")
    assert sentence in err
    assert machine.installs == 0


def wait_for(text: str, process: subprocess.Popen[str]) -> None:
    """Read what a process says until it says the text."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return
    pytest.fail(f"ended without saying {text!r}: {said}")


def test_killed_installation_is_repeated(machine: Machine) -> None:
    machine.add_python("3.9")
    machine.add_python("3.11")
    with machine.start("list", GATE=machine.gate()) as process:
        wait_for("installing\n", process)
        os.killpg(process.pid, signal.SIGKILL)
    assert not list(machine.cache.glob("pants-*"))
    assert list(machine.cache.glob("building.*"))

    code, out, err = machine.run("list")

    assert (code, out.splitlines()[0]) == (0, "started list"), err
    assert not list(machine.cache.glob("building.*"))


def test_two_at_once_install_once(machine: Machine) -> None:
    machine.add_python("3.9")
    machine.add_python("3.11")
    gate = machine.gate()
    with machine.start("first", GATE=gate) as first, machine.start("second", GATE=gate) as second:
        ended = []
        for process in (first, second):
            wait_for("install", process)
        Path(gate).write_text("go on\n")
        for process in (first, second):
            out, _ = process.communicate(timeout=60)
            ended.append((process.returncode, out.splitlines()[0]))

    assert ended == [(0, "started first"), (0, "started second")]
    assert machine.installs == 1
