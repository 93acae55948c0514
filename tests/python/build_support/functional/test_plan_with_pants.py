"""Plans of commits to a real repository, by real Pants: what is in each, and nothing else."""

import json
import shutil
from collections.abc import Iterator

import pytest

from build_support.functional.plan_repository import (
    EVERY_IMAGE,
    EVERY_PEX,
    EVERY_TEST,
    KEYWORDS,
    SHOUT,
    TESTS,
    PlanRepository,
)
from build_support.functional.small_repository import require_pants


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlanRepository]:
    require_pants()
    if not shutil.which("git"):
        pytest.skip("there is no git")
    repository = PlanRepository(tmp_path_factory.mktemp("repository"))
    yield repository
    repository.stop()


@pytest.fixture
def repository(shared: PlanRepository) -> Iterator[PlanRepository]:
    yield shared
    shared.reset()


def planned(repository: PlanRepository) -> dict[str, set[str]]:
    """The parts of the plan that are not empty; a model with its first step."""
    repository.commit()
    plan = repository.plan()
    found = {
        part: {
            f"{item['target']} from {item['first']}" if part == "models" else item["target"]
            for item in plan[part]
        }
        for part in ("checks", "tests", "pex", "images", "models")
    }
    return {part: items for part, items in found.items() if items}


def test_nothing_and_documentation_need_nothing_and_no_pants(repository: PlanRepository) -> None:
    repository.write("pants", "#!/bin/sh\nexit 1\n")
    repository.commit()
    base = repository.git("rev-parse", "HEAD").strip()

    repository.append("docs/build.md")
    repository.append("README.md")
    repository.commit()

    for revision in ("HEAD", base):
        result = repository.script("plan", "--base", revision)
        assert result.returncode == 0, result.stderr
        assert "nothing to check, test, package or make again" in result.stdout


def test_library(repository: PlanRepository) -> None:
    repository.append("src/python/mesh/core/text.py")

    assert planned(repository) == {
        "checks": {
            "src/python/mesh/core/text.py@resolve=models",
            f"{KEYWORDS}/model.py@resolve=models",
            f"{KEYWORDS}/recipe.py:making",
            f"{KEYWORDS}/train:train",
            f"{KEYWORDS}/compile:trace",
            f"{KEYWORDS}/serve:serve",
            f"{TESTS}/mesh/test_text.py",
            f"{TESTS}/keywords/test_model.py",
            f"{TESTS}/keywords/test_trace.py",
            f"{TESTS}/keywords/test_image.py",
        },
        "tests": EVERY_TEST - {f"{TESTS}/shout/test_shout.py", f"{TESTS}/keywords/test_words.py"},
        "pex": {f"{KEYWORDS}/{component}:srcs" for component in ("train", "compile", "serve")},
        "images": {f"{KEYWORDS}/serve:image"},
        # The model that makes the predictions imports it.
        "models": {"keywords from train:train"},
    }


def test_reason_is_the_file_and_the_way_from_it(repository: PlanRepository) -> None:
    repository.append("src/python/mesh/core/text.py")
    repository.append(f"{KEYWORDS}/serve/serve.py")
    repository.commit()

    (image,) = repository.plan()["images"]

    assert image["reason"] == {
        "file": f"{KEYWORDS}/serve/serve.py",
        "kind": "modified",
        "through": [f"{KEYWORDS}/serve:serve", f"{KEYWORDS}/serve:srcs"],
    }
    assert image["files"] == [f"{KEYWORDS}/serve/serve.py", "src/python/mesh/core/text.py"]


def test_project_file_of_one_server(repository: PlanRepository) -> None:
    repository.append(f"{SHOUT}/loud.py")

    assert planned(repository) == {
        "checks": {f"{SHOUT}/loud.py", f"{SHOUT}/serve.py", f"{TESTS}/shout/test_shout.py"},
        "tests": {f"{TESTS}/shout/test_shout.py"},
        "pex": {f"{SHOUT}:srcs"},
        "images": {f"{SHOUT}:image"},
    }


def test_what_determines_the_compiled_model(repository: PlanRepository) -> None:
    repository.append(f"{KEYWORDS}/words.py")

    assert planned(repository) == {
        "checks": {
            f"{KEYWORDS}/words.py@resolve=models",
            f"{KEYWORDS}/extra_files.py:making",
            f"{KEYWORDS}/recipe.py:making",
            f"{KEYWORDS}/train:train",
            f"{KEYWORDS}/compile:trace",
            f"{TESTS}/keywords/test_trace.py",
            f"{TESTS}/keywords/test_words.py",
        },
        "tests": {f"{TESTS}/keywords/test_trace.py", f"{TESTS}/keywords/test_words.py"},
        "pex": {f"{KEYWORDS}/train:srcs", f"{KEYWORDS}/compile:srcs"},
        "models": {"keywords from compile:download"},
    }


