"""What the fingerprints of all projects are made of, read from the sources that are here."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mesh.core.closure import Closure, find_closure
from mesh.core.roots import (
    INGESTING,
    NOT_COMPILING,
    NOT_DECIDING,
    NOT_REGISTERING,
    NOT_TRAINING,
    PREDICTING,
    REGISTERING,
    TRAINING,
    compiling,
    loading,
)

SOURCES = Path("src/python").resolve()
TRAINED = sorted(path.parent.name for path in SOURCES.glob("*/recipe.py"))
WITH_DATA = sorted(path.parent.name for path in SOURCES.glob("*/dataset.py"))
BACKENDS = ("generic", "neuron", "onnx")

Roots = tuple[tuple[str, ...], Mapping[str, str]]


def all_roots() -> Iterator[tuple[str, Roots]]:
    """The roots of every result with a fingerprint, and what is excluded beside `NOT_DECIDING`."""
    for package in TRAINED:
        recipe = f"{package}.recipe"
        yield f"{package} base", ((recipe, *PREDICTING), NOT_TRAINING)
        if package in WITH_DATA:
            data = f"{package}.dataset"
            yield f"{package} raw", ((data, *INGESTING), {})
            yield f"{package} features", ((data, *REGISTERING), NOT_REGISTERING)
            yield f"{package} trained", ((recipe, *PREDICTING, *TRAINING), NOT_TRAINING)
    for backend in BACKENDS:
        yield backend, (compiling(backend), NOT_COMPILING)
    yield "keywords' files", (("keywords.extra_files", loading("onnx")), {})
    yield "languages", (("mesh.lifecycle.languages",), {})


ALL = dict(all_roots())


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources."""
    return shutil.copytree(SOURCES, tmp_path_factory.mktemp("copy") / "python")


def closure(name: str, root: Path = SOURCES) -> Closure:
    modules, excluded = ALL[name]
    return find_closure(modules, (*NOT_DECIDING, *excluded), root)


def test_projects_are_here() -> None:
    assert {"keywords", "ner", "sentiment"} <= set(TRAINED)
    assert {"ner", "sentiment"} <= set(WITH_DATA)


@pytest.mark.parametrize("name", ALL)
def test_change_of_each_file_changes_the_fingerprint(name: str, copy: Path) -> None:
    before = closure(name, copy)
    digests = before.digests()
    assert len(digests) > 1 or name == "languages"
    for path, file in before.files.items():
        content = file.read_bytes()
        file.write_bytes(content + b"\n# changed\n")
        after = closure(name, copy).digests()
        file.write_bytes(content)
        assert {key for key in digests if after.get(key) != digests[key]} == {path}
    assert closure(name, copy).digests() == digests


@pytest.mark.parametrize("name", ALL)
def test_planted_import_is_found(name: str, copy: Path) -> None:
    before = closure(name, copy)
    path, file = max(item for item in before.files.items() if item[0].endswith(".py"))
    content = file.read_bytes()
    planted = copy / "mesh/planted.py"
    planted.write_text("import planted_package")
    file.write_bytes(content + b"\ndef later():\n    import mesh.planted\n")
    after = closure(name, copy)
    file.write_bytes(content)
    planted.unlink()
    assert set(after.files) == {*before.files, "mesh/planted.py"}, path
    assert after.imports == {*before.imports, "planted_package"}


@pytest.mark.parametrize("name", ALL)
def test_server_registry_and_command_line_do_not_count(name: str) -> None:
    folders = ("mesh/registry/", "mesh/serve/", "mesh/loadtest/", "mesh/cli/")
    assert {path for path in closure(name).files if path.startswith(folders)} <= {
        # Requests are parsed alike for the predictions that are stored.
        "mesh/serve/documents.py"
    }
    assert not {"mlflow", "starlette", "hypercorn"} & closure(name).imports


def test_code_that_was_forgotten_once_counts() -> None:
    files = closure("keywords base").files
    assert {"keywords/embeddings.py", "mesh/serve/documents.py"} <= set(files)
    assert "ner/train/names/surnames.txt" in closure("ner trained").files


def test_code_that_runs_a_compiled_model_does_not_compile_it_anew() -> None:
    files = closure("onnx").files
    assert not [path for path in files if "loaders" in path or path.endswith("artifact.py")]
    assert "mesh/compile/compilers/neuron.py" not in files
    # Their vocabulary is made by running it.
    assert "mesh/compile/loaders/onnx.py" in closure("keywords' files").files


EXCLUSIONS = {**NOT_DECIDING, **NOT_REGISTERING, **NOT_TRAINING, **NOT_COMPILING}


@pytest.mark.parametrize("pattern", EXCLUSIONS)
def test_each_exclusion_excludes_something(pattern: str) -> None:
    """A name that is left here when its module is gone or renamed would exclude nothing."""
    for modules, excluded in ALL.values():
        patterns = (*NOT_DECIDING, *excluded)
        if pattern in patterns:
            without = [one for one in patterns if one != pattern]
            with_all = find_closure(modules, patterns, SOURCES)
            found = find_closure(modules, without, SOURCES)
            if (found.files, found.imports) != (with_all.files, with_all.imports):
                return
    pytest.fail(f"{pattern} excludes nothing")
