"""The script `mesh`, and what `./pants run` starts, with a Pants that only pretends to prepare programs."""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

# Prepares a program, or tells what it was called with.
PANTS = """
import json, os, pathlib, sys

def main():
    arguments = sys.argv[1:]
    with open(os.environ["LOG"], "a") as log:
        print("input:", sys.stdin.read(), *arguments, file=log)
    if "prepare-run" not in arguments:
        print("pants", *arguments)
        sys.exit(3)
    if os.environ.get("GATE"):
        print("preparing", flush=True)
        open(os.environ["GATE"]).read()
    if "a:broken" in arguments:
        sys.exit(5)
    if "watched" in arguments:
        sys.exit(0)
    (folder,) = [argument.partition("=")[2] for argument in arguments if "-folder=" in argument]
    sandbox = pathlib.Path(folder, "sandbox")
    sandbox.mkdir()
    program = sandbox / "program"
    program.write_text(os.environ.get("PROGRAM", '#!/bin/sh\\nprintf "%s\\\\n" "$@" "$PWD" "$MADE"\\ncat\\n'))
    program.chmod(0o755)
    environment = {"MADE": "in {chroot}", "PEX_ROOT": os.environ["CACHE"], "PEX_PYTHON": sys.executable}
    inherited = {"SSL_CERT_FILE": os.environ.get("SSL_CERT_FILE")}
    command = {"arguments": ["{chroot}/program"], "environment": environment, "inherited": inherited}
    pathlib.Path(folder, "command.json").write_text(json.dumps(command))
    sys.exit(0)
"""

FILES = (
    "3rdparty/python/models.lock",
    "build-support/macros/components.py",
    "src/python/mesh/BUILD",
    "src/python/mesh/core.py",
    "pants.toml",
)


class Clone:
    """A clone with the two scripts, on a machine with the pretended Pants."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.programs = folder / ".pants.d/programs"
        self.log = folder.parent / "log"
        self.cache = folder.parent / "cache"
        self.cache.mkdir(parents=True)
        for file in FILES:
            self.write(file)
        shutil.copytree("build-support/bootstrap", folder / "build-support/bootstrap")
        self.write("build-support/pants.lock", "pex==2.1.137\n")
        shutil.copy("mesh", folder)
        self.write(
            "pants",
            '#!/bin/sh\nroot=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)\n'
            f'exec "{python}" -B -E -s "$root/build-support/bootstrap/start.py" "$root" "{python.parents[2]}" "$@"\n',
        )
        (folder / "pants").chmod(0o755)

    def write(self, path: str, content: str = "") -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(content)

    def start(
        self, *command: str | Path, folder: str = "", umask: int = -1, **environment: str
    ) -> "subprocess.Popen[str]":
        own = {"LOG": str(self.log), "CACHE": str(self.cache), "PATH": os.environ["PATH"]}
        return subprocess.Popen(
            [self.folder / command[0], *command[1:]],
            cwd=self.folder / folder,
            env={**own, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            umask=umask,
        )

    def run(
        self, *command: str | Path, text: str = "", folder: str = "", **environment: str
    ) -> tuple[int, list[str], str]:
        """A command's exit code, lines of output, and errors."""
        process = self.start(*command, folder=folder, umask=-1, **environment)
        out, err = process.communicate(text, timeout=60)
        return process.returncode, out.splitlines(), err

    @property
    def calls(self) -> list[str]:
        """What Pants was called with, and read from standard input."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the pretended Pants installed."""
    home = tmp_path_factory.mktemp("python")
    settings = {"code": sys.executable, "pex_sha256": "0" * 64, "pex_size": 1}
    (home / "settings.json").write_text(json.dumps(settings))
    folder = home / "venv"
    venv.create(folder, symlinks=True)
    (library,) = folder.glob("lib/python3*/site-packages")
    (library / "pants/bin").mkdir(parents=True)
    (library / "pants/bin/pants_loader.py").write_text(PANTS)
    (folder / "bin/pants").write_text("from pants.bin.pants_loader import main\nmain()\n")
    return folder / "bin/python"


@pytest.fixture
def clone(tmp_path: Path, python: Path) -> Clone:
    return Clone(tmp_path / "clone", python)


