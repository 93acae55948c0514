"""Files of versions on a server of MLflow's, or on S3.

Small files go through MLflow. Large ones go straight to and from the object storage, in parts, by addresses that the
server signs, or this machine where it has the keys itself; and through the server where it has no such storage, or
where this machine can't reach that.
"""

import contextlib
import logging
import mimetypes
import os
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from mlflow.entities.multipart_upload import MultipartUploadPart
from mlflow.entities.presigned_download import PresignedDownloadUrlResponse
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_TIMEOUT
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from mlflow.utils.server_info import (
    SERVER_INFO_MULTIPART_DOWNLOADS_ENABLED,
    SERVER_INFO_MULTIPART_UPLOADS_ENABLED,
    ServerInfoRequestError,
    fetch_server_info,
)
from requests import HTTPError, Response

from mesh.core.errors import MeshError
from mesh.core.progress import Advance
from mesh.registry.mlflow.parts import (
    PART,
    RefusedError,
    UnreachableStorageError,
    count_parts,
    receive_parts,
    send_parts,
)
from mesh.registry.mlflow.unfinished import PartsSent, Unfinished
from mesh.registry.transfer import FileState

_BLOCK = 2**20
_BOTH_WAYS = (SERVER_INFO_MULTIPART_UPLOADS_ENABLED, SERVER_INFO_MULTIPART_DOWNLOADS_ENABLED)
_SPECIAL = ("AWS_CA_BUNDLE", "MLFLOW_S3_IGNORE_TLS", "MLFLOW_S3_UPLOAD_EXTRA_ARGS")
_SERVICE = "/api/2.0/mlflow-artifacts/artifacts"
# Of a slow storage; large files need longer than other requests.
_SECONDS_PER_MB = 0.5
# Signed addresses: S3 takes parts for an hour, and MLflow's of a whole file hold for five minutes.
_SENDING_SECONDS = 50 * 60
_RECEIVING_SECONDS = 4 * 60

logger = logging.getLogger(__name__)

# Servers whose storage this process could not reach.
_unreachable: set[str] = set()


def send(
    repository: ArtifactRepository,
    file: Path,
    state: FileState,
    path: str,
    unfinished: Unfinished,
    advance: Advance,
) -> None:
    """Store a file at a path, whose last part is the file's name.

    Args:
        state: the file's, when it was digested.

    Raises:
        MeshError: the file has changed since.
    """

    def check() -> None:
        if FileState.of(file) != state:
            raise MeshError(f"{file} changed while it was being published; publish it again.")

    direct = state.size > PART and _is_direct(repository)
    if direct and _send_parts(repository, file, path, unfinished, advance, check):
        return
    if isinstance(repository, HttpArtifactRepository):
        _send_through(repository, file, path, advance)
    else:
        repository.log_artifact(str(file), _parent(path))  # type: ignore[no-untyped-call]
        advance(state.size)
    check()


def receive(
    repository: ArtifactRepository, path: str, target: Path, size: int, advance: Advance
) -> None:
    """Write a stored file of about so many bytes; what an interrupted call has written of it is not asked for again."""
    if size > PART and _is_direct(repository):
        try:
            address = _Address(repository, path)
            stored = size if address.size is None else address.size
            receive_parts(address, target, stored, advance)
        except UnreachableStorageError as error:
            _note_unreachable(repository, error)
        except RefusedError as error:
            logger.info("%s is fetched in another way: %s", path, error)
        else:
            return
    if isinstance(repository, HttpArtifactRepository):
        _receive_through(repository, path, target, size, advance)
    else:
        root = Path(*target.parts[: len(target.parts) - len(PurePosixPath(path).parts)])
        repository.download_artifacts(path, str(root))  # type: ignore[no-untyped-call]
        advance(size)


def _is_direct(repository: ArtifactRepository) -> bool:
    """Whether this machine may ask the object storage itself."""
    if not isinstance(repository, HttpArtifactRepository):
        # What these say about requests only boto3 knows how to follow.
        special = any(os.environ.get(name) for name in _SPECIAL)
        return isinstance(repository, S3ArtifactRepository) and not special
    server = _server(repository)
    if server in _unreachable:
        return False
    try:
        info = fetch_server_info(get_default_host_creds(server))  # type: ignore[no-untyped-call]
    except ServerInfoRequestError as error:
        logger.debug("%s does not say what it can: %s", urlsplit(server).netloc, error)
        return False
    # Of MLflow's storages only S3 can do both; parts of some others need more than an address.
    return info.status_code == HTTPStatus.OK and all(
        (info.data or {}).get(key) for key in _BOTH_WAYS
    )


def _note_unreachable(repository: ArtifactRepository, error: UnreachableStorageError) -> None:
    if not isinstance(repository, HttpArtifactRepository):
        raise error
    logger.info("large files go through %s: %s", urlsplit(_server(repository)).netloc, error)
    _unreachable.add(_server(repository))


def _server(repository: HttpArtifactRepository) -> str:
    return str(repository.artifact_uri).partition(_SERVICE)[0]


def _parent(path: str) -> str | None:
    parent = PurePosixPath(path).parent.as_posix()
    return None if parent == "." else parent


