"""Fixtures of the tests of the running project."""

from collections.abc import Iterator

import pytest

import few_rows
from mesh_command import Served, up


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`mesh up sentiment` in an empty workspace, once for all tests of a process."""
    rows = few_rows.write_rows("sentiment", tmp_path_factory.mktemp("rows"))
    settings = {"INGEST_SOURCE": str(rows), **few_rows.SETTINGS}
    with up("sentiment", tmp_path_factory.mktemp("workspace"), **settings) as served:
        yield served
