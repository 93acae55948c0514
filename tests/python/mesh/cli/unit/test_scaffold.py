"""The files that `mesh new` writes, and the names for which it writes none."""

from pathlib import Path

import pytest

from mesh.cli import scaffold as module
from mesh.cli.scaffold import scaffold
from mesh.core.errors import UsageError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository that is written into."""
    monkeypatch.setattr(module, "source_root", lambda: tmp_path / "src/python")
    return tmp_path


@pytest.mark.parametrize("kind", ["code-only", "trained"])
@pytest.mark.parametrize("name", ["alpha", "zebra"])
def test_code_has_the_form_that_checks_ask_for(root: Path, name: str, kind: str) -> None:
    written = [root / path for path in scaffold(name, kind) if path.suffix == ".py"]
    assert written
    for path in written:
        imports = [
            [line for line in block.splitlines() if line.startswith("from ")]
            for block in path.read_text().split("\n\n")
        ]
        assert imports == [sorted(block) for block in imports], path
        assert max(map(len, path.read_text().splitlines()), default=0) <= 100, path


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
        "# Download: 1 MB\nkfp==2.14.3 \\\n    --hash=sha256:0\ngoogle-auth==2.0 \\\nMany.Words==1\n"
    )
    (root / "build-support/ci/planning").mkdir(parents=True)
    (root / "build-support/ci/planning/graph.py").touch()
    (root / "tests/python").mkdir(parents=True)
    (root / "tests/python/echo.py").touch()
    with pytest.raises(UsageError, match=f"'{name}' is the name of a Python module already"):
        scaffold(name, "code-only")
    assert not (root / "src").exists()
