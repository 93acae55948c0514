"""Names what failed when files can't be read or written: a full disk isn't the registry's fault."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@contextlib.contextmanager
def written_to(path: Path) -> Iterator[None]:
    """Give errors of writing the path that is written, as the system names it only on opening."""
    try:
        yield
    except OSError as error:
        if error.errno in _CANNOT_WRITE and error.filename is None:
            error.filename = str(path)
        raise


def failed_file(error: BaseException) -> str | None:
    """The path that an error of the system is about, if it names one."""
    if not isinstance(error, OSError) or error.errno is None:
        return None
    # Of two names, the second is the one that is written.
    name = error.filename2 or error.filename
    return str(name) if isinstance(name, str | Path) else None


def describe_failed_file(error: OSError) -> str:
    """Say what can't be done with the path that an error is about."""
    what = "written" if error.errno in _CANNOT_WRITE else "read or written"
    return f"{failed_file(error)} can't be {what}: {error.strerror}"
