"""`serve:download` of tiny compiled versions."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from mesh.compile.spec import CompileSpec
from mesh.core.card import ARTIFACTS, COMPILED, ModelCard
from mesh.lifecycle.serve_download import ServeDownloadSettings, download


@pytest.fixture
def publish(tiny: Any, tmp_path: Path) -> Any:
    """Register a compiled version for a backend, without a network."""

    def make(backend: str) -> str:
        directory = tmp_path / "made"
        shutil.rmtree(directory, ignore_errors=True)
        (directory / COMPILED).mkdir(parents=True)
        fields = {"task": "sentence-embedding", "backend": backend, "pooling": "mean"}
        lengths = {"dimension": 4, "max_length": 8, "length_buckets": (8,)}
        CompileSpec.model_validate({**fields, **lengths}).write(directory / COMPILED)
        card = ModelCard(
            project="tiny", model_type="compiled", code_revision="a", fingerprint=backend
        )
        return str(tiny.registry.publish("TINY-COMPILED", directory, card).reference)

    return make


def fetch(tiny: Any) -> list[str]:
    """Download the latest version; return the names in `models/`."""
    download(tiny.recipe.project, ServeDownloadSettings(), tiny.workspace, tiny.registry_settings)
    return sorted(path.name for path in tiny.workspace.models.iterdir())


@pytest.mark.parametrize(("backend", "said"), [("onnx", False), ("neuron", True)])
def test_download_says_what_serves_the_version(
    tiny: Any, publish: Any, caplog: pytest.LogCaptureFixture, backend: str, said: bool
) -> None:
    reference = publish(backend)
    assert fetch(tiny) == [reference, "TINY-COMPILED.json"]
    assert (tiny.workspace.models / reference / ARTIFACTS).is_dir()
    assert ("`mesh up` serves it" in caplog.text) is said


def test_next_download_removes_what_killed_ones_left_of_other_versions(
    tiny: Any, publish: Any
) -> None:
    reference = publish("onnx")
    for name in (".TINY-COMPILED-7.x1.partial", ".OTHER-COMPILED-7.x1.partial"):
        (tiny.workspace.models / name).mkdir(parents=True)
    assert fetch(tiny) == [".OTHER-COMPILED-7.x1.partial", reference, "TINY-COMPILED.json"]
