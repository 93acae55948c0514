import subprocess
import sys
from pathlib import Path

import import_cycles
import pytest


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for root in import_cycles.ROOTS:
        (tmp_path / root).mkdir(parents=True, exist_ok=True)
    write(tmp_path, "src/python/mesh/__init__.py")
    write(tmp_path, "src/python/mesh/data.py", "import json", "from mesh import words")
    write(tmp_path, "src/python/mesh/words.py", "import re")
    return tmp_path


def write(repository: Path, name: str, *lines: str) -> None:
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


def sentences(repository: Path) -> list[str]:
    imports = import_cycles.read_imports(repository)
    cycles = import_cycles.find_cycles(imports)
    return [import_cycles.describe(cycle, imports) for cycle in cycles]


def test_modules_that_only_import_downwards_are_no_cycle(repository: Path) -> None:
    assert sentences(repository) == []


@pytest.mark.parametrize(
    "lines",
    [
        ["import mesh.data"],
        ["from mesh.data import rows"],
        ["from mesh import data"],
        ["from . import data"],
        ["from .data import rows"],
        ["def late():", "    import mesh.data"],
        ["if TYPE_CHECKING:", "    import typing", "else:", "    import mesh.data"],
        ["try:", "    import mesh.data", "except ImportError:", "    pass"],
    ],
)
def test_two_modules_that_import_each_other_are_found(repository: Path, lines: list[str]) -> None:
    write(repository, "src/python/mesh/words.py", *lines)

    (line,) = (number for number, text in enumerate(lines, start=1) if "data" in text)
    assert sentences(repository) == [
        f"mesh.data imports mesh.words (src/python/mesh/data.py:2), "
        f"which imports mesh.data (src/python/mesh/words.py:{line})."
    ]


def test_cycle_around_corners_is_found(repository: Path) -> None:
    write(repository, "src/python/mesh/words.py", "import mesh.corner.first")
    write(repository, "src/python/mesh/corner/first.py", "from . import second")
    write(repository, "src/python/mesh/corner/second.py", "", "import mesh.data")

    assert sentences(repository) == [
        "mesh.corner.first imports mesh.corner.second (src/python/mesh/corner/first.py:1), "
        "which imports mesh.data (src/python/mesh/corner/second.py:2), "
        "which imports mesh.words (src/python/mesh/data.py:2), "
        "which imports mesh.corner.first (src/python/mesh/words.py:1)."
    ]


def test_scripts_import_each_other_by_their_names_alone(repository: Path) -> None:
    write(repository, "build-support/ci/plan.py", "import matrix")
    write(repository, "build-support/ci/matrix.py", "import plan")
    write(repository, "build-support/docker/kinds.py", "import matrix")

    assert sentences(repository) == [
        "matrix imports plan (build-support/ci/matrix.py:1), "
        "which imports matrix (build-support/ci/plan.py:1)."
    ]


def test_imports_for_type_checkers_are_no_cycle(repository: Path) -> None:
    write(
        repository, "src/python/mesh/words.py", "if typing.TYPE_CHECKING:", "    import mesh.data"
    )

    assert sentences(repository) == []


def test_program_fails_with_a_sentence_for_each_cycle(repository: Path) -> None:
    script = repository / "build-support/ci/import_cycles.py"
    script.write_bytes(Path(import_cycles.__file__).read_bytes())

    def run() -> tuple[int, str]:
        result = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True)
        return result.returncode, result.stdout

    assert run()[0] == 0
    write(repository, "src/python/mesh/words.py", "import mesh.data")
    code, printed = run()
    assert code == 1
    assert printed.startswith("mesh.data imports mesh.words ")
