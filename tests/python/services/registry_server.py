"""The shared registry as a user starts it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

_SECONDS_TO_START = 120


class RegistryServer:
    """`mesh.registry:serve` in a process of its own, on one port for as long as the object lives."""

    def __init__(
        self, *, database: str, storage: str, environment: Mapping[str, str], log: Path
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = log
        self._environment = {
            **os.environ,
            **environment,
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
            "MESH_REGISTRY_SERVER_DATABASE": database,
            "MESH_REGISTRY_SERVER_STORAGE": storage,
            "MESH_REGISTRY_SERVER_PORT": str(self._port),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mesh.registry.serve"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{self._log.read_text()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Kill it and its workers, as when its machine dies."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False
