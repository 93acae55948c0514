"""Fixtures of the tests of the running project."""

from collections.abc import Iterator

import pytest

from mesh_command import Served, up


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`mesh up entity-fishing` in an empty workspace, once for all tests of a process."""
    with up("entity-fishing", tmp_path_factory.mktemp("workspace")) as served:
        yield served
