"""Room on disks is asked for before the work, and its lack in the middle of it is a sentence."""

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from mesh.core.disk import check_room, full_disk_errors
from mesh.core.errors import MeshError

Usage = namedtuple("Usage", "total used free")


def test_folders_of_one_disk_need_their_room_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9_000_000, 4_000_000, 5_000_000))
    needs = [(tmp_path / "not/yet", 3_000_000), (tmp_path, 2_000_000)]
    check_room(needs, "This training")
    with pytest.raises(
        MeshError, match=r"This training needs 6\.0 MB .* which has 5\.0 MB: make room"
    ):
        check_room([*needs, (tmp_path, 1_000_000)], "This training")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        # As safetensors and torch have it.
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_named(tmp_path: Path, error: Exception) -> None:
    sentence = r"The disk of .* is full: make room\."
    with pytest.raises(MeshError, match=sentence), full_disk_errors(tmp_path, "make room"):
        raise error
    with pytest.raises(MeshError, match=sentence), full_disk_errors(tmp_path, "make room"):
        raise ValueError("can't be stored") from error


@pytest.mark.parametrize("error", [ValueError("bad"), OSError(errno.EACCES, "denied")])
def test_other_errors_pass(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as found, full_disk_errors(tmp_path, "make room"):
        raise error
    assert found.value is error
