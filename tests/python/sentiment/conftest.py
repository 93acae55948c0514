"""What the tests of the running project share."""

from collections.abc import Iterator

import pytest

from mesh.core.discovery import source_root
from mesh_command import Served
from mesh_command import up


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`mesh up sentiment` in an empty workspace, once for all tests of a process, with a model of any quality."""
    few = {
        "INGEST_SOURCE": str(source_root() / "sentiment/ingest/samples/support.jsonl"),
        "TRAIN_EPOCHS": "1",
    }
    with up("sentiment", tmp_path_factory.mktemp("workspace"), **few) as served:
        yield served
