"""The sentiment server under load, with real weights; the registry gets the results."""

from load_suite import check_load, check_results_are_registered
from mesh_command import Served
from sentiment.project import PROJECT


def test_load_is_handled_and_the_results_are_registered(served: Served) -> None:
    results = check_load(PROJECT, served)
    check_results_are_registered(PROJECT, served, results)