def test_import_of_another_requirement(repository: PlanRepository) -> None:
    repository.append(f"{SHOUT}/loud.py", "import numpy\nN = numpy\n")

    assert planned(repository) == {
        "checks": {f"{SHOUT}/loud.py", f"{SHOUT}/serve.py", f"{TESTS}/shout/test_shout.py"},
        "tests": {f"{TESTS}/shout/test_shout.py"},
        "pex": {f"{SHOUT}:srcs", f"{SHOUT}:deps"},
        "images": {f"{SHOUT}:image"},
    }


def test_build_file_of_tests(repository: PlanRepository) -> None:
    repository.write(f"{TESTS}/shout/BUILD", 'python_tests(resolve="serving", tags=["slow"])\n')

    assert planned(repository) == {"checks": {"::"}, "tests": {f"{TESTS}/shout/test_shout.py"}}


def test_build_file_above(repository: PlanRepository) -> None:
    repository.write("BUILD", "__defaults__({docker_image: dict(skip_push=True)})\n")

    assert planned(repository) == {
        "checks": {"::"},
        "images": EVERY_IMAGE,
        "tests": {f"{TESTS}/keywords/test_image.py"},
    }


def test_lock_of_the_servers(repository: PlanRepository) -> None:
    path = "3rdparty/python/serving.lock"
    repository.write(path, "numpy==2.4.6\nstarlette==1.11\n")

    assert planned(repository) == {
        "checks": {
            f"{KEYWORDS}/model.py@resolve=serving",
            f"{KEYWORDS}/serve:serve",
            f"{SHOUT}/serve.py",
            f"{TESTS}/keywords/test_image.py",
        },
        "tests": {f"{TESTS}/keywords/test_image.py"},
        "pex": {f"{KEYWORDS}/serve:deps", f"{SHOUT}:deps"},
        "images": {f"{KEYWORDS}/serve:image", f"{SHOUT}:image"},
    }


@pytest.mark.parametrize(
    ("old", "new", "models"),
    [
        ("torch==2.13.0", "torch==2.14.0", {"keywords from train:train"}),
        ("little-weights==1.0", "little-weights==1.1", {"keywords from train:train"}),
        ("keybert==0.9", "keybert==1.0", {"keywords from compile:download"}),
        ("starlette==1.10", "starlette==1.11", set()),
    ],
)
def test_lock_of_the_models(
    repository: PlanRepository, old: str, new: str, models: set[str]
) -> None:
    path = repository.folder / "3rdparty/python/models.lock"
    path.write_text(path.read_text().replace(old, new))

    plan = planned(repository)

    assert plan.pop("models", set()) == models
    assert plan == {
        "checks": {
            f"{KEYWORDS}/model.py@resolve=models",
            f"{KEYWORDS}/recipe.py:making",
            f"{KEYWORDS}/train:train",
            f"{KEYWORDS}/compile:trace",
            "src/python/mesh/compile/compilers/generic.py",
            "src/python/mesh/compile/compilers/onnx.py",
            "src/python/mesh/lifecycle/recipe.py",
            "src/python/mesh/lifecycle/train.py",
            f"{TESTS}/keywords/test_model.py",
            f"{TESTS}/keywords/test_trace.py",
        },
        "tests": {f"{TESTS}/keywords/test_model.py", f"{TESTS}/keywords/test_trace.py"},
        "pex": {f"{KEYWORDS}/train:deps", f"{KEYWORDS}/compile:deps"},
    }


def test_lock_of_pytest(repository: PlanRepository) -> None:
    repository.write("3rdparty/python/tools/pytest.lock", "pytest==9.1\n")

    assert planned(repository) == {"tests": EVERY_TEST}


def test_lock_of_mypy(repository: PlanRepository) -> None:
    repository.write("3rdparty/python/tools/mypy.lock", "mypy==2.5\n")

    assert planned(repository) == {"checks": {"::"}}


@pytest.mark.parametrize(
    "file", ["pants.toml", "pyproject.toml", "build-support/macros/resolves.py"]
)
def test_settings_of_the_build(repository: PlanRepository, file: str) -> None:
    repository.append(file, "\n# changed\n")

    assert planned(repository) == {
        "checks": {"::"},
        "tests": EVERY_TEST,
        "pex": EVERY_PEX,
        "images": EVERY_IMAGE,
    }


def test_file_that_no_target_owns(repository: PlanRepository) -> None:
    repository.append("Makefile")
    repository.append("docs/build.md")

    assert planned(repository) == {
        "checks": {"::"},
        "tests": EVERY_TEST,
        "pex": EVERY_PEX,
        "images": EVERY_IMAGE,
    }
    assert "Makefile modified, and no target" in repository.plan()["everything"]


def test_core_image(repository: PlanRepository) -> None:
    repository.append("docker/python-base/Dockerfile", "RUN true\n")

    assert planned(repository) == {
        "checks": {f"{TESTS}/keywords/test_image.py"},
        "images": EVERY_IMAGE - {"docker/gpu-base:image"},
        "tests": {f"{TESTS}/keywords/test_image.py"},
    }


