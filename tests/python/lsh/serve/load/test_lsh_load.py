"""The lsh server under load, measured and judged."""

from pathlib import Path

from load_suite import check_load
from lsh.project import PROJECT
from mesh_command import up


def test_load_is_handled(tmp_path: Path) -> None:
    with up("lsh", tmp_path) as served:
        check_load(PROJECT, served)
