"""The folder of a training, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

TRAIN = """
import sys
from pathlib import Path
from mesh.core.files import temporary_folder
from mesh.lifecycle.training.checkpoints import open_work, remove_work

with temporary_folder(), open_work(Path(sys.argv[1]), "1", alone=True) as work:
    import matplotlib.font_manager
    remove_work(work)
"""


def test_training_without_a_home_ends_without_a_word_about_its_folders(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    paths = os.pathsep.join(map(os.path.abspath, sys.path))
    ended = subprocess.run(
        [sys.executable, "-c", TRAIN, tmp_path / "checkpoints"],
        env={"PYTHONPATH": paths, "HOME": "/proc/nowhere", "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in ended.stderr
    assert list(temporary.iterdir()) == []
