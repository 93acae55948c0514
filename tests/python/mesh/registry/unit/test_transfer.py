import datetime
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mesh.core.errors import MeshError, UsageError
from mesh.core.files import safe_path
from mesh.core.manifest import FileEntry
from mesh.registry.base import ModelVersion
from mesh.registry.signing import generate_keys
from mesh.registry.transfer import (
    check_path,
    for_each,
    prepare,
    read_content,
    record_problems,
)


@given(st.text())
def test_checked_paths_stay_below_any_root(path):
    try:
        check_path(path)
    except UsageError:
        return
    assert safe_path(Path("/root"), path).relative_to("/root").as_posix() == path


@given(st.from_regex(r"[a-z0-9_:@ éü.]{1,20}(/[a-z0-9_:@ éü-]{1,20}){0,3}", fullmatch=True))
def test_ordinary_paths_pass(path):
    if not {".", ".."} & set(path.split("/")):
        assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a/..",
        "./a",
        "a//b",
        "a/",
        "a\\b",
        "a\0b",
        "a\nb",
        "\ud800",
    ],
)
def test_other_paths_are_refused(path):
    with pytest.raises(UsageError):
        check_path(path)


@pytest.mark.parametrize("name", ["a#b", "a%20b", "a?b", "a:b", " a", "a ", "a\\b", "a\nb"])
def test_names_that_storage_would_change_are_not_published(tmp_path, name):
    (tmp_path / name).write_text("x")
    with pytest.raises(MeshError) as caught:
        read_content(tmp_path)
    assert repr(name) in str(caught.value)


def test_names_that_are_not_text_are_not_published(tmp_path):
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))).write_text("x")
    with pytest.raises(MeshError, match="isn't a file's path"):
        read_content(tmp_path)


def test_content_is_without_card_and_manifest(tmp_path):
    for name in ("model_card.json", "manifest.json", "nested/model_card.json", "a.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert list(read_content(tmp_path)) == ["a.bin", "nested/model_card.json"]


def test_a_card_alone_is_not_published(tmp_path):
    (tmp_path / "model_card.json").write_text("{}")
    with pytest.raises(MeshError, match="no files to publish"):
        read_content(tmp_path)


def test_first_error_ends_the_other_moves():
    started = threading.Event()

    def move(path, advance):
        if path == "broken":
            assert started.wait(10)
            raise MeshError("broken")
        while True:
            started.set()
            advance(1)

    with pytest.raises(MeshError, match="broken"):
        for_each(move, {"endless": 2, "broken": 1}, "moving")


@pytest.fixture
def stored_version(tmp_path, card):
    """A version as it is stored, without a signature: its files, card and manifest in one folder."""
    (tmp_path / "model.bin").write_text("weights")
    content = [FileEntry.of(tmp_path / "model.bin", "model.bin")]
    manifest = prepare("KEYWORDS-TRAINED", content, card, tmp_path, SecretStr(""))
    return ModelVersion(
        name="KEYWORDS-TRAINED",
        version=1,
        card=card,
        manifest=manifest,
        created=datetime.datetime.now(datetime.UTC),
        aliases=(),
        attachments={},
    )


def test_record_is_compared_with_a_card_among_other_files(tmp_path, stored_version, card):
    trusted = generate_keys()[1]
    assert record_problems(stored_version, card.fingerprint, tmp_path, ()) == []
    assert len(record_problems(stored_version, card.fingerprint, tmp_path, (trusted,))) == 1
    assert len(record_problems(stored_version, "0" * 64, tmp_path, ())) == 1


def test_damaged_card_says_nothing_about_the_record(tmp_path, stored_version):
    (tmp_path / "model_card.json").write_text("{}")
    assert record_problems(stored_version, "0" * 64, tmp_path, ()) == []
