"""`hf://` addresses with a local server that speaks the hub's protocol."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.hub import COMMIT, ask, run_hub

FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"a pickle",
    "README.md": b"# tiny",
}
PROGRAM = """
import json, sys
from mesh.core.errors import MeshError
from mesh.lifecycle.base_model import resolve_base_model
try:
    base = resolve_base_model(sys.argv[1])
except MeshError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"files": base.files, "revision": base.source.revision}))
"""


@pytest.fixture
def hub() -> Iterator[str]:
    with run_hub("models", FILES) as endpoint:
        yield endpoint


def resolve(address: str, endpoint: str, home: Path) -> Any:
    return ask(PROGRAM, address, endpoint, home)


@pytest.mark.parametrize(
    "address", ["hf://org/tiny", "hf://org/tiny@v1", f"hf://org/tiny@{COMMIT}"]
)
def test_safe_files_of_the_revision_are_downloaded(hub: str, tmp_path: Path, address: str) -> None:
    assert resolve(address, hub, tmp_path) == {
        "files": ["config.json", "model.safetensors"],
        "revision": COMMIT,
    }
    assert not list(tmp_path.rglob("pytorch_model.bin"))


def test_unknown_revision_is_a_sentence(hub: str, tmp_path: Path) -> None:
    assert "has no revision 'v9'" in str(resolve("hf://org/tiny@v9", hub, tmp_path)["error"])


def test_unknown_repository_is_a_sentence(hub: str, tmp_path: Path) -> None:
    assert "does not exist on the hub" in str(resolve("hf://org/other", hub, tmp_path)["error"])


def test_unreachable_hub_is_a_sentence(tmp_path: Path) -> None:
    with run_hub("models", FILES) as endpoint:
        pass
    assert "can't be reached" in str(resolve("hf://org/tiny", endpoint, tmp_path)["error"])


def test_model_downloaded_before_is_used_when_the_hub_is_unreachable(
    hub: str, tmp_path: Path
) -> None:
    first = resolve(f"hf://org/tiny@{COMMIT}", hub, tmp_path)
    assert resolve(f"hf://org/tiny@{COMMIT}", "http://127.0.0.1:9", tmp_path) == first
