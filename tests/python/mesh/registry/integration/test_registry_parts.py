"""Large files of a shared registry: straight to and from its storage, in parts, gone on with when interrupted."""

import functools
import json
import os
import re
import shutil
import traceback
from pathlib import Path

import pytest
from mlflow.utils.server_info import ServerInfoRequestError
from tenacity import wait_none

from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry
from mesh.registry.mlflow import parts, remote
from mesh.registry.provenance import copy_version
from mesh.registry.settings import RegistrySettings

PART = 5 * 2**20
"""The least that S3 takes."""

LARGE = "model_artifacts/model.bin"
PUBLISH = """
from mesh.registry.mlflow import parts, remote
parts.PART = remote.PART = {part}
parts._THREADS = 1
{stop}
registry.publish("KEYWORDS-TRAINED", Path({source!r}), card)
"""


@pytest.fixture(params=["server", "direct"])
def place(request):
    """Large files are sent by the server's leave, or by a client that has keys of its own."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch, s3):
    monkeypatch.setattr(parts, "PART", PART)
    monkeypatch.setattr(remote, "PART", PART)
    monkeypatch.setattr(parts, "_THREADS", 1)
    monkeypatch.setattr(parts, "_WAIT", wait_none())
    monkeypatch.setattr(remote, "_unreachable", set())
    yield
    s3.faults.forbidden = s3.faults.failing = ""


@pytest.fixture
def source(source: Path) -> Path:
    """Four parts and a bit."""
    (source / LARGE).write_bytes(os.urandom(4 * PART + 7))
    return source


def numbers_in(s3, pattern: str) -> list[int]:
    """The numbers in those requests to the storage that match, since the last call, in order."""
    requests, s3.requests[:] = list(s3.requests), []
    return sorted(int(number) for request in requests for number in re.findall(pattern, request))


@pytest.fixture
def sent(s3):
    """The numbers of the parts that were sent since the last call."""
    s3.requests.clear()
    return functools.partial(numbers_in, s3, r"^PUT .*[?&]partNumber=(\d+)")


@pytest.fixture
def received(s3):
    """The first bytes of the ranges of the large file that were asked for since the last call."""
    return functools.partial(numbers_in, s3, rf"^GET .*{LARGE}.* bytes=(\d+)-")


def test_parts_there_and_back(registry, source, card, sent, received, tmp_path):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert sent() == [1, 2, 3, 4, 5]
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert received() == [number * PART for number in range(5)]
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def test_interrupted_publish_is_gone_on_with(registry, s3, source, card, sent, caplog):
    s3.faults.failing = "partNumber=[345]"
    with pytest.raises(MeshError, match="the storage 127.0.0.1:[0-9]* answered 503") as caught:
        registry.publish("KEYWORDS-TRAINED", source, card)
    # A signed address lets whoever reads it write.
    assert "Signature" not in "".join(traceback.format_exception(caught.value)) + own_logs(caplog)
    assert registry.list() == []
    s3.faults.failing = ""
    runs = {path.split("/")[2] for path in s3.paths()}
    sent()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert (published.version, sent()) == (1, [3, 4, 5])
    assert {path.split("/")[2] for path in s3.paths()} == runs
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def own_logs(caplog) -> str:
    """What was logged, but not by the storage, which is in this process."""
    return "".join(record.getMessage() for record in caplog.records if record.name != "werkzeug")


def test_refused_addresses(registry, s3, source, card, tmp_path):
    """As when their time is over: the file goes through the server, or as boto3 sends it."""
    s3.faults.forbidden = "partNumber=3.*X-Amz-Signature"
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    s3.faults.forbidden = "GET .*X-Amz-Signature"
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert s3.unfinished_uploads() == []


def test_part_that_is_lost_at_times(registry, source, card, tmp_path, monkeypatch):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    write, calls = parts._write, []

    def lose(response, descriptor, first, count):
        calls.append(first)
        if len(calls) % 2:
            raise ConnectionError("lost")
        return write(response, descriptor, first, count)

    monkeypatch.setattr(parts, "_write", lose)
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert len(calls) == 10


def test_storage_that_is_lost_half_way(registry, s3, source, card, sent, monkeypatch):
    """What can't be reached any more is waited for the next time: what it has is not sent again."""
    request, calls = parts._request, []

    def lose(method, address, **options):
        calls.append(address)
        if len(calls) > 3:
            address = re.sub(r"//[^/]*/", "//127.0.0.1:1/", address)
        return request(method, address, **options)

    with monkeypatch.context() as lost:
        lost.setattr(parts, "_request", lose)
        with pytest.raises(MeshError, match="the connection to the storage 127.0.0.1:1 was lost"):
            registry.publish("KEYWORDS-TRAINED", source, card)
    sent()
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 1
    assert sent() == [4, 5]


def test_file_that_changes_while_it_is_sent(registry, s3, source, card, monkeypatch):
    request = parts._request

    def change(method, address, **options):
        if "partNumber=2" in address:
            (source / LARGE).touch()
        return request(method, address, **options)

    monkeypatch.setattr(parts, "_request", change)
    with pytest.raises(MeshError, match=f"{LARGE} changed while it was being published"):
        registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []
    assert s3.paths() == s3.unfinished_uploads() == []