def test_deleted_module_that_is_still_imported(repository: PlanRepository) -> None:
    (repository.folder / SHOUT / "loud.py").unlink()

    assert planned(repository) == {
        "checks": {"::"},
        "tests": {f"{TESTS}/shout/test_shout.py"},
        "pex": {f"{SHOUT}:srcs"},
        "images": {f"{SHOUT}:image"},
    }


def test_renamed_module(repository: PlanRepository) -> None:
    repository.git("mv", f"{SHOUT}/loud.py", f"{SHOUT}/noise.py")
    repository.write(f"{SHOUT}/serve.py", "import starlette\nfrom shout.noise import LOUD\n")

    assert planned(repository) == {
        "checks": {"::"},
        # It was not edited, and imports what is gone.
        "tests": {f"{TESTS}/shout/test_shout.py"},
        "pex": {f"{SHOUT}:srcs"},
        "images": {f"{SHOUT}:image"},
    }


def test_deleted_data(repository: PlanRepository) -> None:
    repository.write(f"{KEYWORDS}/serve/config/prod.env", "SERVE_PORT=2\n")
    repository.commit()
    repository.base, before = repository.git("rev-parse", "HEAD").strip(), repository.base
    (repository.folder / KEYWORDS / "serve/config/prod.env").unlink()

    try:
        assert planned(repository) == {
            "checks": {"::"},
            "tests": {f"{TESTS}/keywords/test_image.py"},
            "pex": {f"{KEYWORDS}/serve:srcs"},
            "images": {f"{KEYWORDS}/serve:image"},
        }
    finally:
        repository.base = before


def test_new_project(repository: PlanRepository) -> None:
    new = repository.folder / "src/python/whisper"
    shutil.copytree(repository.folder / SHOUT, new)
    for path in new.iterdir():
        path.write_text(path.read_text().replace("shout", "whisper"))
    repository.write(
        "src/python/whisper/recipe.py", "RECIPE = Recipe(samples='whisper:samples.json')\n"
    )
    repository.write("src/python/whisper/train/train.py", "MAIN = 1\n")
    repository.write("src/python/whisper/train/BUILD", "python_sources()\n")
    repository.write(
        f"{TESTS}/whisper/test_whisper.py", "import whisper.loud\nprint(whisper.loud)\n"
    )
    repository.write(f"{TESTS}/whisper/BUILD", 'python_tests(resolve="serving")\n')

    assert planned(repository) == {
        "checks": {"::"},
        "tests": {f"{TESTS}/whisper/test_whisper.py"},
        "pex": {"src/python/whisper:deps", "src/python/whisper:srcs"},
        "images": {"src/python/whisper:image"},
        "models": {"whisper from train:train"},
    }


def test_samples(repository: PlanRepository) -> None:
    repository.write(f"{KEYWORDS}/train/samples.json", '["another"]\n')

    assert planned(repository) == {
        "checks": {f"{KEYWORDS}/train:train"},
        "pex": {f"{KEYWORDS}/train:srcs"},
        "models": {"keywords from train:train"},
    }


@pytest.mark.parametrize(
    ("settings", "models"),
    [
        ("COMPILE_BACKEND=generic\n", {"keywords from compile:download"}),
        ("# Another comment.\nCOMPILE_BACKEND=onnx\nMESH_LOG_FORMAT=json\n", set()),
    ],
)
def test_configuration(repository: PlanRepository, settings: str, models: set[str]) -> None:
    repository.write(f"{KEYWORDS}/compile/config/dev.env", settings)

    plan = planned(repository)

    assert plan.pop("models", set()) == models
    assert plan == {
        "checks": {f"{KEYWORDS}/compile:trace", f"{TESTS}/keywords/test_trace.py"},
        "tests": {f"{TESTS}/keywords/test_trace.py"},
        "pex": {f"{KEYWORDS}/compile:srcs"},
    }


def test_files_not_committed_count(repository: PlanRepository) -> None:
    repository.append(f"{SHOUT}/loud.py")
    repository.write(f"{TESTS}/shout/test_more.py", "")

    plan = repository.plan()

    assert [change["kind"] for change in plan["changed"]] == ["modified", "added"]
    assert {item["target"] for item in plan["tests"]} == {
        f"{TESTS}/shout/test_more.py",
        f"{TESTS}/shout/test_shout.py",
    }


def test_everything_on_request(repository: PlanRepository) -> None:
    result = repository.script("plan", "--all", "--json", "-")

    plan = json.loads(result.stdout)
    assert {item["target"] for item in plan["tests"]} == EVERY_TEST
    assert [(item["target"], item["first"]) for item in plan["models"]] == [
        ("keywords", "train:train")
    ]


def test_broken_build_file_makes_no_plan(repository: PlanRepository) -> None:
    repository.write(f"{SHOUT}/BUILD", "no_such_target()\n")
    repository.commit()

    result = repository.script("plan", "--base", repository.base)

    assert (result.returncode, result.stdout) == (2, "")
    assert f"{SHOUT}/BUILD" in result.stderr
