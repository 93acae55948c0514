"""The entity-fishing server under load, measured and judged."""

from entity_fishing.project import PROJECT
from load_suite import check_load
from mesh_command import Served


def test_load_is_handled(served: Served) -> None:
    check_load(PROJECT, served)