def test_mesh_is_prepared_once(clone: Clone) -> None:
    for _ in range(3):
        code, out, err = clone.run("mesh", "a b", "", "--", text="typed")
        assert (code, err) == (0, "")
        assert out[:4] == ["a b", "", "--", str(clone.folder)]
        assert out[4].endswith("/sandbox")
        assert out[5] == "typed"

    (call,) = clone.calls
    assert call.startswith("input:  --prepare-run-folder=")
    assert call.endswith(" prepare-run //src/python/mesh/cli:mesh")
    # The process has ended whose link it was.
    clone.run("mesh")
    assert len(list(clone.programs.iterdir())) == 4


@pytest.mark.parametrize("file", [*FILES, "3rdparty/new.txt", "src/python/new/BUILD"])
def test_mesh_is_prepared_again_when_a_file_changes(clone: Clone, file: str) -> None:
    clone.run("mesh")
    clone.write(file, "changed")

    assert clone.run("mesh")[0] == 0
    assert len(clone.calls) == 2
    clone.run("mesh")
    assert len(clone.calls) == 2


@pytest.mark.parametrize(
    "file", ["docs/build.md", "src/python/mesh/__pycache__/core.pyc", "outputs/report.json"]
)
def test_other_files_do_not_matter(clone: Clone, file: str) -> None:
    clone.run("mesh")
    clone.write(file, "changed")
    # As an editor makes one for an edited file.
    (clone.folder / "docs").mkdir(exist_ok=True)
    (clone.folder / "docs/.#build.md").symlink_to("nowhere")

    clone.run("mesh")
    assert len(clone.calls) == 1


def test_link_to_nowhere_among_the_sources(clone: Clone) -> None:
    (clone.folder / "src/python/mesh/.#core.py").symlink_to("me@here.1")

    for _ in range(2):
        assert clone.run("mesh")[0] == 0
    assert len(clone.calls) == 1


def test_mesh_is_prepared_again_for_other_certificates(clone: Clone) -> None:
    for file in ("/a", "/b"):
        for _ in range(2):
            assert clone.run("mesh", SSL_CERT_FILE=file)[0] == 0
    assert len(clone.calls) == 2


def test_mesh_is_prepared_again_when_its_environment_is_gone(clone: Clone) -> None:
    clone.run("mesh")
    clone.cache.rename(clone.cache.with_name("elsewhere"))

    assert clone.run("mesh", CACHE=f"{clone.cache}/../elsewhere")[0] == 0
    assert len(clone.calls) == 2


def test_mesh_without_the_python_that_installed_it(clone: Clone) -> None:
    clone.run("mesh")
    (clone.programs / "python").write_text("/nowhere/python\n")

    assert clone.run("mesh")[0] == 0
    assert len(clone.calls) == 2


def test_edit_during_the_preparation(clone: Clone) -> None:
    gate = clone.folder.parent / "gate"
    os.mkfifo(gate)
    process = clone.start("mesh", "x", GATE=str(gate))
    assert process.stdout is not None
    assert process.stdout.readline() == "preparing\n"
    clone.write("src/python/mesh/core.py", "changed")
    gate.write_text("")
    assert process.communicate(timeout=60)[0].startswith("x\n")

    clone.run("mesh")
    assert len(clone.calls) == 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_preparation_that_is_ended_is_repeated(clone: Clone, number: signal.Signals) -> None:
    gate = clone.folder.parent / "gate"
    os.mkfifo(gate)
    process = clone.start("mesh", "x", GATE=str(gate))
    assert process.stdout is not None
    assert process.stdout.readline() == "preparing\n"
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (-number, 128 + number)
    assert list(clone.programs.glob(f"{process.pid}.*"))

    assert clone.run("mesh", "x")[0] == 0
    assert not list(clone.programs.glob(f"{process.pid}.*"))


def test_failed_preparation(clone: Clone) -> None:
    assert clone.run("pants", "run", "a:broken")[0] == 5
    assert clone.run("mesh")[0] == 0


