"""A small repository of the mesh's kind, with Pants, two projects, images and tests, for plans to be made of."""

import json
import subprocess
from pathlib import Path
from typing import Any

from build_support.functional.small_repository import SmallRepository

KEYWORDS = "src/python/keywords"
SHOUT = "src/python/shout"
TESTS = "tests/python"
EVERY_TEST = {
    f"{TESTS}/keywords/test_image.py",
    f"{TESTS}/keywords/test_model.py",
    f"{TESTS}/keywords/test_trace.py",
    f"{TESTS}/keywords/test_words.py",
    f"{TESTS}/mesh/test_text.py",
    f"{TESTS}/shout/test_shout.py",
}
EVERY_PEX = {
    f"{component}:{half}"
    for component in (f"{KEYWORDS}/compile", f"{KEYWORDS}/serve", f"{KEYWORDS}/train", SHOUT)
    for half in ("deps", "srcs")
}
EVERY_IMAGE = {
    "docker/gpu-base:image",
    "docker/python-base:image",
    f"{KEYWORDS}/serve:image",
    f"{SHOUT}:image",
}

CONFIGURATION = """
[GLOBAL]
pants_version = "2.17.1"
backend_packages = [
  "pants.backend.docker",
  "pants.backend.python",
  "pants.backend.python.typecheck.mypy",
]
build_patterns = ["BUILD"]
build_file_prelude_globs = ["build-support/macros/*.py"]
[anonymous-telemetry]
enabled = false
[source]
root_patterns = ["/src/python", "/tests/python"]
[python]
interpreter_constraints = ["CPython==3.11.*"]
enable_resolves = true
default_resolve = "models"
resolves_generate_lockfiles = false
[python.resolves]
serving = "3rdparty/python/serving.lock"
models = "3rdparty/python/models.lock"
mypy = "3rdparty/python/tools/mypy.lock"
pytest = "3rdparty/python/tools/pytest.lock"
[python-infer]
unowned_dependency_behavior = "error"
use_rust_parser = true
init_files = "always"
[mypy]
install_from_resolve = "mypy"
[pytest]
install_from_resolve = "pytest"
[cli.alias]
checks = "check ::"
"""

BOTH = 'parametrize("serving", "models")'

