"""Clients that mean harm: one request of each kind after the other, at a fixed rate.

    python -m benchmarks.apps.hostile_client PATH PORT SECONDS BETWEEN

It prints, as JSON, how often each kind ended in which way: the status of the response, `closed`
where the server closed the connection without one, `left` where the client did so, or `silent` if
nothing came in `PATIENCE_SECONDS`.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

PATIENCE_SECONDS = 60
LEAVES_AFTER_SECONDS = 0.2


@dataclass(frozen=True)
class Attack:
    """What a hostile client sends.

    Attributes:
        name: a few words.
        parts: sent one after the other, a second apart.
        leaves: whether the client closes the connection soon after.
        connections: how many do the same at once.
    """

    name: str
    parts: tuple[bytes, ...]
    leaves: bool = False
    connections: int = 1


def attacks(path: str) -> list[Attack]:
    """One attack of each kind, on the API of documents at this path."""
    quotes = _request(path, json.dumps({"inputs": [{"document": "「a。" * 66_000}]}).encode())
    dear = _request(path, _phrases(path, words=4_001, longest=5))
    costly = _request(path, _phrases(path, words=1_500, longest=2))
    lists = _request(path, b'{"inputs": [' + b"[]," * 2_600_000 + b"[]]}")
    keys = ", ".join(f'"key{number}": 1' for number in range(500_000))
    nested = b"[" * 1_000_000 + b"]" * 1_000_000
    body = json.dumps({"inputs": [{"document": "Trams run on rails."}]}).encode()
    extended = "application/json; charset*=utf-8''utf-8; charset*0*=%ff"
    plain = _request(path, body)
    chunked = _head(path, "Transfer-Encoding: chunked")
    return [
        Attack("198,000 characters of quotes", (quotes,)),
        Attack("4,001 words, 1-5-grams", (dear,), connections=2),
        Attack("1,500 words, 1-2-grams", (costly,), connections=2),
        Attack("the same, and leaves", (costly,), leaves=True, connections=4),
        Attack("7.8 MB of empty lists", (lists,), connections=4),
        Attack("500,000 unknown keys", (_request(path, f"{{{keys}}}".encode()),)),
        Attack("a million brackets", (_request(path, nested),)),
        Attack("no end of a body", (plain[:-5],), connections=20),
        Attack("no end of a header", tuple(plain[at : at + 7] for at in range(0, 140, 7))),
        Attack("a flood, and leaves", (plain,), leaves=True, connections=200),
        Attack("nothing", (), leaves=True, connections=100),
        Attack("8 MB in flight, 30 times", (lists[:-1],), leaves=True, connections=30),
        Attack("charset in pieces", (_request(path, body, content_type=extended),)),
        Attack(
            "length and chunks", (_head(path, "Content-Length: 3", "Transfer-Encoding: chunked"),)
        ),
        Attack("a chunk that is no number", (chunked + b"zz\r\nhello\r\n0\r\n\r\n",)),
        Attack("a chunk of 2^64 bytes", (chunked + b"10000000000000000\r\nhello",)),
        Attack("not HTTP", (bytes(range(256)) * 40,)),
        Attack("64 kB of header", (_head(path, "X-Filler: " + "a" * 65_536),)),
        Attack("10,000 headers", (_head(path, *(f"X-{n}: 1" for n in range(10_000))),)),
        Attack("bytes that are no UTF-8", (_request(path, b'{"inputs": [{"document": "\xff"}]}'),)),
        Attack("half of a surrogate", (_request(path, b'{"inputs": [{"document": "\\ud800"}]}'),)),
    ]


def _phrases(path: str, words: int, longest: int) -> bytes:
    """A document of words that no vocabulary has: each of its n-grams costs keywords a row."""
    choice = random.Random(words)  # noqa: S311 - no secret
    letters = "abcdefghijklmnopqrstuvwxyz"
    document = " ".join("".join(choice.choices(letters, k=6)) for _ in range(words))
    body: dict[str, object] = {"inputs": [{"document": document}]}
    if "/keywords/" in path:
        body["configuration"] = {"keyphrase_ngram_range": [1, longest], "top_n": 100}
    return json.dumps(body).encode()


def _head(path: str, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers)
    return "\r\n".join((*lines, "", "")).encode()


def _request(path: str, body: bytes, *, content_type: str = "application/json") -> bytes:
    return _head(path, f"Content-Type: {content_type}", f"Content-Length: {len(body)}") + body


async def _attack(port: int, attack: Attack) -> str:
    writer = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for number, part in enumerate(attack.parts):
                if number:
                    await asyncio.sleep(1)
                writer.write(part)
                await writer.drain()
            if attack.leaves:
                await asyncio.sleep(LEAVES_AFTER_SECONDS)
                return "left"
            line = await reader.readline()
            await reader.read()
            return line.decode().split(" ")[1] if line else "closed"
    except TimeoutError:
        return "silent"
    except OSError:
        return "closed"
    finally:
        if writer is not None:
            writer.close()


async def attack_all(
    path: str, port: int, seconds: float, between: float
) -> dict[str, Counter[str]]:
    """Send the attacks in turn, one every `between` seconds, whatever the server does."""
    ends: dict[str, Counter[str]] = {}
    end = time.monotonic() + seconds
    kinds: Iterator[Attack] = cycle(attacks(path))

    async def count(attack: Attack) -> None:
        outcome = await _attack(port, attack)
        ends.setdefault(attack.name, Counter())[outcome] += 1

    async with asyncio.TaskGroup() as tasks:
        while (now := time.monotonic()) < end:
            attack = next(kinds)
            for _ in range(attack.connections):
                tasks.create_task(count(attack))
            await asyncio.sleep(max(0.0, now + between - time.monotonic()))
    return ends


if __name__ == "__main__":
    target, port, seconds, between = sys.argv[1:]
    print(json.dumps(asyncio.run(attack_all(target, int(port), float(seconds), float(between)))))
