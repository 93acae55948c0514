"""Large files of object storage: moved in parts, several at once, by pre-signed URLs.

A part that fails is retried; an interrupted transfer is resumed by the next with the missing parts.
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

PARTS_AT_ONCE = 4
"""Parts of a file that are moved at the same time."""

WAIT = wait_exponential(0.5, max=8)
"""Between the attempts for a part."""

_BLOCK = 2**20
_TIMEOUT = (5.0, 60.0)
_ATTEMPTS = 5
# An upload holds its part in memory, so this counts the parts of all files.
_in_memory = threading.BoundedSemaphore(2 * PARTS_AT_ONCE)


class UnreachableStorageError(ConnectionError):
    """The storage can't be reached from this machine."""


class RefusedError(ConnectionError):
    """The storage refuses a pre-signed URL: it has expired, or its object or upload is gone."""


def count_parts(size: int) -> int:
    """The number of parts of a file of so many bytes."""
    return -(-size // PART)


def upload_parts(
    file: Path,
    urls: Sequence[str],
    uploaded: Mapping[int, str],
    on_uploaded: Callable[[int, str], object],
    advance: Advance,
) -> None:
    """Upload a file's parts.

    Args:
        urls: the URL of each part, by its number from 0.
        uploaded: the parts that the storage already has, and its tag of each.
        on_uploaded: is called with each new part's number and tag, in several threads.

    Raises:
        UnreachableStorageError: the storage can't be reached, and has no part yet.
        RefusedError: it refuses the URLs.
        ConnectionError: it can no longer be reached, or fails.
    """
    size = file.stat().st_size
    there = set(uploaded)

    def upload(number: int) -> None:
        with _in_memory:
            content = os.pread(descriptor, PART, number * PART)
            with _request("PUT", urls[number], data=content) as response:
                tag = response.headers.get("ETag", "")
        on_uploaded(number, tag)
        there.add(number)
        advance(len(content))

    advance(sum(_length(number, size) for number in uploaded))
    descriptor = os.open(file, os.O_RDONLY)
    try:
        _move(upload, [number for number in range(len(urls)) if number not in uploaded], there)
    finally:
        os.close(descriptor)


def download_parts(url: Callable[[], str], target: Path, size: int, advance: Advance) -> None:
    """Download the parts of a file that no interrupted call has downloaded.

    A file beside the target lists the downloaded parts, one number on each line.

    Args:
        url: gives a URL of the whole file that is valid now.

    Raises:
        UnreachableStorageError: the storage can't be reached, and no part is downloaded yet.
        RefusedError: it refuses the URLs.
        ConnectionError: it can no longer be reached, or fails.
    """
    record = target.with_name(target.name + PARTS_SUFFIX)
    there = _read_numbers(record) if target.is_file() and target.stat().st_size == size else set()
    mode = "r+b" if there else "wb"
    with (
        target.open(mode, buffering=0) as file,
        record.open("ab" if there else "wb", buffering=0) as log,
    ):
        file.truncate(size)

        def download(number: int) -> None:
            first, count = number * PART, _length(number, size)
            headers = {"Range": f"bytes={first}-{first + count - 1}"}
            with _request("GET", url(), headers=headers, stream=True) as response:
                if response.status_code != HTTPStatus.PARTIAL_CONTENT and count != size:
                    raise RefusedError("the storage sends no parts of files")
                written = _write(response, file.fileno(), first, count)
            if written != count:
                raise ConnectionError(f"the storage sent {written} of {count} bytes")
            # One call for each line, since several threads write.
            os.write(log.fileno(), f"{number}\n".encode())
            there.add(number)
            advance(count)

        advance(sum(_length(number, size) for number in there))
        missing = [number for number in range(count_parts(size)) if number not in there]
        _move(download, missing, there)
    record.unlink()


def _length(number: int, size: int) -> int:
    return min(PART, size - number * PART)


def _write(response: requests.Response, descriptor: int, first: int, count: int) -> int:
    """Write at most so many bytes of a response at an offset, and return their number."""
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
    """Move parts, several at once, each with several attempts; the first error ends all.

    Only where a part has arrived before is an unreachable storage tried again.
    """

    def passes(error: BaseException) -> bool:
        if isinstance(error, UnreachableStorageError):
            return bool(there)
        return isinstance(error, ConnectionError) and not isinstance(error, RefusedError)

    attempts = Retrying(
        retry=retry_if_exception(passes),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=WAIT,
        reraise=True,
    )
    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
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
def _request(method: str, url: str, **options: object) -> Iterator[requests.Response]:
    """A successful request; errors name the storage and never the URL, which is a secret."""
    host = urlsplit(url).netloc
    lost = f"the connection to the storage {host} was lost"
    try:
        with _session().request(method, url, timeout=_TIMEOUT, **options) as response:  # type: ignore[arg-type]
            status = response.status_code
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
                raise ConnectionError(f"the storage {host} responded with {status}")
            if not response.ok:
                raise RefusedError(f"the storage {host} refuses a pre-signed URL ({status})")
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
    """Whether the host can't be resolved, or refuses connections."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


@cache
def _session() -> requests.Session:
    """The session of all threads, without retries of its own: urllib3 would log the URLs."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=THREADS * PARTS_AT_ONCE)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session
