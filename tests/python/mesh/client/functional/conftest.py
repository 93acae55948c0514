import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

import words_server

PATIENCE = 60


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of words."""
    log = tmp_path_factory.mktemp("server") / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, words_server.__file__, "--port=0"], env=environment, stderr=output
        )
    try:
        found = _until(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()), process)
        yield found[0]
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _until(
    find: Callable[[], re.Match[str] | None], process: subprocess.Popen[bytes]
) -> re.Match[str]:
    end = time.monotonic() + PATIENCE
    while (found := find()) is None:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    return found
