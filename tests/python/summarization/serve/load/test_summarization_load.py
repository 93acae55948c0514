"""The summarization server under load: measured and judged."""

from pathlib import Path

from load_suite import check_load
from summarization.project import PROJECT


def test_load_is_borne(tmp_path: Path) -> None:
    check_load(PROJECT, tmp_path)
