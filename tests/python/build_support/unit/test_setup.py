"""The script `build-support/setup`, on machines that have only the tools that a test puts there."""

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path("build-support/setup").resolve()
TOOLS = "bash cat chmod grep sed"
# Answers to what the script asks of Python, as far as `VERSION` goes.
PYTHON = """#!/bin/bash
case "$*" in *"'VERSION'"*) exit 0 ;; *) exit 1 ;; esac
"""
# Installs a program of each package's name beside itself.
APT = """#!/bin/bash
echo "apt-get $*" >>"$LOG"
for package in "${@:3}"; do
    printf '#!/bin/bash\\n' >"$(dirname "$0")/$package"
    chmod +x "$(dirname "$0")/$package"
done
"""


class Machine:
    def __init__(self, folder: Path, system: str = "Linux", machine: str = "x86_64") -> None:
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.bin.mkdir()
        for tool in (*TOOLS.split(), "dirname"):
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        self.add("uname", f"case $1 in -s) echo {system} ;; -m) echo {machine} ;; esac")
        self.add("id", "echo 0")

    def add(self, name: str, body: str = "") -> None:
        (self.bin / name).write_text(body if body.startswith("#!") else f"#!/bin/bash\n{body}\n")
        (self.bin / name).chmod(0o755)

    def add_everything_for_code(self) -> None:
        for name in ("git", "make", "python3"):
            self.add(name)
        for version in ("3.11", "3.9"):
            self.add(f"python{version}", PYTHON.replace("VERSION", version))

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.bin), "HOME": str(self.bin.parent), "LOG": str(self.log)}

    def run(self, *arguments: str) -> tuple[int, str]:
        process = subprocess.run(
            ["bash", str(SCRIPT), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return process.returncode, process.stdout

    def run_on_terminal(self, answer: str, *arguments: str) -> tuple[int, str]:
        """As run, with somebody at the keyboard who gives the same answer to everything."""
        keyboard, terminal = pty.openpty()
        os.write(keyboard, f"{answer}\n".encode() * 20)
        with subprocess.Popen(
            ["bash", str(SCRIPT), *arguments],
            env=self.environment,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            out, _ = process.communicate(timeout=60)
        os.close(terminal)
        os.close(keyboard)
        return process.returncode, out

    def changes(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_complete_machine(machine: Machine) -> None:
    machine.add_everything_for_code()
    machine.add("docker")
    machine.add("aws", 'if [[ $* == "configure list-profiles" ]]; then printf "dev\\nprod\\n"; fi')

    code, out = machine.run()

    assert code == 0, out
    assert "MISSING" not in out
    assert "nothing is missing" in out


def test_bare_machine_is_told_all_and_left_alone(machine: Machine) -> None:
    machine.add("apt-get", APT)
    before = sorted(machine.bin.iterdir())

    code, out = machine.run()

    assert code == 1
    for name in (
        "git",
        "a Python 3 with pip, or uv",
        "docker compose",
        "AWS profile prod",
    ):
        assert f"MISSING  {name}" in out
    assert "apt-get install --yes git" in out
    assert "9 missing" in out
    assert sorted(machine.bin.iterdir()) == before
    assert machine.changes() == []


@pytest.mark.parametrize(
    ("hidden", "named"),
    [
        ("git", "git"),
        ("make", "make"),
        ("python3", "a Python 3 with pip, or uv"),
    ],
)
def test_one_thing_missing(machine: Machine, hidden: str, named: str) -> None:
    machine.add_everything_for_code()
    for version in ("3.11", "3.9"):
        (machine.bin / f"python{version}").unlink()
    (machine.bin / hidden).unlink()

    code, out = machine.run("code")

    assert code == 1
    assert [line for line in out.splitlines() if "MISSING" in line] == [
        line for line in out.splitlines() if f"MISSING  {named}:" in line
    ]
    assert "1 missing" in out


@pytest.mark.parametrize("present", ["uv", "python3"])
def test_what_brings_interpreters_stands_for_them(machine: Machine, present: str) -> None:
    for name in ("git", "make", present):
        machine.add(name)

    code, out = machine.run("code")

    assert code == 0, out
    assert "note     Python 3.11 is missing; ./pants lets uv install it." in out
    assert "note     Python 3.9 is missing; ./pants lets uv install it." in out


def test_interpreter_of_pyenv_counts_and_a_shim_alone_does_not(machine: Machine) -> None:
    for name in ("git", "make"):
        machine.add(name)
    for shim in ("python3", "python3.11"):
        machine.add(shim, "exit 127")
    assert machine.run("code")[0] == 1

    python = machine.bin.parent / ".pyenv/versions/3.11.7/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.replace("VERSION", "3.11"))
    python.chmod(0o755)

    code, out = machine.run("code")
    assert code == 0, out
    assert "Python 3.11 is missing" not in out


@pytest.mark.parametrize(
    ("system", "kind", "code", "said"),
    [
        ("Linux", "x86_64", 0, None),
        (
            "Linux",
            "aarch64",
            0,
            "For Linux aarch64 the locks are resolved, but nothing has been run",
        ),
        ("Darwin", "arm64", 0, "For Darwin arm64 the locks are resolved, but nothing has been run"),
        ("Darwin", "x86_64", 1, "the locks have no packages for Darwin on x86_64"),
        ("Linux", "riscv64", 1, "the locks have no packages for Linux on riscv64"),
    ],
)
def test_says_what_is_known_of_this_kind_of_machine(
    tmp_path: Path, system: str, kind: str, code: int, said: str | None
) -> None:
    machine = Machine(tmp_path, system, kind)
    machine.add_everything_for_code()

    exit_code, out = machine.run("code")

    assert exit_code == code, out
    assert (said or "ok       git") in out
    assert said or ("note" not in out and "MISSING" not in out)


def test_only_what_is_asked_for_is_looked_at(machine: Machine) -> None:
    machine.add_everything_for_code()

    code, out = machine.run("code")

    assert code == 0, out
    assert "docker" not in out


def test_daemon_that_does_not_answer(machine: Machine) -> None:
    machine.add("docker", "case $1 in version) exit 1 ;; esac")

    code, out = machine.run("containers")

    assert code == 1
    assert "MISSING  docker's daemon" in out
    assert "ok       docker\n" in out


def test_refusing_changes_nothing(machine: Machine) -> None:
    machine.add_everything_for_code()
    (machine.bin / "git").unlink()
    machine.add("apt-get", APT)

    code, out = machine.run_on_terminal("n", "code")

    assert code == 1
    assert "Run 'apt-get install --yes git'? [y/N]" in out
    assert machine.changes() == []


def test_consent_installs(machine: Machine) -> None:
    machine.add_everything_for_code()
    (machine.bin / "git").unlink()
    machine.add("apt-get", APT)

    code, _ = machine.run_on_terminal("y", "code")

    assert code == 0
    assert machine.changes() == ["apt-get install --yes git"]


def test_yes_installs_without_asking(machine: Machine) -> None:
    machine.add_everything_for_code()
    for name in ("git", "make"):
        (machine.bin / name).unlink()
    machine.add("apt-get", APT.replace("do\n", "do [[ $package == make ]] && continue\n"))

    code, out = machine.run("--yes", "code")

    # The package `make` brings no program in this test: what was run and did not help is not called done.
    assert code == 1
    assert machine.changes() == ["apt-get install --yes git", "apt-get install --yes make"]
    assert "That did not help" in out


def test_macos_uses_brew(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "Darwin", "arm64")
    machine.add("brew")

    code, out = machine.run()

    assert code == 1
    assert "brew install python" in out
    assert "brew install --cask docker" in out
    assert "apt-get" not in out


def test_unknown_argument_and_unknown_system(tmp_path: Path, machine: Machine) -> None:
    assert machine.run("clowd")[0] == 2
    (tmp_path / "bsd").mkdir()
    code, out = Machine(tmp_path / "bsd", "FreeBSD").run()
    assert code == 2
    assert "FreeBSD is not supported" in out
