"""Neptune servers that refuse, don't respond, die, or lose fields; in both modes of its client."""

import base64
import json
import threading

import pytest
from pydantic import SecretStr

from mesh.core.errors import MeshError
from mesh.registry.factory import open_registry
from services.neptune_server.contents import ApiError

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("_impatient")]

_NO_CONNECTION = (
    "neptune.internal.operation_processors.async_operation_processor.AsyncOperationProcessor"
)


@pytest.fixture(params=["neptune", "neptune-s3"])
def place(request):
    return request.getfixturevalue(f"{request.param.replace('-', '_')}_place")


@pytest.fixture(params=["sync", "async"])
def registry(registry_settings, request):
    return open_registry(registry_settings.model_copy(update={"client_mode": request.param}))


@pytest.fixture
def _impatient(monkeypatch):
    """Lost connections are not retried."""
    monkeypatch.setattr("neptune.common.backends.utils.retries_timeout", 0.01)
    monkeypatch.setattr("neptune.common.backends.utils.MAX_RETRY_TIME", 0.01)
    monkeypatch.setattr(f"{_NO_CONNECTION}.STOP_QUEUE_STATUS_UPDATE_FREQ_SECONDS", 0.1)
    monkeypatch.setattr(f"{_NO_CONNECTION}.STOP_QUEUE_MAX_TIME_NO_CONNECTION_SECONDS", 0.1)


def lose_connection(*arguments):
    raise ConnectionAbortedError


def answer(status):
    def refuse(*arguments):
        raise ApiError(status)

    return refuse


def complain(*arguments):
    return [{"errorDescription": "not this field"}]


def complain_of_file(*arguments):
    return {"errors": [{"errorDescription": "not this file"}]}


FAULTS = {
    "connection lost": ("executeOperations", lose_connection),
    "upload lost": ("fileAtomUpload", lose_connection),
    "token revoked": ("executeOperations", answer(401)),
    "version deleted": ("executeOperations", answer(404)),
    "quota": ("executeOperations", answer(422)),
    "fields refused": ("executeOperations", complain),
    "file refused": ("fileAtomUpload", complain_of_file),
}


@pytest.mark.parametrize(("operation", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_failures_are_errors_and_leave_no_version(
    registry, neptune_server, storage, source, card, monkeypatch, operation, fault
):
    with monkeypatch.context() as failing:
        failing.setattr(neptune_server, f"do_{operation}", fault)
        with pytest.raises(MeshError, match="neptune://team/.* failed: |did not keep all of"):
            registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []
    assert not any(path.startswith("1 ") for path in storage.paths())
    # The incomplete version keeps its number in Neptune.
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 2
    assert registry.verify("KEYWORDS-TRAINED-2") == []


@pytest.mark.parametrize("number", range(1, 6))
def test_server_that_dies_while_it_is_sent_something(
    registry, neptune_server, source, card, monkeypatch, number
):
    """The server dies after any of the requests that make a version."""
    original = neptune_server.answer
    changes: list[str] = []

    def answer_at_first(operation, *arguments):
        if operation in ("executeOperations", "fileAtomUpload", "createExperiment"):
            changes.append(operation)
        if len(changes) > number:
            raise ConnectionAbortedError
        return original(operation, *arguments)

    with monkeypatch.context() as dying:
        dying.setattr(neptune_server, "answer", answer_at_first)
        with pytest.raises(MeshError, match="neptune://team/.* failed: "):
            registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []
    published = registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == [published]
    assert registry.verify(published.reference) == []


def test_fields_that_the_server_loses_are_noticed(
    registry, neptune_server, source, card, monkeypatch
):
    store = neptune_server._store

    def forget_card(container, name, content):
        if name != "model/model_card":
            store(container, name, content)

    with monkeypatch.context() as forgetful:
        forgetful.setattr(neptune_server, "_store", forget_card)
        with pytest.raises(
            MeshError, match=r"did not keep all of KEYWORDS-TRAINED-1 .model/model_card."
        ):
            registry.publish("KEYWORDS-TRAINED", source, card)
    assert registry.list() == []


SILENT = """
try:
    registry.{action}
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("getProject", "list()"),
        ("fileAtomUpload", "publish('KEYWORDS-TRAINED', Path({source!r}), card)"),
        ("downloadAttribute", "fetch('KEYWORDS-TRAINED-1', Path({target!r}))"),
    ],
)
@pytest.mark.parametrize("place", ["neptune"], indirect=True)
@pytest.mark.parametrize("registry", ["sync"], indirect=True)
def test_server_that_does_not_respond(
    registry, neptune_server, start, source, card, tmp_path, monkeypatch, operation, action
):
    registry.publish("KEYWORDS-TRAINED", source, card)
    released = threading.Event()
    original = neptune_server.answer

    def wait(asked, *arguments):
        if asked == operation:
            released.wait()
        return original(asked, *arguments)

    monkeypatch.setattr(neptune_server, "answer", wait)
    # The client reads them when it is imported.
    monkeypatch.setenv("NEPTUNE_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("NEPTUNE_RETRIES_TIMEOUT", "1")
    code = SILENT.format(action=action.format(source=str(source), target=str(tmp_path / "target")))
    try:
        output, errors = start(code).communicate(timeout=120)
    finally:
        released.set()
    assert output.startswith("MeshError The registry neptune://team/"), (output, errors)
    assert "can't be reached" in output
    assert "Traceback" not in errors


TOGETHER = """
print(registry.publish("KEYWORDS-TRAINED", Path({source!r}), card).version)
"""


@pytest.mark.parametrize("place", ["neptune"], indirect=True)
@pytest.mark.parametrize("registry", ["sync"], indirect=True)
def test_two_processes_make_one_model(registry, neptune_server, start, source, monkeypatch):
    original = neptune_server.answer
    both = threading.Barrier(2)
    refused = []

    def answer_together(operation, query, headers, body):
        if operation == "createExperiment" and json.loads(body)["type"] == "model":
            both.wait(timeout=120)
        try:
            return original(operation, query, headers, body)
        except ApiError as error:
            refused.append(error.status)
            raise

    monkeypatch.setattr(neptune_server, "answer", answer_together)
    processes = [start(TOGETHER.format(source=str(source))) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert sorted(output for output, _ in outputs) == ["1\n", "2\n"], outputs
    assert 409 in refused
    assert [version.version for version in registry.list()] == [1, 2]


@pytest.mark.parametrize("registry", ["sync"], indirect=True)
def test_project_that_does_not_exist(registry_settings, registry):
    settings = registry_settings.model_copy(update={"uri": "neptune://team/nothing"})
    with pytest.raises(MeshError, match="neptune://team/nothing failed: .* does not exist"):
        open_registry(settings).list()


@pytest.mark.parametrize("registry", ["sync"], indirect=True)
def test_malformed_token(registry_settings, registry):
    for token in ("x", base64.b64encode(b"{}").decode()):
        settings = registry_settings.model_copy(update={"token": SecretStr(token)})
        with pytest.raises(MeshError, match="refuses the token MESH_REGISTRY_TOKEN"):
            open_registry(settings).list()


@pytest.mark.parametrize("place", ["neptune-s3"], indirect=True)
def test_killed_while_publishing(registry, registry_settings, kill_stopped, source, card):
    code = f"""
stop_at("mesh.registry.neptune.registry:NeptuneRegistry._check_sent")
registry.publish("KEYWORDS-TRAINED", Path({str(source)!r}), card)
"""
    kill_stopped(code)
    assert open_registry(registry_settings).list() == []
    assert registry.publish("KEYWORDS-TRAINED", source, card).version == 2
