"""Files and directories that are either complete or absent, and JSON files."""

import atexit
import contextlib
import errno
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mesh.core.errors import MeshError, describe_invalid

Model = TypeVar("Model", bound=BaseModel)

PARTIAL_SUFFIX = ".partial"

_TEMPORARY = "mesh"


def safe_path(root: Path, relative: str) -> Path:
    """Join a path that came from outside to `root`.

    Args:
        relative: a POSIX path below `root`, such as `model_artifacts/config.json`.

    Raises:
        MeshError: the path is empty, absolute, leaves `root` (`..` or a link), or holds a backslash
            or NUL.
    """
    pure = PurePosixPath(relative)
    if (
        not pure.parts
        or pure.is_absolute()
        or ".." in pure.parts
        or "\\" in relative
        or "\0" in relative
    ):
        raise MeshError(
            f"{relative!r} is not a path below {root}: use a relative path without '..'."
        )
    path = root.joinpath(*pure.parts)
    if not path.resolve().is_relative_to(root.resolve()):
        raise MeshError(f"{relative!r} leads out of {root} through a link.")
    return path


@contextlib.contextmanager
def atomic_directory(
    target: Path, *, replace: bool = False, resume: bool = False
) -> Iterator[Path]:
    """Yield a directory beside `target` that becomes `target` when the block ends without an error.

    A killed process leaves at most a hidden `*.partial` directory, which the next call for the same
    target removes.

    Args:
        replace: whether an existing target may be replaced.
        resume: resume the directory of an interrupted call instead of starting with an empty one.
            Then a block that ends with another error than a `MeshError`, such as a lost connection,
            keeps its directory too.

    Raises:
        MeshError: `target` exists and `replace` is false, or its parent can't be written.
    """
    if target.exists() and not replace:
        raise MeshError(f"{target} already exists; remove it first.")
    with _os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        left = _take_stale(target) if resume else None
        partial, lock = left or _make_partial(target, _make_directory)
    kept = False
    try:
        yield partial
        with _os_errors(target):
            partial.chmod(0o755)
            _rename_in(partial, target, replace=replace)
    except MeshError:
        raise
    except BaseException as error:
        # On a full disk it would only take up space.
        kept = resume and getattr(error, "errno", None) != errno.ENOSPC
        raise
    finally:
        if not kept:
            shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


@contextlib.contextmanager
def temporary_folder() -> Iterator[None]:
    """Let this process make its temporary files in a folder of its own.

    The end of the process removes it, after libraries have removed their own files there. A killed
    process leaves it; the next call removes it.

    Raises:
        MeshError: it can't be made.
    """
    before = tempfile.tempdir
    if before and Path(before).name.startswith(f".{_TEMPORARY}."):
        # Of a caller.
        yield
        return
    parent = Path(tempfile.gettempdir())
    with _os_errors(parent):
        folder, _ = _make_partial(parent / _TEMPORARY, _make_directory)
    # Exit functions run in the reverse order, so those of libraries come first.
    atexit.register(_remove_of, os.getpid(), folder)
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _remove_of(process: int, folder: Path) -> None:
    """Remove a process's folder; its forked children, which run exit functions too, leave it."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def remove_partials(folder: Path, names: str) -> None:
    """Remove what killed processes left of files or directories, unless another one works on it.

    Args:
        names: pattern of their complete names, such as `KEYWORDS-COMPILED-*`.
    """
    _remove_stale(folder.glob(f".{names}.*{PARTIAL_SUFFIX}"))


def write_text_atomic(path: Path, text: str) -> None:
    """Write a UTF-8 file that is either complete or absent.

    Raises:
        MeshError: the file can't be written.
    """
    write_bytes_atomic(path, text.encode())


def write_bytes_atomic(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file that is either complete or absent.

    Args:
        mode: its permissions.

    Raises:
        MeshError: the file can't be written.
    """
    with _os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial, descriptor = _make_partial(path, _make_file)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                partial.chmod(mode)
                partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
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
    except (ValueError, RecursionError) as error:
        raise MeshError(f"{path} is not valid JSON: {error}.") from error


def read_model(cls: type[Model], path: Path, advice: str) -> Model:
    """Read a JSON file into a pydantic model.

    Args:
        advice: the remedy for a file that is missing or malformed; ends the error's sentence.

    Raises:
        MeshError: the file is missing, not JSON, or doesn't fit the model; the message names the
            file and the field.
    """
    try:
        return cls.model_validate(read_json(path))
    except ValidationError as error:
        raise MeshError(f"{path} is malformed: {describe_invalid(error)}; {advice}.") from error
    except MeshError as error:
        raise MeshError(f"{str(error).removesuffix('.')}; {advice}.") from error


def _make_partial(target: Path, make: Callable[[Path], tuple[Path, int]]) -> tuple[Path, int]:
    """Make a hidden file or directory beside `target`, locked while its descriptor is open.

    The lock marks it as in use. Another process may take it for stale before it is locked; then it
    is already unlinked, and another one is made.
    """
    _remove_stale(_partials(target))
    while True:
        partial, descriptor = make(target)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if partial.exists():
                return partial, descriptor
        except BlockingIOError:
            pass
        os.close(descriptor)


def _take_stale(target: Path) -> tuple[Path, int] | None:
    """Lock a directory that a killed process left, and remove the others, if there are several."""
    taken: tuple[Path, int] | None = None
    for path in _partials(target):
        # Directories of other users can't be opened.
        with contextlib.suppress(BlockingIOError, FileNotFoundError, PermissionError):
            if taken is None and path.is_dir():
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(descriptor)
                    raise
                if path.exists():
                    taken = path, descriptor
                else:
                    os.close(descriptor)
    _remove_stale(_partials(target))
    return taken


def _partials(target: Path) -> list[Path]:
    return list(target.parent.glob(f".{glob.escape(target.name)}.*{PARTIAL_SUFFIX}"))


def _make_directory(target: Path) -> tuple[Path, int]:
    while True:
        path = tempfile.mkdtemp(prefix=f".{target.name}.", suffix=PARTIAL_SUFFIX, dir=target.parent)
        with contextlib.suppress(FileNotFoundError):
            return Path(path), os.open(path, os.O_RDONLY)


def _make_file(target: Path) -> tuple[Path, int]:
    descriptor, path = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=PARTIAL_SUFFIX, dir=target.parent
    )
    return Path(path), descriptor


def _rename_in(partial: Path, target: Path, *, replace: bool) -> None:
    """Rename; an existing target, even one made in the meantime, is moved aside first."""
    while True:
        try:
            partial.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return
        if not replace:
            raise MeshError(f"{target} already exists; remove it first.")
        discarded, lock = _make_partial(target, _make_directory)
        try:
            with contextlib.suppress(FileNotFoundError):
                target.rename(discarded / "old")
            shutil.rmtree(discarded, ignore_errors=True)
        finally:
            os.close(lock)


def _remove_stale(partials: Iterable[Path]) -> None:
    """Remove the partials of killed processes: those that no process has locked."""
    for path in partials:
        with (
            contextlib.suppress(BlockingIOError, FileNotFoundError, PermissionError),
            _locked(path),
        ):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY)
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
