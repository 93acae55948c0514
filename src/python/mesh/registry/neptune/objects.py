"""Objects on S3, by their URLs `s3://BUCKET/KEY`."""

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mesh.core.manifest import FileEntry
from mesh.core.progress import Advance
from mesh.registry.transfer import THREADS

_SCHEME = "s3://"
# Of one file; several files are moved at the same time.
_PARTS = 4
_BLOCK = 1 << 20
_REMOVED_AT_ONCE = 1000


class ObjectsError(ConnectionError):
    """Object storage can't be reached, read or written; the message says which, and why."""


class Objects:
    """Objects on S3, with the credentials that boto3 finds; safe to use in several threads.

    S3 of another vendor is found by `S3_ENDPOINT_URL`, as Neptune's client finds it, or by boto3's
    own settings. The methods raise an `ObjectsError` where it can't be reached, read or written.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: Any = None

    def upload(self, file: Path, url: str, advance: Advance) -> None:
        """Store a file, in parts where it is large."""
        bucket, key = _split(url)
        with _errors(url):
            config = TransferConfig(max_concurrency=_PARTS)
            self._client().upload_file(str(file), bucket, key, Config=config, Callback=advance)

    def download(self, url: str, file: Path, advance: Advance) -> bool:
        """Write an object to a file, and say whether there is one."""
        bucket, key = _split(url)
        with _errors(url):
            config = TransferConfig(max_concurrency=_PARTS)
            try:
                client = self._client()
                client.download_file(bucket, key, str(file), Config=config, Callback=advance)
            except ClientError as error:
                if _is_missing(error):
                    return False
                raise
        return True

    def read_entry(self, url: str, path: str) -> FileEntry:
        """Size and digest of an object's content, listed under a path; the content is not kept."""
        bucket, key = _split(url)
        size, digest = 0, hashlib.sha256()
        with _errors(url):
            body = self._client().get_object(Bucket=bucket, Key=key)["Body"]
            with contextlib.closing(body):
                for block in body.iter_chunks(_BLOCK):
                    size += len(block)
                    digest.update(block)
        return FileEntry(path=path, size=size, sha256=digest.hexdigest())

    def list(self, prefix: str) -> Sequence[str]:
        """The URLs that begin with a prefix, in order."""
        bucket, start = _split(prefix)
        with _errors(prefix):
            pages = self._client().get_paginator("list_objects_v2")
            return [
                f"{_SCHEME}{bucket}/{found['Key']}"
                for page in pages.paginate(Bucket=bucket, Prefix=start)
                for found in page.get("Contents", [])
            ]

    def exists(self, url: str) -> bool:
        """Whether there is an object."""
        bucket, key = _split(url)
        with _errors(url):
            try:
                self._client().head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if _is_missing(error):
                    return False
                raise
        return True

    def remove(self, prefix: str) -> None:
        """Remove all objects whose URLs begin with a prefix."""
        bucket, _ = _split(prefix)
        keys = [{"Key": _split(url)[1]} for url in self.list(prefix)]
        for start in range(0, len(keys), _REMOVED_AT_ONCE):
            with _errors(prefix):
                response = self._client().delete_objects(
                    Bucket=bucket, Delete={"Objects": keys[start : start + _REMOVED_AT_ONCE]}
                )
            if refused := response.get("Errors"):
                raise ObjectsError(
                    f"{_SCHEME}{bucket}/{refused[0]['Key']} can't be removed: {refused[0]['Message']}."
                )

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                # Sessions are not thread-safe, and Neptune's client uses boto3's default one.
                self._made = boto3.session.Session().client(
                    "s3",
                    endpoint_url=os.environ.get("S3_ENDPOINT_URL") or None,
                    config=Config(max_pool_connections=THREADS * _PARTS),
                )
            return self._made


def _split(url: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = url.removeprefix(_SCHEME).partition("/")
    return bucket, key


def _is_missing(error: ClientError) -> bool:
    return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 404)


@contextlib.contextmanager
def _errors(url: str) -> Iterator[None]:
    try:
        yield
    # boto3 raises a ValueError for an endpoint that isn't a URL.
    except (Boto3Error, BotoCoreError, ClientError, ValueError) as error:
        if isinstance(error, ClientError) and _is_missing(error):
            raise ObjectsError(f"{url} is missing.") from error
        raise ObjectsError(f"{url} can't be reached, read or written: {error}.") from error
