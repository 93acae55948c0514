"""Large files of a shared registry: straight to and from its storage, in parts, and resumed."""

import functools
import json
import os
import re
import shutil
import traceback
from pathlib import Path

import pytest
import requests
from mlflow.utils.server_info import ServerInfoRequestError
from tenacity import wait_none

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry
from mesh.registry.mlflow import parts, remote
from mesh.registry.provenance import copy_version
from mesh.registry.settings import RegistrySettings

PART = 5 * 2**20
"""The smallest that S3 accepts."""

LARGE = "model_artifacts/model.bin"
SIGNED = "X-Amz-Signature"
PUBLISH = """
from mesh.registry.mlflow import parts
parts.PART = {part}
parts.PARTS_AT_ONCE = 1
{stop}
registry.publish("KEYWORDS-TRAINED", Path({source!r}), card)
"""


@pytest.fixture(params=["server", "direct"])
def place(request):
    """Large files are uploaded by the server's URLs, or by a client that has keys of its own."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch, s3):
    monkeypatch.setattr(parts, "PART", PART)
    monkeypatch.setattr(parts, "PARTS_AT_ONCE", 1)
    monkeypatch.setattr(parts, "WAIT", wait_none())
    monkeypatch.setattr(remote, "unreachable", set())
    yield
    s3.faults.forbidden = s3.faults.failing = ""


@pytest.fixture
def source(source: Path) -> Path:
    """Four parts and a bit."""
    (source / LARGE).write_bytes(os.urandom(4 * PART + 7))
    return source


def numbers_in(s3, pattern: str) -> list[int]:
    """The numbers in matching requests to the storage since the last call, in order."""
    requests, s3.requests[:] = list(s3.requests), []
    return sorted(int(number) for request in requests for number in re.findall(pattern, request))


@pytest.fixture
def uploaded(s3):
    """The numbers of the parts uploaded since the last call."""
    s3.requests.clear()
    return functools.partial(numbers_in, s3, r"^PUT .*[?&]partNumber=(\d+)")


@pytest.fixture
def downloaded(s3):
    """The starts of the ranges of the large file downloaded since the last call."""
    return functools.partial(numbers_in, s3, rf"^GET .*{LARGE}.* bytes=(\d+)-")


def change_signed(patch, change) -> None:
    """Let a function change each pre-signed URL before it is called."""
    request = requests.Session.request

    def changed(session, method, url, **options):
        return request(session, method, change(url) if SIGNED in url else url, **options)

    patch.setattr(requests.Session, "request", changed)


def break_signed(patch, is_broken) -> list[str]:
    """Break responses to pre-signed URLs, by their number from 1; return all such URLs."""
    read, urls = requests.Response.iter_content, []

    def read_broken(response, *arguments, **options):
        if SIGNED in response.url:
            urls.append(response.url)
            if is_broken(len(urls)):
                raise requests.exceptions.ChunkedEncodingError("broken")
        return read(response, *arguments, **options)

    patch.setattr(requests.Response, "iter_content", read_broken)
    return urls


def elsewhere(url: str) -> str:
    """The same URL where no server listens."""
    return re.sub(r"//[^/]*/", "//127.0.0.1:1/", url)


def test_parts_there_and_back(registry, source, card, uploaded, downloaded, tmp_path):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert uploaded() == [1, 2, 3, 4, 5]
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert downloaded() == [number * PART for number in range(5)]
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def test_interrupted_publish_is_resumed(registry, s3, source, card, uploaded, caplog):
    s3.faults.failing = "partNumber=[345]"
    with pytest.raises(
        MeshError, match="the storage 127.0.0.1:[0-9]* responded with 503"
    ) as caught:
        registry.publish("KEYWORDS-TRAINED", source, card)
    # Everyone who reads a pre-signed URL can write by it.
    assert "Signature" not in "".join(traceback.format_exception(caught.value)) + own_logs(caplog)
    assert registry.list() == []
    s3.faults.failing = ""
    runs = {path.split("/")[2] for path in s3.paths()}
    uploaded()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert (published.version, uploaded()) == (1, [3, 4, 5])
    assert {path.split("/")[2] for path in s3.paths()} == runs
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def own_logs(caplog) -> str:
    """The log without the storage's entries, which is in this process."""
    return "".join(record.getMessage() for record in caplog.records if record.name != "werkzeug")


