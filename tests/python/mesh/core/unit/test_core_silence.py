import json
import os
import subprocess
import sys

import pytest

from mesh import SILENT


@pytest.mark.parametrize("given", [{}, dict.fromkeys(SILENT, "0"), dict.fromkeys(SILENT, "")])
def test_every_import_of_the_mesh_switches_reports_off(given: dict[str, str]) -> None:
    variables = {name: value for name, value in os.environ.items() if name not in SILENT}
    paths = os.pathsep.join(path for path in sys.path if path)
    program = "import json, os, mesh; print(json.dumps(dict(os.environ)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**variables, **given, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert SILENT.items() <= json.loads(done.stdout).items()


def test_tests_are_silent() -> None:
    assert SILENT.items() <= os.environ.items()
