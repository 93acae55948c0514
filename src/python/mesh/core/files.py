"""Files and directories that are either complete or absent."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from pathlib import PurePosixPath
from typing import Any

from mesh.core.errors import MeshError

PARTIAL_SUFFIX = ".partial"


def safe_path(root: Path, relative: str) -> Path:
    """Join a path that came from outside to `root`.

    Args:
        relative: a POSIX path below `root`, such as `model_artifacts/config.json`.

    Raises:
        MeshError: the path is empty, absolute, leaves `root` (`..` or a link), or holds a backslash or NUL.
    """
    pure = PurePosixPath(relative)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\\" in relative or "\0" in relative:
        raise MeshError(f"{relative!r} is not a path below {root}: use a relative path without '..'.")
    path = root.joinpath(*pure.parts)
    if not path.resolve().is_relative_to(root.resolve()):
        raise MeshError(f"{relative!r} leads out of {root} through a link.")
    return path


@contextlib.contextmanager
def atomic_directory(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield an empty directory beside `target` that becomes `target` when the block ends without an error.

    A process that is killed leaves at most a hidden `*.partial` directory, which the next call for the same target removes.

    Raises:
        MeshError: `target` exists and `replace` is false, or its parent can't be written.
    """
    if target.exists() and not replace:
        raise MeshError(f"{target} exists already; remove it first.")
    with _os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(target)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=PARTIAL_SUFFIX, dir=target.parent))
    try:
        with _locked(partial):
            yield partial
            partial.chmod(0o755)
            with _os_errors(target):
                _rename_in(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_text_atomic(path: Path, text: str) -> None:
    """Write a UTF-8 file that is either complete or absent.

    Raises:
        MeshError: the file can't be written.
    """
    with _os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PARTIAL_SUFFIX, dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def write_json_atomic(path: Path, value: Any) -> None:
    """Write a value as indented JSON, complete or not at all."""
    write_text_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        MeshError: the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MeshError(f"The file {path} does not exist.") from None
    except OSError as error:
        raise MeshError(f"{path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise MeshError(f"{path} is not valid JSON: {error}.") from error


def _rename_in(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    discarded = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=PARTIAL_SUFFIX, dir=target.parent))
    target.rename(discarded / "old")
    partial.rename(target)
    shutil.rmtree(discarded, ignore_errors=True)


def _remove_stale(target: Path) -> None:
    """Remove what killed processes left: partial directories of this target that no living process holds locked."""
    for path in target.parent.glob(f".{target.name}.*{PARTIAL_SUFFIX}"):
        if path.is_dir():
            with contextlib.suppress(BlockingIOError, FileNotFoundError), _locked(path):
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MeshError(f"{path} can't be written: {error.strerror or error}.") from error
