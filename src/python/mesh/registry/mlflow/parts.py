"""Large files of object storage: moved in parts, several at once, by addresses that the storage's owner has signed.

A part that fails is tried again; a transfer that ends is continued by the next with the parts that are missing.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from mesh.core.progress import Advance
from mesh.registry.transfer import PARTS_SUFFIX, THREADS

PART = 16 * 2**20
"""Bytes of a part; S3 takes at least 5 MiB, and 10,000 parts of a file."""

_BLOCK = 2**20
_THREADS = 4
_TIMEOUT = (5.0, 60.0)
_ATTEMPTS = 5
_WAIT = wait_exponential(0.5, max=8)
# Each part that is sent is in memory, whatever the number of files that are sent at once.
_in_memory = threading.BoundedSemaphore(2 * _THREADS)


class UnreachableStorageError(ConnectionError):
    """The storage can't be reached from this machine."""


class RefusedError(ConnectionError):
    """The storage does not take a signed address: its time is over, or what it is for is gone."""


def count_parts(size: int) -> int:
    """The number of parts of a file of so many bytes."""
    return -(-size // PART)


def send_parts(
    file: Path,
    addresses: Sequence[str],
    sent: Mapping[int, str],
    on_sent: Callable[[int, str], object],
    advance: Advance,
) -> None:
    """Send a file's parts.

    Args:
        addresses: where each part goes, by its number from 0.
        sent: the parts that are there already, and the storage's tag of each.
        on_sent: learns of each other part, and its tag, in several threads.

    Raises:
        UnreachableStorageError: the storage can't be reached, and no part is there.
        RefusedError: it does not take the addresses.
        ConnectionError: it can't be reached any more, or fails.
    """
    size = file.stat().st_size
    there = set(sent)

    def send(number: int) -> None:
        with _in_memory:
            content = os.pread(descriptor, PART, number * PART)
            with _request("PUT", addresses[number], data=content) as response:
                tag = response.headers.get("ETag", "")
        on_sent(number, tag)
        there.add(number)
        advance(len(content))

    advance(sum(_length(number, size) for number in sent))
    descriptor = os.open(file, os.O_RDONLY)
    try:
        _move(send, [number for number in range(len(addresses)) if number not in sent], there)
    finally:
        os.close(descriptor)


def receive_parts(address: Callable[[], str], target: Path, size: int, advance: Advance) -> None:
    """Write a file's parts, besides those that an interrupted call for the same file has written.

    Which these are is in a file beside the target: one number in each line.

    Args:
        address: gives an address of the whole file that is valid now.

    Raises:
        UnreachableStorageError: the storage can't be reached, and no part is there.
        RefusedError: it does not take the addresses.
        ConnectionError: it can't be reached any more, or fails.
    """
    record = target.with_name(target.name + PARTS_SUFFIX)
    there = _read_numbers(record) if target.is_file() and target.stat().st_size == size else set()
    mode = "r+b" if there else "wb"
    with (
        target.open(mode, buffering=0) as file,
        record.open("ab" if there else "wb", buffering=0) as log,
    ):
        file.truncate(size)

        def receive(number: int) -> None:
            first, count = number * PART, _length(number, size)
            headers = {"Range": f"bytes={first}-{first + count - 1}"}
            with _request("GET", address(), headers=headers, stream=True) as response:
                if response.status_code != HTTPStatus.PARTIAL_CONTENT and count != size:
                    raise RefusedError("the storage does not give a part of a file")
                written = _write(response, file.fileno(), first, count)
            if written != count:
                raise ConnectionError(f"the storage gave {written} of {count} bytes")
            # Whole lines, also from several threads.
            os.write(log.fileno(), f"{number}\n".encode())
            there.add(number)
            advance(count)

        advance(sum(_length(number, size) for number in there))
        missing = [number for number in range(count_parts(size)) if number not in there]
        _move(receive, missing, there)
    record.unlink()


def _length(number: int, size: int) -> int:
    return min(PART, size - number * PART)


def _write(response: requests.Response, descriptor: int, first: int, count: int) -> int:
    """Write an answer's content at an offset, but no more than so many bytes; gives how many."""
    written = 0
    for block in response.iter_content(_BLOCK):
        block = block[: count - written]
        os.pwrite(descriptor, block, first + written)
        written += len(block)
    return written


def _read_numbers(record: Path) -> set[int]:
    with contextlib.suppress(FileNotFoundError):
        return {int(line) for line in record.read_text().splitlines() if line.isdecimal()}
    return set()


def _move(move: Callable[[int], None], missing: Iterable[int], there: set[int]) -> None:
    """Move parts, several at once, each with several attempts; the first error ends it.

    A storage that could be reached before is lost for a while; another one will not be reached by another attempt.
    """

    def passes(error: BaseException) -> bool:
        if isinstance(error, UnreachableStorageError):
            return bool(there)
        return isinstance(error, ConnectionError) and not isinstance(error, RefusedError)

    attempts = Retrying(
        retry=retry_if_exception(passes),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=_WAIT,
        reraise=True,
    )
    with ThreadPoolExecutor(_THREADS) as pool:
        moves = [pool.submit(attempts.copy(), move, number) for number in missing]
        try:
            for moved in as_completed(moves):
                moved.result()
        except UnreachableStorageError as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if there:
                raise ConnectionError(str(error)) from None
            raise
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def _request(method: str, address: str, **options: object) -> Iterator[requests.Response]:
    """A request that succeeds; errors name the storage, and not the address, whose signature is a secret."""
    host = urlsplit(address).netloc
    lost = f"the connection to the storage {host} was lost"
    try:
        with _session().request(method, address, timeout=_TIMEOUT, **options) as response:  # type: ignore[arg-type]
            status = response.status_code
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
                raise ConnectionError(f"the storage {host} answered {status}")
            if not response.ok:
                raise RefusedError(f"the storage {host} refuses a signed address ({status})")
            yield response
    except (requests.ConnectTimeout, requests.exceptions.SSLError):
        raise UnreachableStorageError(f"the storage {host} can't be reached") from None
    except requests.ConnectionError as error:
        raise (UnreachableStorageError if _never_connected(error) else ConnectionError)(
            lost
        ) from None
    except requests.RequestException:
        raise ConnectionError(lost) from None


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether no connection came to be, because of the address or because nobody listens there."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


@cache
def _session() -> requests.Session:
    """One for all threads, without attempts of its own: urllib3 would write the addresses into its log."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=THREADS * _THREADS)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session