def test_server_that_does_not_say_what_it_can(
    server_place, source, card, sent, tmp_path, monkeypatch
):
    def fail(_):
        raise ServerInfoRequestError("busy")

    monkeypatch.setattr(remote, "fetch_server_info", fail)
    registry = open_registry(server_place.settings)
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest


def test_publisher_that_is_killed_when_the_storage_has_the_whole_file(
    kill_stopped, registry, source, card
):
    """The storage knows nothing of the upload any more, and the publisher has not noted that it has ended."""
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
def test_killed_publish_is_gone_on_with(kill_stopped, registry, s3, source, card, sent, stop, left):
    kill_stopped(PUBLISH.format(part=PART, stop=stop, source=str(source)))
    assert registry.list() == []
    runs = {path.split("/")[2] for path in s3.paths()}
    sent()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert (published.version, sent()) == (1, left)
    assert {path.split("/")[2] for path in s3.paths()} == runs
    assert registry.verify("KEYWORDS-TRAINED-1") == []
    # Nothing of it is left for the next one.
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 2
    assert sent() == [1, 2, 3, 4, 5]


def test_what_changed_since_is_published_anew(kill_stopped, registry, source, card, sent, tmp_path):
    stop = "stop_at('mlflow:MlflowClient.set_terminated')"
    kill_stopped(PUBLISH.format(part=PART, stop=stop, source=str(source)))
    with (source / LARGE).open("r+b") as file:
        file.write(b"other")
    sent()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert sent() == [1, 2, 3, 4, 5]
    registry.fetch(published.reference, tmp_path / "fetched")
    assert (tmp_path / "fetched" / LARGE).read_bytes() == (source / LARGE).read_bytes()


def test_what_is_missing_in_the_storage_is_published_anew(
    kill_stopped, registry, s3, source, card, sent
):
    stop = "stop_at('mlflow:MlflowClient.set_terminated')"
    kill_stopped(PUBLISH.format(part=PART, stop=stop, source=str(source)))
    (lost,) = (path for path in s3.paths() if path.endswith("inputs.json"))
    s3.remove(lost)
    sent()
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert sent() == [1, 2, 3, 4, 5]
    assert registry.verify(published.reference) == []


def test_interrupted_fetch_is_gone_on_with(
    registry, s3, source, card, received, tmp_path, monkeypatch
):
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    with monkeypatch.context() as lost:
        write, calls = parts._write, []

        def lose(response, descriptor, first, count):
            calls.append(first)
            if len(calls) >= 4:
                raise ConnectionError("lost")
            return write(response, descriptor, first, count)

        lost.setattr(parts, "_write", lose)
        with pytest.raises(MeshError, match="lost"):
            registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "models" / "fetched")
    assert not (tmp_path / "models" / "fetched").exists()
    received()
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "models" / "fetched")
    assert received() == [3 * PART, 4 * PART]
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


@pytest.fixture
def _unreachable(monkeypatch):
    """Nobody listens where the signed addresses lead."""
    request = parts._request

    def elsewhere(method, address, **options):
        return request(method, re.sub(r"//[^/]*/", "//127.0.0.1:1/", address), **options)

    monkeypatch.setattr(parts, "_request", elsewhere)


@pytest.mark.usefixtures("_unreachable")
def test_storage_that_only_the_server_reaches(
    server_place, registry_server, s3, source, card, tmp_path, monkeypatch
):
    registry = open_registry(server_place.settings)
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert remote._unreachable == {registry_server.url}
    assert registry.verify("KEYWORDS-TRAINED-1") == []
    # As in another process, which does not know it yet.
    monkeypatch.setattr(remote, "_unreachable", set())
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert s3.unfinished_uploads() == []


COPY = """
from mesh.registry.mlflow import parts, remote
from mesh.registry.provenance import copy_version
parts.PART = remote.PART = {part}
parts._THREADS = 1
stop_at('mesh.registry.mlflow.parts:os.pread', 4)
settings = RegistrySettings.model_validate_json({settings!r})
copy_version(open_registry(settings), registry, "KEYWORDS-TRAINED-1")
"""


def test_killed_copy_is_gone_on_with(
    kill_stopped, registry, source, card, sent, tmp_path, empty_database
):
    """The files of a copy are brought to another temporary directory each time, and their content is the same."""
    database = tmp_path / "other" / "registry.db"
    database.parent.mkdir()
    shutil.copyfile(empty_database, database)
    settings = RegistrySettings(uri=f"sqlite:///{database}", artifacts=f"{database.parent}/files")
    original = open_registry(settings).publish("KEYWORDS-TRAINED", source, card)
    text = json.dumps({"uri": settings.uri, "artifacts": settings.artifacts})
    kill_stopped(COPY.format(part=PART, settings=text))
    sent()
    copied = copy_version(open_registry(settings), registry, "KEYWORDS-TRAINED-1")
    assert sent() == [4, 5]
    assert copied.manifest == original.manifest
    assert registry.verify(copied.reference) == []
