from pathlib import Path
from typing import Any

import matrix
import pytest


def item(target: str, **more: Any) -> dict[str, Any]:
    return {"target": target, "tags": [], **more}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with two projects, one of which is compiled for Neuron."""
    for package, backend in (("keywords", "onnx"), ("entity_linking", "neuron")):
        folder = tmp_path / "src/python" / package / "compile/config"
        folder.mkdir(parents=True)
        (folder / "prod.env").write_text(f"# COMPILE_BACKEND=generic\nCOMPILE_BACKEND={backend}\n")
    return tmp_path


def plan(**parts: Any) -> dict[str, Any]:
    return {"checks": [], "tests": [], "pex": [], "images": [], "models": [], **parts}


def test_nothing_to_do(root: Path) -> None:
    assert matrix.jobs(root, plan()) == {
        "checks": False,
        "shards": [],
        "images": [],
        "vendors": [],
        "train": [],
        "compile": [],
    }


def test_models_are_compiled_and_where_needed_trained_first(root: Path) -> None:
    models = [
        item("entity_linking", first="train:train"),
        item("keywords", first="compile:download"),
    ]

    found = matrix.jobs(root, plan(models=models))

    assert found["train"] == ["entity-linking"]
    assert found["compile"] == [
        {"project": "entity-linking", "machine": "inf2.xlarge"},
        {"project": "keywords", "machine": ""},
    ]
    assert found["images"] == ["entity-linking", "keywords"]


@pytest.mark.parametrize(
    ("tags", "expected"), [(["functional", "containers"], ["mesh"]), (["unit"], [])]
)
def test_tests_of_containers_need_images(root: Path, tags: list[str], expected: list[str]) -> None:
    target = "tests/python/containers/functional/test_project_life.py"
    tests = [item(target) | {"tags": tags, "files": ["docker/compose.yaml"]}]

    assert matrix.jobs(root, plan(tests=tests))["images"] == expected


def test_images_of_vendors_are_parts_of_their_own(root: Path) -> None:
    images = [item("docker/gpu-base:image") | {"tags": ["vendor"]}]

    found = matrix.jobs(root, plan(images=images))

    assert (found["images"], found["vendors"]) == ([], ["gpu-base"])


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        (0, []),
        (1, ["0/1"]),
        (40, ["0/1"]),
        (41, ["0/2", "1/2"]),
        (10_000, ["0/4", "1/4", "2/4", "3/4"]),
    ],
)
def test_tests_are_split(tests: int, expected: list[str]) -> None:
    assert matrix.shards(tests) == expected
