"""What the scripts of build-support find on PATH."""

import os
import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _python_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The `python3` of scripts is that of the tests, on machines whose own is older or absent too."""
    folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def python_of_pip_audit(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command of a Python that has the packages of pip-audit's lock."""
    built = Path("pip-audit.pex")
    if built.exists():
        monkeypatch.setenv("PEX_INTERPRETER", "1")
        return [sys.executable, str(built.resolve())]
    program = shutil.which("pip-audit")
    if program is None:
        pytest.skip("there is neither pip-audit.pex, which Pants makes, nor pip-audit on PATH")
    return [str(Path(program).with_name("python"))]