def test_programs_stay_as_long_as_they_run(clone: Clone) -> None:
    endless = "#!/bin/sh\necho here\nexec sleep 1000\n"
    with (
        clone.start("mesh", PROGRAM=endless) as first,
        clone.start("pants", "run", "a/b:c", PROGRAM=endless) as second,
    ):
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
        with clone.start("mesh") as kept:
            assert kept.stdout is not None
            assert kept.stdout.readline() == "here\n"
            first.kill()
            first.wait()
            clone.write("src/python/mesh/core.py", "changed")
            assert clone.run("mesh")[0] == 0
            assert clone.run("pants", "run", "a/b:c")[0] == 0
            sandboxes = list(clone.programs.glob("*.*/sandbox"))
            # Of the kept one before, of the one beside it, of the kept one now, and of the last one that has ended.
            assert len({sandbox.resolve() for sandbox in sandboxes}) == 4
            kept.kill()
        second.kill()

    assert clone.run("pants", "run", "a/b:c")[0] == 0
    assert len({path.resolve() for path in clone.programs.glob("*.*/sandbox")}) == 2


@pytest.mark.parametrize(
    "name", ["a b", "é", "a#b", "a,b", "[x]", "100%s", "it's", 'a"b', "a=b", "$x", "-n"]
)
def test_mesh_in_any_folder(tmp_path: Path, python: Path, name: str) -> None:
    clone = Clone(tmp_path / name / "clone", python)
    link = tmp_path / name / "m"
    link.symlink_to("clone/mesh")

    for command in (clone.folder / "mesh", link):
        assert clone.run(command, "x", folder="src/python")[:2] == (
            0,
            ["x", str(clone.folder), f"in {(clone.programs / 'mesh').resolve()}/sandbox"],
        )
    assert len(clone.calls) == 1


def test_nobody_else_reads_what_is_prepared(clone: Clone) -> None:
    process = clone.start("mesh", umask=0)
    process.communicate()
    assert clone.programs.stat().st_mode & 0o777 == 0o700

    process = clone.start("mesh", umask=0o077)
    assert process.communicate()[0]
    assert process.returncode == 0


def test_folder_that_cannot_be_written_is_named(clone: Clone) -> None:
    clone.write(".pants.d", "a file")

    for command in (["pants", "run", "a:b"], ["mesh"]):
        code, _, err = clone.run(*command)
        assert code == 1
        assert err == f"./pants: {clone.programs} can't be used: Not a directory.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "a:b"],
        ["-ldebug", "--tag=x", "run", "a/b", "--", "run", "test", "--help"],
        ["run", "--debug-adapter", "src", "-a::"],
        ["a/b.py", "run"],
    ],
)
def test_run_of_one_program_is_prepared(clone: Clone, arguments: list[str]) -> None:
    code, out, err = clone.run("pants", *arguments)

    assert (code, err) == (0, "")
    own, _, passed = " ".join(arguments).partition(" -- ")
    assert out[: len(passed.split())] == passed.split()
    assert clone.calls[0].partition(" --prepare-run-folder=")[2].partition(" ")[2] == own.replace(
        "run", "prepare-run", 1
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "::"],
        ["test", "run", "a:b"],
        ["run", "fmt", "a:b"],
        ["help", "run"],
        ["run", "--help"],
        ["--loop", "run", "a:b"],
        ["repl", "a:b", "--", "run"],
        ["watched", "run"],
        [],
    ],
)
def test_everything_else_is_left_to_pants(clone: Clone, arguments: list[str]) -> None:
    code, out, _ = clone.run("pants", *arguments)

    assert (code, out) == (3, [" ".join(["pants", *arguments])])


def test_target_that_pants_has_to_watch(clone: Clone) -> None:
    (clone.folder / "watched").mkdir()
    code, out, _ = clone.run("pants", "run", "watched", "--", "x")

    assert (code, out) == (3, ["pants run watched -- x"])


@pytest.mark.parametrize(
    "file",
    [
        *sorted(Path("build-support/bootstrap").glob("*.py")),
        *sorted(Path("build-support/pants_plugins").rglob("*.py")),
    ],
    ids=str,
)
def test_oldest_python_that_pants_runs_on_reads_it(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=(3, 7))
