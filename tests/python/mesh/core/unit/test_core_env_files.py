"""Env files: which lines are read, and the sentence for every other one."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.env_files import find_env_file, read_env_file
from mesh.core.errors import UsageError


def test_env_file_is_the_named_one_or_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MESH_ENV_FILE", raising=False)
    component, here = tmp_path / "component", tmp_path / "here"
    (component / "config").mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    assert find_env_file(component) is None
    (component / "config/dev.env").write_text("")
    assert find_env_file(component) == component / "config/dev.env"
    (component / "config/prod.env").write_text("")
    monkeypatch.setenv("MESH_ENV_FILE", "config/prod.env")
    assert find_env_file(component) == component / "config/prod.env"
    (here / "config").mkdir()
    (here / "config/prod.env").write_text("")
    assert find_env_file(component) == Path("config/prod.env")
    monkeypatch.setenv("MESH_ENV_FILE", "config/test.env")
    with pytest.raises(UsageError, match=r"MESH_ENV_FILE names 'config/test\.env'"):
        find_env_file(component)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", {}),
        ("# nothing\n\n", {}),
        ("A=1\n", {"A": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("export A=1\n  B = 2  # two\n", {"A": "1", "B": "2"}),
        ("A=\nB=''\n", {"A": "", "B": ""}),
        ("A='a # b'\nB=\"c=d\"\nC=e=f\n", {"A": "a # b", "B": "c=d", "C": "e=f"}),
        ("A='one\ntwo'\nB=3\n", {"A": "one\ntwo", "B": "3"}),
        ("A=1\nA=1\n", {"A": "1"}),
        ("A=ü\n", {"A": "ü"}),
        ('A={"b": "c"}\n', {"A": '{"b": "c"}'}),
    ],
)
def test_lines_that_are_read(tmp_path: Path, content: str, expected: dict[str, str]) -> None:
    path = tmp_path / "dev.env"
    path.write_bytes(content.encode())
    assert read_env_file(path) == expected


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"A=1\n\nKEYS: hunter2\n", 3, r"the line isn't NAME=value \(KEYS\)"),
        (b"SERVE_PORT:hunter2\n", 1, r"the line isn't NAME=value \(SERVE_PORT\)"),
        (b"A=1\nhunter2\n", 2, "the line isn't NAME=value"),
        (b"hunter2\n", 1, "the line isn't NAME=value"),
        (b"set A=1\n", 1, r"the line isn't NAME=value \(set\)"),
        (b"A B=hunter2\n", 1, r"the line isn't NAME=value \(A\)"),
        (b"A-B=hunter2\n", 1, r"the line isn't NAME=value \(A\)"),
        (b"1A=hunter2\n", 1, "the line isn't NAME=value"),
        (b"=hunter2\n", 1, "the line isn't NAME=value"),
        (b"'A=hunter2\n", 1, "the line isn't NAME=value"),
        (b'# one\nA="hunter2\nB=2\n', 2, "the quote \" of A isn't closed"),
        (b"A='hunter2\n", 1, "the quote ' of A isn't closed"),
        (b"A='hunter2' 3\n", 1, "the quote ' of A isn't closed, or text follows it"),
        (b"A=hunter2\nB=2\nA=3\n", 3, "A has another value above"),
        (b"A=1\nB=hunter2\xe9\n", 2, "the byte 0xe9 isn't UTF-8"),
        ("A=1\n".encode("utf-16"), 1, "the byte 0xff isn't UTF-8"),
    ],
)
def test_lines_that_are_refused(tmp_path: Path, content: bytes, line: int, reason: str) -> None:
    path = tmp_path / "dev.env"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"dev\.env, line {line}: {reason}") as caught:
        read_env_file(path)
    assert "hunter2" not in str(caught.value)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read: Is a directory"):
        read_env_file(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_folder_that_cannot_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "x.env").write_text("")
    (tmp_path / "config").chmod(0)
    monkeypatch.setenv("MESH_ENV_FILE", str(tmp_path / "config" / "x.env"))
    with pytest.raises(UsageError, match="MESH_ENV_FILE names"):
        find_env_file(tmp_path)
    (tmp_path / "config").chmod(0o700)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True),
        st.text(
            st.characters(codec="utf-8", exclude_characters="\r\n'\\", exclude_categories=["Cc"])
        ),
        max_size=5,
    )
)
def test_every_value_in_quotes_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("env") / "dev.env"
    path.write_text(
        "".join(f"{name}='{value}'\n" for name, value in values.items()), encoding="utf-8"
    )
    assert read_env_file(path) == values
