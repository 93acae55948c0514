import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.core import locks
from mesh.core.errors import MeshError
from mesh.core.locks import alone, lock_file, lock_now


def test_one_holds_a_lock_until_its_end(tmp_path: Path) -> None:
    path = tmp_path / "made" / "lock"
    with alone(path, "It is in use."):
        assert lock_file(path) is None
        with pytest.raises(MeshError, match=r"^It is in use\.$"), alone(path, "It is in use."):
            pass
    descriptor = lock_file(path)
    assert descriptor is not None
    os.close(descriptor)


def test_shared_locks_keep_out_the_others(tmp_path: Path) -> None:
    first, second, third = (os.open(tmp_path, os.O_RDONLY) for _ in range(3))
    try:
        assert lock_now(first, shared=True)
        assert lock_now(second, shared=True)
        assert not lock_now(third)
        os.close(first)
        os.close(second)
        assert lock_now(third)
    finally:
        os.close(third)


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    path.unlink()
    path.touch()


@pytest.mark.parametrize("change", [remove, replace])
def test_lock_of_a_file_that_was_removed_meanwhile_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "lock"
    changes = [change]

    def lock(descriptor: int) -> bool:
        if changes:
            changes.pop()(path)
        return lock_now(descriptor)

    monkeypatch.setattr(locks, "lock_now", lock)
    descriptor = lock_file(path)
    assert descriptor is not None
    try:
        assert os.path.samestat(os.fstat(descriptor), path.stat())
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(("called", "named"), [(None, "{path}"), ("The output", "The output")])
def test_a_lock_that_can_not_be_written_is_a_sentence(
    tmp_path: Path, called: str | None, named: str
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "lock"
    with pytest.raises(MeshError) as refused:
        lock_file(path, called=called)
    assert str(refused.value).startswith(f"{named.format(path=path)} can't be written: ")


def test_file_systems_without_locks_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> bool:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks, "lock_now", refuse)
    with pytest.raises(MeshError, match="lock can't be locked: Operation not supported"):
        lock_file(tmp_path / "lock")
