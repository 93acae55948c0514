"""What the scripts of build-support find on PATH."""

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _python_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The `python3` of scripts is that of the tests, on machines whose own is older or absent too."""
    folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
