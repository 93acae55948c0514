"""The entity-fishing server under load: measured and judged."""

from pathlib import Path

from entity_fishing.project import PROJECT
from load_suite import check_load


def test_load_is_borne(tmp_path: Path) -> None:
    check_load(PROJECT, tmp_path)
