"""S3 on this machine, by moto: over HTTP, and as slow and unreliable as a test asks."""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from services.http import running

BUCKET = "models"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

Answer = Iterable[bytes]


class Storage:
    """A bucket's objects, as a registry keeps them.

    Args:
        endpoint: the address of the server.

    Attributes:
        requests: method, path, query and range of each.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.faults = Faults()
        self.requests: list[str] = []
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
        )
        self._client.create_bucket(Bucket=BUCKET)

    def paths(self) -> list[str]:
        """Keys of all objects."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def read(self, path: str) -> bytes:
        """Content of an object."""
        content: bytes = self._client.get_object(Bucket=BUCKET, Key=path)["Body"].read()
        return content

    def write(self, path: str, content: bytes) -> None:
        """Make or replace an object."""
        self._client.put_object(Bucket=BUCKET, Key=path, Body=content)

    def remove(self, path: str) -> None:
        """Delete an object."""
        self._client.delete_object(Bucket=BUCKET, Key=path)

    def unfinished_uploads(self) -> list[str]:
        """Keys of what is being uploaded in parts."""
        answer = self._client.list_multipart_uploads(Bucket=BUCKET)
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def clear(self) -> None:
        """Delete all objects."""
        for path in self.paths():
            self.remove(path)


class Faults:
    """What goes wrong with the next requests.

    Args:
        delay: seconds that each waits.
        refusals: how many are answered with 503.
        forbidden: pattern of methods and addresses that are answered with 403.
        failing: pattern of those that are answered with 503.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self.refusals = 0
        self.forbidden = ""
        self.failing = ""
        self._lock = threading.Lock()

    def status(self, request: str) -> str | None:
        """How a request is refused, if it is."""
        time.sleep(self.delay)
        for pattern, status in ((self.forbidden, "403 Forbidden"), (self.failing, "503 Slow Down")):
            if pattern and re.search(pattern, request):
                return status
        with self._lock:
            if self.refusals <= 0:
                return None
            self.refusals -= 1
            return "503 Slow Down"


@contextmanager
def run_s3(host: str = "127.0.0.1") -> Iterator[Storage]:
    """S3 with one bucket, until the block ends.

    Args:
        host: the address of this machine that it listens on.
    """
    moto = DomainDispatcherApplication(create_backend_app)
    storages: list[Storage] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Answer:
        if storages:
            request = (
                f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}"
            )
            storages[0].requests.append(f"{request} {environ.get('HTTP_RANGE', '')}".strip())
            if status := storages[0].faults.status(request):
                start_response(status, [("Content-Length", "0")])
                return []
        answer: Answer = moto(environ, start_response)
        return answer

    server = make_server(host, 0, application, True, request_handler=MotoRequestHandler)
    with running(server):
        storage = Storage(f"http://{host}:{server.server_port}")
        storages.append(storage)
        yield storage
