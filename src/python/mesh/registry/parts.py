"""Large files of object storage: moved in parts, several at once, by addresses that the storage's owner has signed.

A part that fails is tried again; a transfer that ends is continued by the next with the parts that are missing.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import as_completed
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mesh.core.progress import Advance

PART = 16 * 2**20
"""Bytes of a part; S3 takes at least 5 MiB, and 10,000 parts of a file."""

PARTS_SUFFIX = "#parts"
"""End of the name of the file that says which parts of another one are written; no file of a version can have it."""

_BLOCK = 2**20
_THREADS = 4
_TIMEOUT = (5.0, 60.0)
_RETRIES = Retry(
    total=5,
    connect=1,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    raise_on_status=False,
)
# Each part that is sent is in memory, whatever the number of files that are sent at once.
_in_memory = threading.BoundedSemaphore(2 * _THREADS)


class UnreachableStorageError(ConnectionError):
    """The storage can't be reached from this machine."""


class ExpiredAddressError(ConnectionError):
    """The storage refuses a signed address, as it does when its time is over."""


def count_parts(size: int) -> int:
    """The number of parts of a file of so many bytes."""
    return max(1, -(-size // PART))


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
        UnreachableStorageError: the storage can't be reached.
        ExpiredAddressError: it takes the addresses no more.
        ConnectionError: it does not take a part.
    """
    size = file.stat().st_size

    def send(number: int) -> None:
        with _in_memory:
            content = os.pread(descriptor, PART, number * PART)
            with _request("PUT", addresses[number], data=content) as response:
                on_sent(number, response.headers.get("ETag", ""))
            advance(len(content))

    advance(sum(_length(number, size) for number in sent))
    descriptor = os.open(file, os.O_RDONLY)
    try:
        _at_once(send, [number for number in range(len(addresses)) if number not in sent])
    finally:
        os.close(descriptor)


def receive_parts(address: Callable[[], str], target: Path, size: int, advance: Advance) -> None:
    """Write a file's parts, besides those that an interrupted call for the same file has written.

    Which these are is in a file beside the target: one number in each line.

    Args:
        address: gives an address of the whole file that is valid now.

    Raises:
        UnreachableStorageError: the storage can't be reached.
        ConnectionError: it does not give a part.
    """
    record = target.with_name(target.name + PARTS_SUFFIX)
    done = _read_done(record) if target.is_file() and target.stat().st_size == size else set()
    mode = "r+b" if done else "wb"
    with (
        target.open(mode, buffering=0) as file,
        record.open("ab" if done else "wb", buffering=0) as log,
    ):
        file.truncate(size)

        def receive(number: int) -> None:
            first, count = number * PART, _length(number, size)
            headers = {"Range": f"bytes={first}-{first + count - 1}"}
            with _request("GET", address(), headers=headers, stream=True) as response:
                if response.status_code != HTTPStatus.PARTIAL_CONTENT and count != size:
                    raise ConnectionError(
                        f"the storage answered {response.status_code} to a request of a part"
                    )
                written = _write(response, file.fileno(), first, count)
            if written != count:
                raise ConnectionError(f"the storage gave {written} of {count} bytes")
            # Whole lines, also from several threads.
            os.write(log.fileno(), f"{number}\n".encode())
            advance(count)

        advance(sum(_length(number, size) for number in done))
        _at_once(receive, [number for number in range(count_parts(size)) if number not in done])
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


def _read_done(record: Path) -> set[int]:
    with contextlib.suppress(FileNotFoundError):
        return {int(line) for line in record.read_text().splitlines() if line.isdecimal()}
    return set()


def _at_once(act: Callable[[int], None], numbers: Iterable[int]) -> None:
    """Act on several numbers at once; the first error ends it."""
    with ThreadPoolExecutor(_THREADS) as pool:
        acts = [pool.submit(act, number) for number in numbers]
        try:
            for done in as_completed(acts):
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def _request(method: str, address: str, **options: object) -> Iterator[requests.Response]:
    """A request that succeeds; errors name the storage, and not the address, whose signature is a secret."""
    host = urlsplit(address).netloc
    try:
        with _session().request(method, address, timeout=_TIMEOUT, **options) as response:  # type: ignore[arg-type]
            if response.status_code == HTTPStatus.FORBIDDEN:
                raise ExpiredAddressError(f"the storage {host} refuses a signed address")
            if not response.ok:
                raise ConnectionError(f"the storage {host} answered {response.status_code}")
            yield response
    except (requests.ConnectTimeout, requests.exceptions.SSLError):
        raise UnreachableStorageError(f"the storage {host} can't be reached") from None
    except requests.ConnectionError as error:
        kind = UnreachableStorageError if _is_refused(error) else ConnectionError
        raise kind(f"the connection to the storage {host} was lost") from None
    except requests.RequestException:
        raise ConnectionError(f"the connection to the storage {host} was lost") from None


def _is_refused(error: requests.ConnectionError) -> bool:
    """Whether no connection came to be, because of the address or because nobody listens there."""
    from urllib3.exceptions import MaxRetryError
    from urllib3.exceptions import NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


@cache
def _session() -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=4 * _THREADS, max_retries=_RETRIES)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session
