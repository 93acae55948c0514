"""A rolling update as a Deployment does it, of two real servers behind one address.

The servers get the arguments and settings of the manifests. In place of a cluster, a switch sends
each new connection to the servers in turn, and takes an ending one out only after a while.
"""

import asyncio
import itertools
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from mesh.core.project import Project
from mesh.deploy.pod import GRACE_SECONDS, pod
from mesh.deploy.release import Release
from mesh.loadtest.responses import equal

UPDATES = 2
LAG_SECONDS = 0.6
"""How long the switch goes on with a server that ends."""
# Longer than the lag, as in the manifests, where both are longer.
QUICK = {"SERVE_DRAIN_DELAY_SECONDS": "1.2"}

PREDICT = "/v1/model/tiny/predict"
BODY = {"inputs": [{"document": "one"}, {"document": "three"}]}
RESPONSE = {"outputs": [{"letters": 3, "share": 0.03}, {"letters": 5, "share": 0.05}]}


class Switch:
    """A TCP port whose new connections go to other ports in turn, in a thread of its own."""

    def __init__(self) -> None:
        self._targets: Iterator[int] = iter(())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connect, "127.0.0.1", 0), self._loop
        )
        self._server = serving.result()
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def use(self, urls: Sequence[str]) -> None:
        self._targets = itertools.cycle([httpx.URL(url).port or 0 for url in urls])

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_server = await asyncio.open_connection("127.0.0.1", next(self._targets))
            await asyncio.gather(_pipe(reader, to_server[1]), _pipe(to_server[0], writer))
        except (OSError, asyncio.CancelledError):
            # The client sees a closed connection.
            writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    finally:
        writer.close()


class Traffic:
    """Clients that send requests the whole time: some keep their connections, some don't."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = threading.Event()
        self.outcomes: Counter[str] = Counter()
        self._threads = [
            threading.Thread(target=self._send, args=(keep,)) for keep in (True, True, False, False)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> Counter[str]:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        return self.outcomes

    def _send(self, keep: bool) -> None:
        headers = {} if keep else {"Connection": "close"}
        with httpx.Client(base_url=self._url, headers=headers, trust_env=False) as client:
            while not self._ended.is_set():
                try:
                    response = client.post(PREDICT, json=BODY, timeout=60)
                    right = response.status_code == 200 and equal(RESPONSE, response.json())
                    self.outcomes["right" if right else f"status {response.status_code}"] += 1
                except httpx.HTTPError as error:
                    self.outcomes[repr(error)] += 1
                time.sleep(0.005)


@pytest.fixture
def switch() -> Iterator[Switch]:
    found = Switch()
    yield found
    found.close()


def test_update_loses_no_request(tiny: Any, other: Any, switch: Switch) -> None:
    [container] = pod(Release(project=Project(name="tiny", description="", port=1), name="tiny"))[
        "containers"
    ]
    assert container["args"] == ["serve"]
    settings = {one["name"]: one["value"] for one in container["env"]} | QUICK
    process = tiny.serve(**settings)
    switch.use([tiny.url])
    traffic = Traffic(switch.url)
    try:
        ending, starting = tiny, other
        for _ in range(UPDATES):
            newer = starting.serve(**settings)
            switch.use([ending.url, starting.url])
            process.send_signal(signal.SIGTERM)
            time.sleep(LAG_SECONDS)
            switch.use([starting.url])
            assert process.wait(GRACE_SECONDS) == 0
            process, ending, starting = newer, starting, ending
    finally:
        outcomes = traffic.end()
    assert outcomes.keys() == {"right"}, outcomes
    assert outcomes["right"] > 100
