import errno
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import MeshError
from mesh.core.files import (
    atomic_directory,
    read_json,
    remove_partials,
    safe_path,
    temporary_folder,
    write_json_atomic,
    write_text_atomic,
)

Start = Callable[..., "subprocess.Popen[str]"]


def read_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline()


def names(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))


@given(st.text())
def test_safe_paths_stay_below_the_root(relative: str) -> None:
    try:
        path = safe_path(Path("/srv/folder"), relative)
    except MeshError:
        return
    assert Path(os.path.normpath(path)).is_relative_to("/srv/folder")
    assert path != Path("/srv/folder")


@pytest.mark.parametrize(
    "relative", ["", ".", "..", "../x", "a/../../x", "a/..", "/etc/passwd", "a\\b", "a\0b"]
)
def test_unsafe_paths(tmp_path: Path, relative: str) -> None:
    with pytest.raises(MeshError) as caught:
        safe_path(tmp_path, relative)
    assert repr(relative) in str(caught.value)


def test_paths_through_links(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/out").symlink_to(tmp_path)
    (tmp_path / "root/in").symlink_to(tmp_path / "root")
    with pytest.raises(MeshError, match="leads out of"):
        safe_path(tmp_path / "root", "out/x")
    assert safe_path(tmp_path / "root", "in/x") == tmp_path / "root/in/x"


def test_directory_appears_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    with atomic_directory(target) as partial:
        (partial / "a").write_text("a")
        assert not target.exists()
        assert partial.parent == target.parent
    assert names(tmp_path) == ["deep", "deep/target", "deep/target/a"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_directory(tmp_path / "target") as partial:
            (partial / "a").write_text("a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == []


def test_failure_leaves_the_old_directory(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target/old").write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_directory(tmp_path / "target", replace=True):
        raise ZeroDivisionError
    assert names(tmp_path) == ["target", "target/old"]


def test_existing_directory_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target/old").write_text("old")
    with pytest.raises(MeshError, match="already exists"), atomic_directory(tmp_path / "target"):
        pytest.fail("must not be entered")
    with atomic_directory(tmp_path / "target", replace=True) as partial:
        (partial / "new").write_text("new")
    assert names(tmp_path) == ["target", "target/new"]


@pytest.mark.parametrize("replace", [False, True])
def test_directory_that_appears_meanwhile(tmp_path: Path, replace: bool) -> None:
    def make() -> None:
        with atomic_directory(tmp_path / "target", replace=replace) as partial:
            (partial / "mine").write_text("mine")
            (tmp_path / "target").mkdir()
            (tmp_path / "target/theirs").write_text("theirs")

    if replace:
        make()
        assert names(tmp_path) == ["target", "target/mine"]
    else:
        with pytest.raises(MeshError, match="already exists"):
            make()
        assert names(tmp_path) == ["target", "target/theirs"]


def test_a_file_in_the_way_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("a file")
    with pytest.raises(MeshError, match="already exists"), atomic_directory(tmp_path / "target"):
        pytest.fail("must not be entered")
    with atomic_directory(tmp_path / "target", replace=True) as partial:
        (partial / "new").write_text("new")
    assert names(tmp_path) == ["target", "target/new"]


def test_atomic_writes_nest(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "outer") as outer:
        with atomic_directory(outer / "inner") as inner:
            write_text_atomic(inner / "a", "a")
        write_text_atomic(outer / "b", "b")
    assert names(tmp_path) == ["outer", "outer/b", "outer/inner", "outer/inner/a"]


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(MeshError, match="target can't be written"),
        atomic_directory(tmp_path / "file/target"),
    ):
        pytest.fail("must not be entered")
    with pytest.raises(MeshError, match="target can't be written"):
        write_text_atomic(tmp_path / "file/target", "text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MeshError, match="folder can't be written"):
        write_text_atomic(tmp_path / "folder", "text")
    assert names(tmp_path) == ["file", "folder"]


MAKE_DIRECTORY = """
import sys
from pathlib import Path
from mesh.core.files import atomic_directory
with atomic_directory(Path("target"), replace=True) as partial:
    (partial / "half").write_text("half")
    print("half", flush=True)
    sys.stdin.readline()
"""
WRITE_TEXT = """
import sys
from pathlib import Path
from mesh.core.files import write_text_atomic
replace = Path.replace
def wait(self, target):
    print("half", flush=True)
    sys.stdin.readline()
    return replace(self, target)
Path.replace = wait
write_text_atomic(Path("target"), "whole")
"""


@pytest.mark.parametrize("code", [MAKE_DIRECTORY, WRITE_TEXT], ids=["directory", "file"])
def test_kill_leaves_only_a_partial_that_the_next_call_removes(
    start: Start, tmp_path: Path, code: str
) -> None:
    process = start("-c", code)
    assert read_line(process) == "half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    (partial,) = tmp_path.iterdir()
    assert partial.name.startswith(".target.")
    assert partial.name.endswith(".partial")
    next_process = start("-c", code)
    next_process.communicate("go on\n")
    assert next_process.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


USE_TEMPORARY = """
import atexit, os, sys, tempfile
from pathlib import Path
from mesh.core.files import temporary_folder
with temporary_folder(), temporary_folder():
    # As libraries remove theirs.
    atexit.register(os.rmdir, tempfile.mkdtemp())
    Path(tempfile.mkdtemp(), "half").write_text("half")
    print("half", flush=True)
    sys.stdin.readline()
assert tempfile.gettempdir() == sys.argv[1]
"""


def test_temporary_files_of_a_killed_process_are_removed_by_the_next(
    start: Start, tmp_path: Path
) -> None:
    living, killed = (
        start("-c", USE_TEMPORARY, str(tmp_path), TMPDIR=str(tmp_path)) for _ in range(2)
    )
    for process in (living, killed):
        assert read_line(process) == "half\n"
    assert len(list(tmp_path.iterdir())) == 2
    killed.kill()
    killed.wait()
    after = start("-c", USE_TEMPORARY, str(tmp_path), TMPDIR=str(tmp_path))
    assert read_line(after) == "half\n"
    assert len(list(tmp_path.iterdir())) == 2
    for process in (living, after):
        assert process.communicate("go on\n")[1] == ""
        assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_that_can_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    with pytest.raises(MeshError, match="/proc/nowhere can't be written"), temporary_folder():
        pytest.fail("must not be entered")


def test_partials_of_other_names_are_removed_on_request(start: Start, tmp_path: Path) -> None:
    process = start("-c", MAKE_DIRECTORY)
    assert read_line(process) == "half\n"
    for name in (".target-1.x.partial", ".other.x.partial"):
        (tmp_path / name).mkdir()
    remove_partials(tmp_path, "target*")
    left = sorted(path.name.partition(".x")[0][:7] for path in tmp_path.iterdir())
    assert left == [".other", ".target"]


def test_killed_directory_is_resumed(start: Start, tmp_path: Path) -> None:
    process = start("-c", MAKE_DIRECTORY)
    assert read_line(process) == "half\n"
    process.kill()
    process.wait()
    with atomic_directory(tmp_path / "target", resume=True) as partial:
        assert (partial / "half").read_text() == "half"
        (partial / "rest").write_text("rest")
    assert names(tmp_path) == ["target", "target/half", "target/rest"]


def test_living_directory_is_not_resumed(start: Start, tmp_path: Path) -> None:
    process = start("-c", MAKE_DIRECTORY)
    assert read_line(process) == "half\n"
    with atomic_directory(tmp_path / "target", resume=True) as partial:
        assert list(partial.iterdir()) == []
    process.communicate("go on\n")


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ConnectionError("lost"), True),
        (MeshError("refused"), False),
        (OSError(errno.ENOSPC, "no space left on device"), False),
    ],
    ids=["lost", "refused", "full"],
)
def test_what_is_left_of_a_directory_that_can_be_resumed(
    tmp_path: Path, error: Exception, kept: bool
) -> None:
    with pytest.raises(type(error)), atomic_directory(tmp_path / "target", resume=True) as partial:
        raise error
    assert partial.exists() == kept


@pytest.mark.parametrize("code", [MAKE_DIRECTORY, WRITE_TEXT], ids=["directory", "file"])
def test_partial_of_a_living_process_is_left_alone(start: Start, tmp_path: Path, code: str) -> None:
    first, second = start("-c", code), start("-c", code)
    for process in (first, second):
        assert read_line(process) == "half\n"
    for process in (first, second):
        _, errors = process.communicate("go on\n")
        assert (process.returncode, errors) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


RACE = """
import sys
from pathlib import Path
from mesh.core.files import atomic_directory
from mesh.core.files import write_text_atomic
print("ready", flush=True)
sys.stdin.readline()
for number in range(150):
    with atomic_directory(Path("target"), replace=True) as partial:
        (partial / "a").write_text("a")
        (partial / "b").write_text("b")
    write_text_atomic(Path("text"), "text")
"""


def test_many_writers_of_one_place(start: Start, tmp_path: Path) -> None:
    processes = [start("-c", RACE) for _ in range(4)]
    for process in processes:
        assert read_line(process) == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert errors == [""] * len(processes)
    assert names(tmp_path) == ["target", "target/a", "target/b", "text"]


def test_partials_of_names_with_patterns(tmp_path: Path) -> None:
    (tmp_path / ".a.x.partial").write_text("of another")
    write_text_atomic(tmp_path / "[ab]", "text")
    assert names(tmp_path) == [".a.x.partial", "[ab]"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_round_trip(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "value.json"
    try:
        write_json_atomic(path, value)
    except UnicodeEncodeError:
        assert "\\ud" in json.dumps(value)
        assert not path.exists()
        return
    assert read_json(path) == value


def test_json_is_readable_text(tmp_path: Path) -> None:
    write_json_atomic(tmp_path / "value.json", {"b": "é", "a": 1})
    assert (tmp_path / "value.json").read_text("utf-8") == '{\n  "b": "é",\n  "a": 1\n}\n'
    assert (tmp_path / "value.json").stat().st_mode & 0o777 == 0o644


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json_atomic(tmp_path / "value.json", [float("nan")])
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"{", "is not valid JSON"),
        (b"\xff\xfe\xfd", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
    ],
)
def test_unreadable_json(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "value.json").write_bytes(content)
    with pytest.raises(MeshError, match=rf"value\.json {message}"):
        read_json(tmp_path / "value.json")


def test_json_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="can't be read: Is a directory"):
        read_json(tmp_path)
