"""Traffic to two servers behind one address, and the switch that stands in for a cluster's proxy."""

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx


class Switch:
    """A TCP port whose new connections go to other ports in turn, in a thread of its own."""

    def __init__(self) -> None:
        self._targets: Iterator[httpx.URL] = iter(())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connect, "127.0.0.1", 0), self._loop
        )
        self._server = serving.result()
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def use(self, urls: Sequence[str]) -> None:
        self._targets = itertools.cycle([httpx.URL(url) for url in urls])

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
            target = next(self._targets)
            to_server = await asyncio.open_connection(target.host, target.port)
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
    """Clients that send one request the whole time: some keep their connections, some don't.

    Args:
        url: of the server.
        path: what is asked.
        body: of the request, for JSON.
        is_right: tells whether a body is the expected response.
    """

    def __init__(self, url: str, path: str, body: Any, is_right: Callable[[Any], bool]) -> None:
        self._url = url
        self._path = path
        self._body = body
        self._is_right = is_right
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
                    response = client.post(self._path, json=self._body, timeout=60)
                    right = response.status_code == 200 and self._is_right(response.json())
                    self.outcomes["right" if right else f"status {response.status_code}"] += 1
                except httpx.HTTPError as error:
                    self.outcomes[repr(error)] += 1
                time.sleep(0.005)
