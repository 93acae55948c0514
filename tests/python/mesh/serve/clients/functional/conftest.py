import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import words_server

PATIENCE = 60


class WordsServer:
    """A running words_server.py.

    Attributes:
        http: where it listens for HTTP.
        grpc: where it listens for gRPC.
    """

    def __init__(self, folder: Path, http: str) -> None:
        self._log = folder / "log"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        flags = [f"--server={http}", "--port=0", "--grpc-port=0", "--queue-size=4"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, words_server.__file__, *flags], env=environment, stderr=log
            )
        self._wait_for(r"The model words is (loaded)")
        self.http = self._wait_for(r"Serving words at http://([0-9.:]+)")
        self.grpc = self._wait_for(r"Serving gRPC at ([0-9.:]+)")

    def _wait_for(self, pattern: str) -> str:
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self._log.read_text())):
            if self.process.poll() is not None or time.monotonic() > end:
                pytest.fail(self._log.read_text())
            time.sleep(0.01)
        return found[1]


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WordsServer]:
    running = WordsServer(tmp_path_factory.mktemp("words"), request.param)
    yield running
    running.process.terminate()
    assert running.process.wait(PATIENCE) == 0
