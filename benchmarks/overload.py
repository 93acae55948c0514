"""The keywords server under overload: accepted and refused requests, times, CPU time and memory.

In some of the rates, a few requests are giant documents among the small ones. The server has half
of the cores, and the clients the others: those that send more must not take its time.
"""

import os
import random
import string
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.http_load import Response, closed_loop, each_once, open_loop, percentile
from benchmarks.keywords_serving import keywords_server, requests
from benchmarks.models import compiled_keywords, paragraphs
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

SHARES = (0.5, 1.0, 2.0, 4.0, 4.0, 0.5)
SHARES_WITH_GIANTS = (0.5, 1.0, 4.0)
SMALL_OF_GIANT = 99
"""How many small documents are sent for each giant one: 1 % are giants."""

LETTERS_OF_WORD = 8
MAX_BATCH = 8


class OverloadSettings(MeshSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    seconds: float = Field(20, gt=0, description="Duration of each rate.")
    queue_size: int = Field(64, ge=1, description="The server's SERVE_QUEUE_SIZE.")
    giant_words: int = Field(1000, ge=1, description="Words of a giant document, all unknown.")


@dataclass(frozen=True)
class _Rate:
    """What is sent, and how often.

    Attributes:
        share: of the sustainable rate.
        giants: whether 1 % of the documents are giants.
    """

    share: float
    giants: bool


@dataclass(frozen=True)
class _Turn:
    """What one rate led to.

    Attributes:
        goodput: small documents responded to per second.
        cpu: the server's CPU seconds for each document that it responded to.
    """

    rate: _Rate
    offered: float
    goodput: float
    cpu: float
    small: list[Response]
    giants: list[Response]
    resident: float


def main_run(settings: OverloadSettings) -> None:
    """Find the sustainable rate, send up to four times as much and back, print the results."""
    small = requests(paragraphs())
    rates = [_Rate(share, giants=False) for share in SHARES]
    rates += [_Rate(share, giants=True) for share in SHARES_WITH_GIANTS]
    theirs, ours = cores_of_server_and_clients(os.sched_getaffinity(0))
    with _server(settings, theirs) as server, _on_cores(ours):
        # Afterwards, all candidates are cached.
        each_once(server.port, small, clients=8)
        sustainable = closed_loop(server.port, small, clients=8, seconds=settings.seconds).rate
        turns = [_turn(server, small, rate, sustainable, settings) for rate in rates]
    computed = len(theirs) * MAX_BATCH
    bound = (settings.queue_size + computed) / sustainable
    peak = max(sustainable, *(turn.goodput for turn in turns if not turn.rate.giants))
    print_table(
        f"Sustainable: {sustainable:.1f} documents/s; a queue of {settings.queue_size} and the "
        f"{computed} computed before it: {bound:.2f} s; {settings.seconds:g} s each; giants: "
        f"{settings.giant_words} unknown words",
        (
            *("rate", "giants", "offered/s", "goodput/s", "of peak", "CPU ms/accepted"),
            *("p50 s", "p99 s", "of bound", "refused", "refused p99 ms", "late"),
            *("giants done", "giants p50 s", "giants max s", "resident MiB"),
        ),
        [_row(turn, bound, peak) for turn in turns],
        packages=("onnxruntime", "uvicorn", "starlette"),
        notes=[f"Cores of the server: {len(theirs)}; of the clients: {len(ours)}."],
    )


def cores_of_server_and_clients(cores: set[int]) -> tuple[set[int], set[int]]:
    """The two halves of the cores, the server's being the larger one; a single core is both's."""
    ordered = sorted(cores)
    half = (len(ordered) + 1) // 2
    return set(ordered[:half]), set(ordered[half:] or ordered)


@contextmanager
def _server(settings: OverloadSettings, cores: set[int]) -> Iterator[ServerProcess]:
    flags = (
        f"--queue-size={settings.queue_size}",
        f"--threads={len(cores)}",
        f"--max-batch={MAX_BATCH}",
    )
    with ExitStack() as stack:
        folder = stack.enter_context(compiled_keywords())
        # A process inherits the cores of the one that starts it.
        with _on_cores(cores):
            server = stack.enter_context(keywords_server(folder, *flags))
        yield server


@contextmanager
def _on_cores(cores: set[int]) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _turn(
    server: ServerProcess,
    small: Sequence[bytes],
    rate: _Rate,
    sustainable: float,
    settings: OverloadSettings,
) -> _Turn:
    sent, giants = list(small), frozenset[int]()
    if rate.giants:
        sent, giants = _with_giants(small, rate.share * sustainable, settings)
    cpu = server.cpu_seconds()
    run = open_loop(server.port, sent, rate=rate.share * sustainable, seconds=settings.seconds)
    _check(run.responses)
    accepted = [response for response in run.responses if response.status == 200]
    done = [response for response in accepted if response.request not in giants]
    return _Turn(
        rate,
        offered=len(run.responses) / settings.seconds,
        goodput=len(done) / run.seconds,
        cpu=(server.cpu_seconds() - cpu) / max(1, len(accepted)),
        small=[response for response in run.responses if response.request not in giants],
        giants=[response for response in run.responses if response.request in giants],
        resident=server.resident_mebibytes(),
    )


def _with_giants(
    small: Sequence[bytes], rate: float, settings: OverloadSettings
) -> tuple[list[bytes], frozenset[int]]:
    """Requests for a turn, and which of them are giants. No giant is sent twice."""
    # Arrivals are random: there may be more than the rate says.
    groups = int(1.5 * rate * settings.seconds) // SMALL_OF_GIANT + 2
    giants = requests([_giant(settings.giant_words) for _ in range(groups)])
    sent: list[bytes] = []
    for giant in giants:
        sent += [small[number % len(small)] for number in range(SMALL_OF_GIANT)]
        # Within the group, so that a short turn has one too.
        sent.insert(len(sent) - SMALL_OF_GIANT // 2, giant)
    return sent, frozenset(number for number, each in enumerate(sent) if each in giants)


def _giant(words: int) -> str:
    """A document of words that no vocabulary has, so that each of them is embedded."""
    letters = random.choices(string.ascii_lowercase, k=words * LETTERS_OF_WORD)  # noqa: S311
    text = "".join(letters)
    return " ".join(
        text[start : start + LETTERS_OF_WORD] for start in range(0, len(text), LETTERS_OF_WORD)
    )


def _check(responses: Sequence[Response]) -> None:
    for each in responses:
        is_refused = each.status == 503 and each.retry_after
        if not (each.status in (200, 504) or is_refused):
            raise MeshError(f"The server also returned {each}.")


def _row(turn: _Turn, bound: float, peak: float) -> list[str]:
    times = _times(turn.small, 200)
    refused = _times([*turn.small, *turn.giants], 503)
    giants = _times(turn.giants, 200)
    p99 = percentile(times, 0.99)
    return [
        f"{turn.rate.share:g}x",
        "1 %" if turn.rate.giants else "",
        f"{turn.offered:.1f}",
        f"{turn.goodput:.1f}",
        f"{turn.goodput / peak:.2f}",
        f"{turn.cpu * 1e3:.0f}",
        f"{percentile(times, 0.5):.3f}",
        f"{p99:.3f}",
        f"{p99 / bound:.2f}",
        f"{len(refused) / (len(turn.small) + len(turn.giants)):.0%}",
        f"{percentile(refused, 0.99) * 1e3:.0f}" if refused else "",
        f"{len(_times(turn.small, 504))}",
        f"{len(giants)} of {len(turn.giants)}" if turn.giants else "",
        f"{percentile(giants, 0.5):.1f}" if giants else "",
        f"{max(giants):.1f}" if giants else "",
        f"{turn.resident:.0f}",
    ]


def _times(responses: Sequence[Response], status: int) -> list[float]:
    return [response.seconds for response in responses if response.status == status]


main = Program(component="benchmarks", name="overload", run=main_run, settings=(OverloadSettings,))

if __name__ == "__main__":
    main()
