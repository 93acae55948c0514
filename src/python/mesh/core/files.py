"""Files and directories that are either complete or absent, and JSON files."""

import atexit
import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mesh.core.errors import MeshError, describe_invalid
from mesh.core.partials import (
    PARTIAL_SUFFIX,
    make_directory,
    make_file,
    make_partial,
    remove_stale,
    take_stale,
)

Model = TypeVar("Model", bound=BaseModel)

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
        left = take_stale(target) if resume else None
        partial, lock = left or make_partial(target, make_directory)
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
        folder, _ = make_partial(parent / _TEMPORARY, make_directory)
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
    remove_stale(folder.glob(f".{names}.*{PARTIAL_SUFFIX}"))


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
        partial, descriptor = make_partial(path, make_file)
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
        discarded, lock = make_partial(target, make_directory)
        try:
            with contextlib.suppress(FileNotFoundError):
                target.rename(discarded / "old")
            shutil.rmtree(discarded, ignore_errors=True)
        finally:
            os.close(lock)


@contextlib.contextmanager
def _os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MeshError(f"{path} can't be written: {error.strerror or error}.") from error
