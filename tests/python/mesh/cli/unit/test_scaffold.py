"""The files that `mesh new` writes, and the names that it refuses."""

import random
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.cli import scaffold as module
from mesh.cli.scaffold import scaffold
from mesh.core.errors import UsageError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository to write into."""
    monkeypatch.setattr(module, "source_root", lambda: tmp_path / "src/python")
    return tmp_path


def names() -> list[str]:
    """A name of each length from 1 to 40: as one word and, from 3, as several."""
    letters = string.ascii_lowercase + string.digits
    made = []
    for length in range(1, 41):
        numbers = random.Random(length)
        word = "z" + "".join(numbers.choice(letters) for _ in range(length - 1))
        made.append(word)
        if length > 2:
            hyphens = range(1 + numbers.randrange(2), length - 1, 2 + numbers.randrange(7))
            made.append("".join("-" if at in hyphens else word[at] for at in range(length)))
    return made


@pytest.mark.parametrize("kind", ["code-only", "trained"])
def test_files_pass_the_checks_whatever_the_name(root: Path, kind: str) -> None:
    written = [root / path for name in names() for path in scaffold(name, kind)]
    checked = [path for path in written if path.suffix == ".py" or path.name == "BUILD"]
    shutil.copy("pyproject.toml", root)
    here = Path.cwd()
    for tool, arguments in (
        ("black", ["--check", "--quiet", *map(str, checked)]),
        ("ruff", ["check", "--no-cache", *(str(path) for path in checked if path.suffix == ".py")]),
    ):
        check = subprocess.run(
            [sys.executable, here / f"{tool}.pex", *arguments],
            cwd=root,
            capture_output=True,
            text=True,
        )
        assert check.returncode == 0, check.stdout[-2000:] + check.stderr[-2000:]


@pytest.mark.parametrize(("kind", "files", "lines"), [("code-only", 10, 150), ("trained", 14, 152)])
def test_new_project_is_small(root: Path, kind: str, files: int, lines: int) -> None:
    written = [root / path for path in scaffold("topic-labels", kind)]
    assert len(written) <= files
    assert sum(len(path.read_text().splitlines()) for path in written) <= lines


@pytest.mark.parametrize("name", ["Topic", "9lives", "a_b", "../evil", "-x", "class name"])
def test_malformed_name_is_refused(root: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not a project name") as caught:
        scaffold(name, "code-only")
    assert str(caught.value).startswith(repr(name))
    assert not list(root.iterdir())


@pytest.mark.parametrize(
    "name", ["mesh", "json", "rich", "lambda", "kfp", "google", "many-words", "planning", "echo"]
)
def test_name_of_another_module_is_refused(root: Path, name: str) -> None:
    (root / "3rdparty/python").mkdir(parents=True)
    (root / "3rdparty/python/pipelines.lock").write_text(
        "# Download: 1 MB\nkfp==2.14.3 \\\n    --hash=sha256:0\ngoogle-auth==2.0 "
        "\\\nMany.Words==1\n"
    )
    (root / "build-support/ci/planning").mkdir(parents=True)
    (root / "build-support/ci/planning/graph.py").touch()
    (root / "tests/python").mkdir(parents=True)
    (root / "tests/python/echo.py").touch()
    with pytest.raises(UsageError, match=f"'{name}' is already the name of a Python module"):
        scaffold(name, "code-only")
    assert not (root / "src").exists()