FILES = {
    "pants.toml": CONFIGURATION,
    "pyproject.toml": "[tool.mypy]\nstrict = true\n",
    ".gitignore": "/.pants.d/\n/.pids/\n/dist/\n__pycache__/\n",
    "README.md": "# Mesh\n",
    "docs/build.md": "# Build\n",
    "Makefile": "all:\n",
    "BUILD": "",
    "build-support/macros/resolves.py": "def both():\n    return parametrize('serving', 'models')\n",
    # Requirements
    "3rdparty/python/BUILD": (
        'python_requirements(name="serving", source="serving.txt", resolve=both())\n'
        'python_requirements(name="models", source="models.txt", resolve="models")\n'
    ),
    "3rdparty/python/serving.txt": "numpy\nstarlette\n",
    "3rdparty/python/models.txt": "torch\nkeybert\nlittle-weights\n",
    "3rdparty/python/serving.lock": "numpy==2.4.6\nstarlette==1.10\n",
    "3rdparty/python/models.lock": (
        "keybert==0.9\nlittle-weights==1.0\nnumpy==2.4.6\nstarlette==1.10\ntorch==2.13.0\n"
    ),
    "3rdparty/python/tools/BUILD": (
        'python_requirements(name="mypy", source="mypy.txt", resolve="mypy")\n'
        'python_requirements(name="pytest", source="pytest.txt", resolve="pytest")\n'
    ),
    "3rdparty/python/tools/mypy.txt": "mypy\n",
    "3rdparty/python/tools/mypy.lock": "mypy==2.4\n",
    "3rdparty/python/tools/pytest.txt": "pytest\n",
    "3rdparty/python/tools/pytest.lock": "pytest==9.0\n",
    # Core images
    "docker/python-base/BUILD": 'docker_image(name="image")\n',
    "docker/python-base/Dockerfile": "FROM debian:12\n",
    "docker/gpu-base/BUILD": 'docker_image(name="image", tags=["gpu"])\n',
    "docker/gpu-base/Dockerfile": "FROM debian:12\n",
    # Libraries
    "src/python/mesh/BUILD": "python_sources(resolve=both())\n",
    "src/python/mesh/__init__.py": "",
    "src/python/mesh/core/BUILD": "python_sources(resolve=both())\n",
    "src/python/mesh/core/__init__.py": "",
    "src/python/mesh/core/text.py": "SPACE = ' '\n",
    # The real ones, which plans use.
    **{
        f"src/python/mesh/core/{name}.py": Path(f"src/python/mesh/core/{name}.py").read_text()
        for name in ("closure", "errors", "roots", "urls")
    },
    "src/python/mesh/compile/BUILD": "python_sources()\n",
    "src/python/mesh/compile/__init__.py": "",
    "src/python/mesh/compile/compiler.py": "import importlib\nBY_NAME = importlib\n",
    "src/python/mesh/compile/compilers/BUILD": "python_sources()\n",
    "src/python/mesh/compile/compilers/__init__.py": "",
    "src/python/mesh/compile/compilers/generic.py": "import torch\nNETWORK = torch\n",
    "src/python/mesh/compile/compilers/onnx.py": "import keybert\nNETWORK = keybert\n",
    "src/python/mesh/lifecycle/BUILD": "python_sources()\n",
    "src/python/mesh/lifecycle/__init__.py": "",
    "src/python/mesh/lifecycle/recipe.py": "import torch\nRecipe = torch\n",
    "src/python/mesh/lifecycle/train.py": "from mesh.lifecycle.recipe import Recipe\nmain = Recipe\n",
    "src/python/mesh/lifecycle/trace.py": (
        "from mesh.compile.compiler import BY_NAME\nmain = BY_NAME\n"
    ),
    # A project with a trained model
    "src/python/keywords/BUILD": (
        'python_sources(sources=["*.py", "!recipe.py", "!extra_files.py"], resolve=both())\n'
        'python_sources(name="making", sources=["recipe.py", "extra_files.py"])\n'
    ),
    "src/python/keywords/__init__.py": "",
    "src/python/keywords/model.py": (
        "import numpy\nfrom mesh.core.text import SPACE\nMODEL = (numpy, SPACE)\n"
    ),
    "src/python/keywords/words.py": "WORDS = ['a']\n",
    "src/python/keywords/extra_files.py": "from keywords.words import WORDS\nFILES = WORDS\n",
    "src/python/keywords/recipe.py": (
        "from keywords.extra_files import FILES\nfrom keywords.model import MODEL\n"
        "from mesh.lifecycle.recipe import Recipe\nRECIPE = (Recipe, MODEL, FILES)\n"
    ),
    "src/python/keywords/train/BUILD": (
        'python_sources(name="lib", sources=["__init__.py"])\n'
        'resources(name="data", sources=["config/*.env", "samples.json"])\n'
        'python_source(name="train", source="train.py",\n'
        '    dependencies=[":data", "3rdparty/python:models#little-weights"])\n'
        'pex_binary(name="deps", include_sources=False, dependencies=[":train"])\n'
        'pex_binary(name="srcs", include_requirements=False, dependencies=[":train"])\n'
    ),
    "src/python/keywords/train/__init__.py": "",
    "src/python/keywords/train/train.py": (
        "from keywords.recipe import RECIPE\nfrom mesh.lifecycle.train import main\n"
        "PROGRAM = (RECIPE, main)\n"
    ),
    "src/python/keywords/train/samples.json": '["one text"]\n',
    "src/python/keywords/train/config/dev.env": "TRAIN_BASE_MODEL=package://little_weights/model\n",
    "src/python/keywords/compile/BUILD": (
        'python_sources(name="lib", sources=["__init__.py"])\n'
        'resources(name="config", sources=["config/*.env"])\n'
        'python_source(name="trace", source="trace.py", dependencies=[":config"])\n'
        'pex_binary(name="deps", include_sources=False, dependencies=[":trace"])\n'
        'pex_binary(name="srcs", include_requirements=False, dependencies=[":trace"])\n'
    ),
    "src/python/keywords/compile/__init__.py": "",
    "src/python/keywords/compile/trace.py": (
        "from keywords.recipe import RECIPE\nfrom mesh.lifecycle.trace import main\n"
        "PROGRAM = (RECIPE, main)\n"
    ),
    "src/python/keywords/compile/config/dev.env": (
        "# The default.\nCOMPILE_BACKEND=onnx\nMESH_LOG_FORMAT=text\n"
    ),
    "src/python/keywords/serve/BUILD": (
        'resources(name="config", sources=["config/*.env"])\n'
        'python_sources(name="lib", sources=["__init__.py"], resolve="serving")\n'
        'python_source(name="serve", source="serve.py", resolve="serving", dependencies=[":config"])\n'
        'pex_binary(name="deps", resolve="serving", include_sources=False, dependencies=[":serve"])\n'
        'pex_binary(name="srcs", resolve="serving", include_requirements=False,\n'
        '    dependencies=[":serve"])\n'
        'docker_image(name="image")\n'
    ),
    "src/python/keywords/serve/Dockerfile": (
        "ARG BASE_IMAGE=docker/python-base:image\nFROM $BASE_IMAGE\n"
        "COPY src.python.keywords.serve/deps.pex /\nCOPY src.python.keywords.serve/srcs.pex /\n"
    ),
    "src/python/keywords/serve/__init__.py": "",
    "src/python/keywords/serve/serve.py": "from keywords.model import MODEL\nSERVED = MODEL\n",
    "src/python/keywords/serve/config/dev.env": "SERVE_PORT=1\n",
    # A project without
    "src/python/shout/BUILD": (
        'python_sources(resolve="serving")\n'
        'pex_binary(name="deps", resolve="serving", include_sources=False,\n'
        '    dependencies=["./serve.py"])\n'
        'pex_binary(name="srcs", resolve="serving", include_requirements=False,\n'
        '    dependencies=["./serve.py"])\n'
        'docker_image(name="image")\n'
    ),
    "src/python/shout/Dockerfile": (
        "ARG BASE_IMAGE=docker/python-base:image\nFROM $BASE_IMAGE\n"
        "COPY src.python.shout/deps.pex /\nCOPY src.python.shout/srcs.pex /\n"
    ),
    "src/python/shout/__init__.py": "",
    "src/python/shout/loud.py": "LOUD = True\n",
    "src/python/shout/serve.py": "import starlette\nfrom shout.loud import LOUD\nX = (starlette, LOUD)\n",
    # Tests
    "tests/python/mesh/BUILD": 'python_tests(tags=["unit"])\n',
    "tests/python/mesh/test_text.py": "from mesh.core.text import SPACE\nassert SPACE\n",
    "tests/python/keywords/BUILD": (
        'python_tests(tags=["unit"], overrides={"test_image.py": {"tags": ["functional"],\n'
        '    "runtime_package_dependencies": ["src/python/keywords/serve:image"]}})\n'
    ),
    "tests/python/keywords/test_model.py": "from keywords.model import MODEL\nassert MODEL\n",
    "tests/python/keywords/test_words.py": "from keywords.words import WORDS\nassert WORDS\n",
    "tests/python/keywords/test_trace.py": (
        "from keywords.compile.trace import PROGRAM\nassert PROGRAM\n"
    ),
    "tests/python/keywords/test_image.py": "",
    "tests/python/shout/BUILD": 'python_tests(resolve="serving", tags=["unit"])\n',
    "tests/python/shout/test_shout.py": "from shout.loud import LOUD\nassert LOUD\n",
}


class PlanRepository(SmallRepository):
    """A git repository with the files above."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FILES)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "A")
        self.git("config", "user.email", "a@example.com")
        self.commit()
        self.base = self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")

    def reset(self) -> None:
        self.git("reset", "--quiet", "--hard", self.base)
        self.git("clean", "--quiet", "--force", "-d")

    def script(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a script of build-support/ci."""
        return self.run(f"build-support/ci/{name}", *arguments)

    def plan(self) -> dict[str, Any]:
        """The plan of what differs from the first commit."""
        result = self.script("plan", "--base", self.base, "--json", "-")
        assert result.returncode == 0, result.stderr
        plan: dict[str, Any] = json.loads(result.stdout)
        return plan