def test_refused_urls(registry, s3, source, card, tmp_path):
    """As when they have expired: the file goes through the server, or boto3."""
    s3.faults.forbidden = "partNumber=3.*X-Amz-Signature"
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    s3.faults.forbidden = "GET .*X-Amz-Signature"
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert s3.unfinished_uploads() == []


def test_part_that_is_lost_at_times(registry, source, card, tmp_path, monkeypatch):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    calls = break_signed(monkeypatch, lambda number: number % 2)
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert len(calls) == 10


def test_storage_that_is_lost_half_way(registry, s3, source, card, uploaded, monkeypatch):
    """The next publish resumes: uploaded parts are not uploaded again."""
    calls = []

    def lose(url):
        calls.append(url)
        return elsewhere(url) if len(calls) > 3 else url

    with monkeypatch.context() as lost:
        change_signed(lost, lose)
        with pytest.raises(
            MeshError, match="the connection to the storage 127.0.0.1:[0-9]* was lost"
        ):
            registry.publish("KEYWORDS-TRAINED", source, card)
    uploaded()
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 1
    assert uploaded() == [4, 5]


def test_file_that_changes_while_it_is_uploaded(registry, s3, source, card, monkeypatch):
    def touch(url):
        if "partNumber=2" in url:
            (source / LARGE).touch()
        return url

    change_signed(monkeypatch, touch)
    with pytest.raises(MeshError, match=f"{LARGE} changed while it was being published"):
        registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []
    assert s3.paths() == s3.unfinished_uploads() == []


def test_server_that_does_not_list_its_features(
    server_place, source, card, uploaded, tmp_path, monkeypatch
):
    def fail(_):
        raise ServerInfoRequestError("busy")

    monkeypatch.setattr(remote, "fetch_server_info", fail)
    registry = open_registry(server_place.settings)
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest


def test_publisher_that_is_killed_after_the_last_part(kill_stopped, registry, source, card):
    """The storage has forgotten the upload, and the publisher has not noted its end."""
    stop = "stop_at('mesh.registry.mlflow.unfinished:Unfinished.store', 6)"
    kill_stopped(PUBLISH.format(part=PART, stop=stop, source=str(source)))
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 1
    assert registry.verify("KEYWORDS-TRAINED-1") == []


@pytest.mark.parametrize(
    ("stop", "left"),
    [
        ("stop_at('mesh.registry.mlflow.parts:os.pread', 4)", [4, 5]),
        ("stop_at('mlflow:MlflowClient.set_terminated')", []),
    ],
    ids=["within the large file", "before the version"],
)
def test_killed_publish_is_resumed(kill_stopped, registry, s3, source, card, uploaded, stop, left):
    kill_stopped(PUBLISH.format(part=PART, stop=stop, source=str(source)))
    assert registry.list() == []
    runs = {path.split("/")[2] for path in s3.paths()}
    uploaded()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert (published.version, uploaded()) == (1, left)
    assert {path.split("/")[2] for path in s3.paths()} == runs
    assert registry.verify("KEYWORDS-TRAINED-1") == []
    # The next one starts anew.
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 2
    assert uploaded() == [1, 2, 3, 4, 5]


def test_changed_files_are_published_anew(kill_stopped, registry, source, card, uploaded, tmp_path):
    stop = "stop_at('mlflow:MlflowClient.set_terminated')"
    kill_stopped(PUBLISH.format(part=PART, stop=stop, source=str(source)))
    with (source / LARGE).open("r+b") as file:
        file.write(b"other")
    uploaded()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert uploaded() == [1, 2, 3, 4, 5]
    registry.fetch(published.reference, tmp_path / "fetched")
    assert (tmp_path / "fetched" / LARGE).read_bytes() == (source / LARGE).read_bytes()


