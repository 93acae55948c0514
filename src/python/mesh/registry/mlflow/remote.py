"""Files of versions on an MLflow server, or on S3 without a server between.

Large files go straight to and from the object storage, in parts, by pre-signed URLs; or through the
server, where it has no such storage or this machine can't reach it. MLflow's own client moves files
in parts as well, but it neither resumes nor falls back, gives an upload up with the first part that
fails, and writes pre-signed URLs into errors and logs.
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
from mesh.registry.mlflow import parts
from mesh.registry.mlflow.parts import RefusedError, UnreachableStorageError
from mesh.registry.mlflow.unfinished import Unfinished
from mesh.registry.transfer import FileState

_BLOCK = 2**20
_BOTH_WAYS = (SERVER_INFO_MULTIPART_UPLOADS_ENABLED, SERVER_INFO_MULTIPART_DOWNLOADS_ENABLED)
_ONLY_BOTO3 = ("AWS_CA_BUNDLE", "MLFLOW_S3_IGNORE_TLS", "MLFLOW_S3_UPLOAD_EXTRA_ARGS")
_SERVICE = "/api/2.0/mlflow-artifacts"
# For slow storage: large files need longer than other requests.
_SECONDS_PER_MB = 0.5
# MLflow's pre-signed URLs expire: those of parts after an hour, those of files after five minutes.
_UPLOADING_SECONDS = 50 * 60
_DOWNLOADING_SECONDS = 4 * 60

logger = logging.getLogger(__name__)

# Servers whose storage this process could not reach.
unreachable: set[str] = set()


def upload_file(
    repository: ArtifactRepository,
    file: Path,
    state: FileState,
    path: str,
    unfinished: Unfinished,
    advance: Advance,
) -> None:
    """Upload a file to a path that ends in the file's name.

    Args:
        state: the file's state when it was digested.

    Raises:
        MeshError: the file has changed since.
    """

    def check() -> None:
        if FileState.of(file) != state:
            raise MeshError(f"{file} changed while it was being published; publish it again.")

    direct = state.size > parts.PART and _is_direct(repository)
    if direct and _upload_parts(repository, file, path, unfinished, advance, check):
        return
    if isinstance(repository, HttpArtifactRepository):
        _upload_through(repository, file, path, advance)
    else:
        repository.log_artifact(str(file), _parent(path))  # type: ignore[no-untyped-call]
        advance(state.size)
    check()


def download_file(
    repository: ArtifactRepository, path: str, target: Path, size: int, advance: Advance
) -> None:
    """Download a stored file of about so many bytes, resuming an interrupted download."""
    if size > parts.PART and _is_direct(repository):
        try:
            url = _SignedUrl(repository, path)
            parts.download_parts(url, target, size if url.size is None else url.size, advance)
        except UnreachableStorageError as error:
            _note_unreachable(repository, error)
        except RefusedError as error:
            logger.info("%s is downloaded in another way: %s", path, error)
        else:
            return
    if isinstance(repository, HttpArtifactRepository):
        _download_through(repository, path, target, size, advance)
    else:
        root = Path(*target.parts[: len(target.parts) - len(PurePosixPath(path).parts)])
        repository.download_artifacts(path, str(root))  # type: ignore[no-untyped-call]
        advance(size)


def _is_direct(repository: ArtifactRepository) -> bool:
    """Whether this machine may call the object storage itself."""
    if not isinstance(repository, HttpArtifactRepository):
        special = any(os.environ.get(name) for name in _ONLY_BOTO3)
        return isinstance(repository, S3ArtifactRepository) and not special
    server = _server(repository)
    if server in unreachable:
        return False
    try:
        info = fetch_server_info(get_default_host_creds(server))  # type: ignore[no-untyped-call]
    except ServerInfoRequestError as error:
        logger.debug("%s doesn't list its features: %s", urlsplit(server).netloc, error)
        return False
    # Of MLflow's storages only S3 does both; parts of some others need more than a URL.
    return info.status_code == HTTPStatus.OK and all(
        (info.data or {}).get(key) for key in _BOTH_WAYS
    )


def _note_unreachable(repository: ArtifactRepository, error: UnreachableStorageError) -> None:
    if not isinstance(repository, HttpArtifactRepository):
        raise error
    logger.info("large files go through %s: %s", urlsplit(_server(repository)).netloc, error)
    unreachable.add(_server(repository))


def _server(repository: HttpArtifactRepository) -> str:
    return str(repository.artifact_uri).partition(_SERVICE)[0]


def _parent(path: str) -> str | None:
    parent = PurePosixPath(path).parent.as_posix()
    return None if parent == "." else parent


def _upload_parts(
    repository: ArtifactRepository,
    file: Path,
    path: str,
    unfinished: Unfinished,
    advance: Advance,
    check: Callable[[], None],
) -> bool:
    """Upload a file in parts, and return whether that was possible."""
    sent = unfinished.progress.parts.get(path)
    if sent is None or sent.began < time.time() - _UPLOADING_SECONDS:
        number = parts.count_parts(file.stat().st_size)
        begun = repository.create_multipart_upload(file.name, number, _parent(path))  # type: ignore[attr-defined]
        urls = [credential.url for credential in begun.credentials]
        sent = unfinished.begin_parts(path, begun.upload_id, urls)

    def on_uploaded(number: int, tag: str) -> None:
        check()
        unfinished.send_part(path, number, tag)

    counted: list[int] = []

    def count(moved: int) -> None:
        counted.append(moved)
        advance(moved)

    try:
        parts.upload_parts(file, sent.addresses, dict(sent.tags), on_uploaded, count)
        tags = [MultipartUploadPart(number + 1, tag) for number, tag in sorted(sent.tags.items())]
        repository.complete_multipart_upload(file.name, sent.upload_id, tags, _parent(path))  # type: ignore[attr-defined]
    except _final_errors() as error:
        unfinished.forget_parts(path)
        with contextlib.suppress(Exception):
            # Where this fails, a lifecycle rule of the bucket removes the parts.
            repository.abort_multipart_upload(file.name, sent.upload_id, _parent(path))  # type: ignore[attr-defined]
        if isinstance(error, MeshError):
            raise
        advance(-sum(counted))
        if isinstance(error, UnreachableStorageError):
            _note_unreachable(repository, error)
        else:
            logger.info("%s is uploaded in another way: %s", path, type(error).__name__)
        return False
    return True


def _final_errors() -> tuple[type[Exception], ...]:
    """Errors after which uploaded parts are useless, since they may be forgotten."""
    errors = MeshError, UnreachableStorageError, RefusedError, HTTPError
    if "botocore" not in sys.modules:
        return errors
    from botocore.exceptions import ClientError

    return *errors, ClientError


class _SignedUrl:
    """A pre-signed URL of a stored file, renewed before it expires."""

    def __init__(self, repository: ArtifactRepository, path: str) -> None:
        self._repository = repository
        self._path = path
        self._renew()

    @property
    def size(self) -> int | None:
        """Bytes of the stored file, if the storage tells."""
        size: int | None = self._signed.file_size
        return size

    def __call__(self) -> str:
        if self._renewed < time.monotonic() - _DOWNLOADING_SECONDS:
            self._renew()
        return str(self._signed.url)

    def _renew(self) -> None:
        self._renewed = time.monotonic()
        if isinstance(self._repository, HttpArtifactRepository):
            url = self._repository.artifact_uri.replace(
                f"{_SERVICE}/artifacts", f"{_SERVICE}/presigned", 1
            )
            content = _request(url, "GET", self._path).json()
            self._signed = PresignedDownloadUrlResponse.from_dict(content)
        else:
            self._signed = self._repository.get_download_presigned_url(self._path)  # type: ignore[attr-defined]


class _Counted:
    """A file that counts the bytes that are read from it."""

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


def _request(url: str, method: str, path: str, size: int = 0, **options: object) -> Response:
    """Call the server about a file; if it moves the file's bytes itself, it responds after that."""
    seconds = MLFLOW_HTTP_REQUEST_TIMEOUT.get() + size / 1e6 * _SECONDS_PER_MB  # type: ignore[no-untyped-call]
    credentials = get_default_host_creds(url)  # type: ignore[no-untyped-call]
    response: Response = http_request(  # type: ignore[no-untyped-call]
        credentials, f"/{path}", method, timeout=int(seconds), **options
    )
    response.raise_for_status()
    return response


def _upload_through(
    repository: HttpArtifactRepository, file: Path, path: str, advance: Advance
) -> None:
    kind, _ = mimetypes.guess_type(file.name)
    headers = {"Content-Type": kind or "application/octet-stream"}
    size = file.stat().st_size
    with file.open("rb") as content:
        data = _Counted(content, size, advance) if size else b""
        _request(repository.artifact_uri, "PUT", path, size, data=data, extra_headers=headers)


def _download_through(
    repository: HttpArtifactRepository, path: str, target: Path, size: int, advance: Advance
) -> None:
    with (
        _request(repository.artifact_uri, "GET", path, size, stream=True) as response,
        target.open("wb") as file,
    ):
        for block in response.iter_content(_BLOCK):
            file.write(block)
            advance(len(block))
