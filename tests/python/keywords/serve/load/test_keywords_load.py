"""The keywords server under load, with real weights: measured, judged, and its results in the registry."""

from keywords.project import PROJECT
from load_suite import check_load, check_results_are_registered
from mesh_command import Served


def test_load_is_borne_and_the_results_are_registered(served: Served) -> None:
    results = check_load(PROJECT, served)
    check_results_are_registered(PROJECT, served, results)