def _send_parts(
    repository: ArtifactRepository,
    file: Path,
    path: str,
    unfinished: Unfinished,
    advance: Advance,
    check: Callable[[], None],
) -> bool:
    """Store a file in parts, and say whether that was possible."""
    parts = unfinished.progress.parts.get(path)
    if parts is None or parts.began < time.time() - _SENDING_SECONDS:
        parts = _begin_parts(repository, file, path, unfinished)

    def on_sent(number: int, tag: str) -> None:
        check()
        unfinished.send_part(path, number, tag)

    counted: list[int] = []

    def count(moved: int) -> None:
        counted.append(moved)
        advance(moved)

    try:
        send_parts(file, parts.addresses, dict(parts.tags), on_sent, count)
        tags = [MultipartUploadPart(number + 1, tag) for number, tag in sorted(parts.tags.items())]
        repository.complete_multipart_upload(file.name, parts.upload_id, tags, _parent(path))  # type: ignore[attr-defined]
    except _final_errors() as error:
        unfinished.forget_parts(path)
        with contextlib.suppress(Exception):
            # Else a lifecycle rule of the bucket removes it.
            repository.abort_multipart_upload(file.name, parts.upload_id, _parent(path))  # type: ignore[attr-defined]
        if isinstance(error, MeshError):
            raise
        advance(-sum(counted))
        if isinstance(error, UnreachableStorageError):
            _note_unreachable(repository, error)
        else:
            logger.info("%s is sent in another way: %s", path, type(error).__name__)
        return False
    return True


def _final_errors() -> tuple[type[Exception], ...]:
    """After these, what was sent of a file is of no use any more; the storage or the server may have forgotten it."""
    errors = MeshError, UnreachableStorageError, RefusedError, HTTPError
    if "botocore" not in sys.modules:
        return errors
    from botocore.exceptions import ClientError

    return *errors, ClientError


def _begin_parts(
    repository: ArtifactRepository, file: Path, path: str, unfinished: Unfinished
) -> PartsSent:
    created = repository.create_multipart_upload(  # type: ignore[attr-defined]
        file.name, count_parts(file.stat().st_size), _parent(path)
    )
    addresses = [credential.url for credential in created.credentials]
    return unfinished.begin_parts(path, created.upload_id, addresses)


class _Address:
    """A signed address of a stored file, asked for again before its time is over."""

    def __init__(self, repository: ArtifactRepository, path: str) -> None:
        # Of the two, the first has no public name for it.
        self._ask: Callable[[str], PresignedDownloadUrlResponse] = (
            repository._get_presigned_download_url
            if isinstance(repository, HttpArtifactRepository)
            else repository.get_download_presigned_url  # type: ignore[attr-defined]
        )
        self._path = path
        self._asked = time.monotonic()
        self._answer = self._ask(path)

    @property
    def size(self) -> int | None:
        """Bytes of the stored file, if the storage says it."""
        size: int | None = self._answer.file_size
        return size

    def __call__(self) -> str:
        if self._asked < time.monotonic() - _RECEIVING_SECONDS:
            self._asked = time.monotonic()
            self._answer = self._ask(self._path)
        return str(self._answer.url)


class _Counted:
    """A file that is read, and counts what is read of it."""

    def __init__(self, file: IO[bytes], size: int, advance: Advance) -> None:
        self._file = file
        self._size = size
        self._advance = advance

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> "_Counted":
        return self

    def read(self, count: int = -1) -> bytes:
        block = self._file.read(count)
        self._advance(len(block))
        return block

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go back for another attempt."""
        before = self._file.tell()
        after = self._file.seek(offset, whence)
        self._advance(after - before)
        return after


def _request(
    repository: HttpArtifactRepository, method: str, path: str, size: int, **options: object
) -> Response:
    """Ask the server about a file of so many bytes; it answers when it has passed on, or fetched, the whole file."""
    seconds = MLFLOW_HTTP_REQUEST_TIMEOUT.get() + size / 1e6 * _SECONDS_PER_MB  # type: ignore[no-untyped-call]
    credentials = get_default_host_creds(repository.artifact_uri)  # type: ignore[no-untyped-call]
    response: Response = http_request(  # type: ignore[no-untyped-call]
        credentials, f"/{path}", method, timeout=int(seconds), **options
    )
    response.raise_for_status()
    return response


def _send_through(
    repository: HttpArtifactRepository, file: Path, path: str, advance: Advance
) -> None:
    kind, _ = mimetypes.guess_type(file.name)
    headers = {"Content-Type": kind or "application/octet-stream"}
    size = file.stat().st_size
    with file.open("rb") as content:
        data = _Counted(content, size, advance) if size else b""
        _request(repository, "PUT", path, size, data=data, extra_headers=headers)


def _receive_through(
    repository: HttpArtifactRepository, path: str, target: Path, size: int, advance: Advance
) -> None:
    with (
        _request(repository, "GET", path, size, stream=True) as response,
        target.open("wb") as file,
    ):
        for block in response.iter_content(_BLOCK):
            file.write(block)
            advance(len(block))
