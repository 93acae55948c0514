"""The states of steps before and after their runs, and the changed inputs that they name."""

import json
from typing import Any

import pytest

from mesh.core.errors import MeshError
from mesh.core.status import NEVER_RUN, Status
from mesh.data.manifest import DataManifest
from mesh.data.store import DataStore
from mesh.lifecycle import ingest, register, status
from mesh.lifecycle.ingest_settings import IngestSettings
from mesh.lifecycle.register import RegisterSettings
from mesh.lifecycle.training.planning import fine_tuning_status
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.settings import RegistrySettings


@pytest.fixture(autouse=True)
def _registry_is_read_anew() -> None:
    status.read_registry.cache_clear()


def trained(tiny: Any, **settings: Any) -> Status:
    status.read_registry.cache_clear()
    return fine_tuning_status(
        tiny.recipe,
        tiny.recipe.training,
        FineTuneSettings(**tiny.settings(**settings)),
        tiny.workspace,
        tiny.data,
        tiny.registry_settings,
    )


def test_training_that_never_ran_opens_no_registry(tiny: Any) -> None:
    assert trained(tiny) == NEVER_RUN
    assert not (tiny.workspace.workspace / "registry.db").exists()


def test_training_is_up_to_date_until_an_input_changes(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.train(epochs=1)
    assert trained(tiny, epochs=1) == Status("up to date", "TINY-TRAINED-1")
    changed = trained(tiny, epochs=1, seed=2)
    assert changed == Status("out of date", "TINY-TRAINED-1", ("setting seed (1 -> 2)",))
    assert trained(tiny, epochs=1, device="auto").state == "up to date"

    monkeypatch.setattr("mesh.core.inputs.package_versions", lambda _: {"torch": "0.1"})
    because = trained(tiny, epochs=1).because
    assert any(reason.startswith("package torch (") and "-> 0.1" in reason for reason in because)


def test_version_that_records_no_inputs(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.train(epochs=1)
    [version] = tiny.registry.list()
    old = version.card.model_copy(update={"made_from": {}, "fingerprint": "0" * 64})
    monkeypatch.setattr(
        status, "registered", lambda *_: [type(version)(**{**vars(version), "card": old})]
    )
    assert trained(tiny, epochs=1).because == ("other inputs, which the version doesn't record",)


def test_data_is_up_to_date_until_an_input_changes(tiny: Any) -> None:
    dataset = tiny.recipe.training.dataset
    source = tiny.workspace.workspace / "rows.jsonl"
    ingested = IngestSettings(source=str(source))
    prepared = RegisterSettings(near_duplicate=1, related=1, other_language=1, seed=2)

    def states() -> tuple[Status, Status]:
        return (
            ingest.status(dataset, ingested, tiny.workspace, tiny.data),
            register.status(dataset, prepared, tiny.workspace, tiny.data),
        )

    assert [state.state for state in states()] == ["up to date"] * 2
    other = RegisterSettings(near_duplicate=1, related=1, other_language=1, seed=9)
    assert register.status(dataset, other, tiny.workspace, tiny.data).because == (
        "setting seed (2 -> 9)",
    )

    with source.open("a") as file:
        file.write(json.dumps({"text": "more", "label": "bad", "language": "en", "domain": "x"}))
    assert states()[0].because == ("data",)
    ingest.ingest(dataset, ingested, tiny.workspace, tiny.data)
    raw, features = states()
    assert raw.state == "up to date"
    assert (features.state, features.because) == ("out of date", ("data",))


def test_data_that_was_never_stored(tiny: Any) -> None:
    data = tiny.data.model_copy(update={"root": str(tiny.workspace.workspace / "nothing")})
    dataset = tiny.recipe.training.dataset
    source = IngestSettings(source=str(tiny.workspace.workspace / "rows.jsonl"))
    assert ingest.status(dataset, source, tiny.workspace, data) == NEVER_RUN
    assert register.status(dataset, RegisterSettings(), tiny.workspace, data) == NEVER_RUN


def test_manifest_without_inputs_is_read(tiny: Any) -> None:
    manifest = DataStore(tiny.recipe.project, "raw", tiny.data).get()
    old = json.loads(manifest.model_dump_json())
    assert "data" in old.pop("made_from")
    assert DataManifest.model_validate(old).made_from == {}


def test_registry_that_can_not_be_reached_is_tried_once(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fail(settings: RegistrySettings) -> None:
        tried.append(settings)
        raise MeshError("The registry can't be reached.")

    monkeypatch.setattr(status, "open_registry", fail)
    settings = RegistrySettings(uri="http://127.0.0.1:9")
    for _ in range(2):
        with pytest.raises(MeshError, match="can't be reached"):
            status.registered(settings, "TINY-TRAINED")
    assert len(tried) == 1
