"""The summarization server under load, measured and judged."""

from load_suite import check_load
from mesh_command import Served
from summarization.project import PROJECT


def test_load_is_handled(served: Served) -> None:
    check_load(PROJECT, served)
