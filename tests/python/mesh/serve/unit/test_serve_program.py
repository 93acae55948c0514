from pathlib import Path
from typing import Any

import pytest

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.serving_defaults import SERVING
from mesh.serve.program import with_defaults_of
from mesh.serve.settings import ServeSettings

MEASURED = {"max_batch": 4, "batch_wait_ms": 1.5}


@pytest.fixture
def version(tmp_path: Path) -> Any:
    """Makes the directory of a version whose card has settings."""

    def make(**settings: Any) -> Path:
        card = ModelCard(
            project="p", model_type="compiled", code_revision="", fingerprint="f", settings=settings
        )
        card.write(tmp_path)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, (4, 1.5)),
        ({"max_batch": 16}, (16, 1.5)),
        # What is set counts, also where it is the default.
        ({"max_batch": 8, "batch_wait_ms": 0}, (8, 0)),
    ],
)
def test_what_was_measured_holds_unless_it_is_set(
    version: Any, chosen: dict[str, Any], expected: tuple[int, float]
) -> None:
    settings = with_defaults_of(version(serving=MEASURED), ServeSettings(**chosen))
    assert (settings.max_batch, settings.batch_wait_ms) == expected
    assert settings.queue_size == ServeSettings().queue_size


def test_variables_count_as_set(version: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVE_BATCH_WAIT_MS", "0")
    settings = with_defaults_of(version(serving=MEASURED), ServeSettings())
    assert (settings.max_batch, settings.batch_wait_ms) == (4, 0)


def test_versions_and_models_without_a_measurement_have_the_usual_defaults(
    version: Any, tmp_path: Path
) -> None:
    usual = ServeSettings()
    assert with_defaults_of(None, usual) == usual
    assert with_defaults_of(version(compile={}), usual) == usual
    assert with_defaults_of(tmp_path / "nowhere", usual) == usual


def test_a_malformed_measurement_is_named(version: Any) -> None:
    with pytest.raises(MeshError, match=f"is malformed: {SERVING}: max_batch"):
        with_defaults_of(version(serving={"max_batch": 0, "batch_wait_ms": 0}), ServeSettings())