def test_files_missing_in_the_storage_are_published_anew(
    kill_stopped, registry, s3, source, card, uploaded
):
    stop = "stop_at('mlflow:MlflowClient.set_terminated')"
    kill_stopped(PUBLISH.format(part=PART, stop=stop, source=str(source)))
    (lost,) = (path for path in s3.paths() if path.endswith("inputs.json"))
    s3.remove(lost)
    uploaded()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert uploaded() == [1, 2, 3, 4, 5]
    assert registry.verify(published.reference) == []


def test_interrupted_fetch_is_resumed(
    registry, s3, source, card, downloaded, tmp_path, monkeypatch
):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    with monkeypatch.context() as lost:
        break_signed(lost, lambda number: number >= 4)
        with pytest.raises(MeshError, match="lost"):
            registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "models" / "fetched")
    assert not (tmp_path / "models" / "fetched").exists()
    downloaded()
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "models" / "fetched")
    assert downloaded() == [3 * PART, 4 * PART]
    assert Manifest.of(tmp_path / "models" / "fetched") == published.manifest
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["fetched"]


@pytest.mark.parametrize("damage", ["empty", "shorter", "longer", "other"])
def test_damaged_large_file(registry, s3, source, card, tmp_path, damage):
    registry.publish("KEYWORDS-TRAINED", source, card)
    (path,) = (path for path in s3.paths() if path.endswith(LARGE))
    content = s3.read(path)
    changed = {
        "empty": b"",
        "shorter": content[:-1],
        "longer": content + b"x",
        "other": content[:-1] + bytes([content[-1] ^ 1]),
    }
    s3.write(path, changed[damage])
    (problem,) = registry.verify("KEYWORDS-TRAINED-1")
    assert problem.startswith(LARGE)
    with pytest.raises(MeshError, match=f"damaged in the registry: {LARGE}"):
        registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "models" / "fetched")
    assert list((tmp_path / "models").iterdir()) == []


def test_missing_large_file(registry, s3, source, card, tmp_path):
    registry.publish("KEYWORDS-TRAINED", source, card)
    (path,) = (path for path in s3.paths() if path.endswith(LARGE))
    s3.remove(path)
    with pytest.raises(MeshError, match=f"{LARGE} is missing in the registry's storage"):
        registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert registry.verify("KEYWORDS-TRAINED-1") == [f"{LARGE} is missing"]


def test_storage_that_only_the_server_reaches(
    server_place, s3, source, card, tmp_path, monkeypatch
):
    calls = []

    def lead_elsewhere(url):
        calls.append(url)
        return elsewhere(url)

    change_signed(monkeypatch, lead_elsewhere)
    registry = open_registry(server_place.settings)
    registry.publish("KEYWORDS-TRAINED", source, card)
    assert calls
    calls.clear()
    # Tried once, it is not tried again.
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert calls == []
    assert registry.verify("KEYWORDS-TRAINED-1") == []
    # As in another process, which has not found it unreachable yet.
    monkeypatch.setattr(remote, "unreachable", set())
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert s3.unfinished_uploads() == []


COPY = """
from mesh.registry.mlflow import parts
from mesh.registry.provenance import copy_version
parts.PART = {part}
parts.PARTS_AT_ONCE = 1
stop_at('mesh.registry.mlflow.parts:os.pread', 4)
settings = RegistrySettings.model_validate_json({settings!r})
copy_version(open_registry(settings), registry, "KEYWORDS-TRAINED-1")
"""


def test_killed_copy_is_resumed(
    kill_stopped, registry, source, card, uploaded, tmp_path, empty_database
):
    """Each copy fetches the files to another temporary directory; their content is the same."""
    database = tmp_path / "other" / "registry.db"
    database.parent.mkdir()
    shutil.copyfile(empty_database, database)
    settings = RegistrySettings(uri=f"sqlite:///{database}", artifacts=f"{database.parent}/files")
    original = open_registry(settings).publish("KEYWORDS-TRAINED", source, card)
    text = json.dumps({"uri": settings.uri, "artifacts": settings.artifacts})
    kill_stopped(COPY.format(part=PART, settings=text))
    uploaded()
    copied = copy_version(open_registry(settings), registry, "KEYWORDS-TRAINED-1")
    assert uploaded() == [4, 5]
    assert copied.manifest == original.manifest
    assert registry.verify(copied.reference) == []
