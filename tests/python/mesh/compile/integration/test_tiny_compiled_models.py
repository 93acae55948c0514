"""Tiny random models through every backend that runs here."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mesh.compile.artifact import CompiledModel, check_complete
from mesh.compile.compiler import compile_model
from mesh.compile.parity import compare_models, outputs
from mesh.compile.source import spec_for
from mesh.compile.spec import CompileSpec, Task
from mesh.compile.torch_model import load_reference
from mesh.core.errors import MeshError

TEXTS = [
    "a few words",
    "",
    "one",
    "a text of more letters than the model takes at once, by far",
    "x y z",
]
TASKS: tuple[Task, ...] = ("sentence-embedding", "text-classification", "token-classification")


@pytest.fixture(scope="session")
def compiled(
    tiny_model: Callable[[Task], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Path, Path]]:
    """Makes (source, compiled folder) of a task and backend."""
    made: dict[tuple[str, ...], Path] = {}

    def make(
        task: Task, backend: str, overflow: str = "truncate", stride: int = 0
    ) -> tuple[Path, Path]:
        source = tiny_model(task)
        key = (task, backend, overflow, str(stride))
        if key not in made:
            spec = spec_for(
                source,
                task=task,
                backend=backend,
                overflow=overflow,
                stride=stride,
                max_batch_tokens=48,
            )
            made[key] = tmp_path_factory.mktemp(backend) / "compiled"
            compile_model(source, spec, made[key])
        return source, made[key]

    return make


@pytest.mark.parametrize("backend", ["onnx", "generic"])
@pytest.mark.parametrize("task", TASKS)
def test_compiled_equals_uncompiled(
    compiled: Callable[..., tuple[Path, Path]], task: Task, backend: str
) -> None:
    source, directory = compiled(task, backend)
    model = CompiledModel.load(directory)
    report = compare_models(load_reference(source, model.spec), model, TEXTS)
    assert report.passed
    assert report.backend == backend
    assert len(report.cases) == 2 * (len(TEXTS) + 1)
    assert report.cases[-1].overflow_tokens > 0


@pytest.mark.parametrize("task", TASKS)
def test_windows_of_compiled_equal_those_of_uncompiled(
    compiled: Callable[..., tuple[Path, Path]], task: Task
) -> None:
    source, directory = compiled(task, "generic", "window", 4)
    model = CompiledModel.load(directory)
    assert compare_models(load_reference(source, model.spec), model, TEXTS).passed
    assert model.overflow_tokens(TEXTS) == [0] * len(TEXTS)


def test_classifier_needs_its_task(compiled: Callable[..., tuple[Path, Path]]) -> None:
    _, directory = compiled("text-classification", "onnx")
    model = CompiledModel.load(directory)
    assert model.logits(TEXTS).shape == (5, 3)
    assert model.spec.labels == ("good", "bad", "neither")
    with pytest.raises(TypeError, match="text-classification"):
        model.embed(TEXTS)


def test_embeddings_are_normalized_float32(compiled: Callable[..., tuple[Path, Path]]) -> None:
    _, directory = compiled("sentence-embedding", "onnx")
    embeddings = CompiledModel.load(directory).embed(TEXTS)
    assert embeddings.shape == (5, 16)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


def test_pooling_of_the_spec_is_compiled(
    tiny_model: Callable[[Task], Path], tmp_path: Path
) -> None:
    source = tiny_model("sentence-embedding")
    results = {}
    for pooling in ("mean", "cls", "max"):
        spec = spec_for(source, task="sentence-embedding", backend="generic", pooling=pooling)
        compile_model(source, spec, tmp_path / pooling)
        model = CompiledModel.load(tmp_path / pooling)
        assert compare_models(load_reference(source, spec), model, TEXTS).passed
        results[pooling] = model.embed(["some words"])
    assert not np.allclose(results["mean"], results["cls"], atol=0.01)
    assert not np.allclose(results["mean"], results["max"], atol=0.01)


@pytest.mark.parametrize("backend", ["onnx", "generic"])
def test_threads_share_a_model(
    compiled: Callable[..., tuple[Path, Path]], backend: str, check_callers: Callable[..., None]
) -> None:
    _, directory = compiled("sentence-embedding", backend)
    model = CompiledModel.load(directory, threads=2)
    check_callers(model, TEXTS)


def test_onnx_model_runs_without_torch_and_transformers(
    compiled: Callable[..., tuple[Path, Path]],
) -> None:
    _, directory = compiled("sentence-embedding", "onnx")
    program = """
import json, pathlib, sys
from mesh.compile.artifact import CompiledModel
model = CompiledModel.load(pathlib.Path(sys.argv[1]))
model.embed(["a text", ""])
model.overflow_tokens(["a text"])
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""
    command = [sys.executable, "-c", program, str(directory)]
    modules = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert "onnxruntime" in modules
    assert not {"torch", "transformers", "onnx", "sentence_transformers", "scipy", "sklearn"} & set(
        modules
    )


def test_extra_files_belong_to_the_model(
    tiny_model: Callable[[Task], Path], tmp_path: Path
) -> None:
    def write_extra(folder: Path) -> None:
        (folder / "words").mkdir()
        (folder / "words/english.json").write_text("[]")

    source = tiny_model("sentence-embedding")
    spec = spec_for(source, task="sentence-embedding", backend="generic")
    directory = tmp_path / "compiled"
    compile_model(source, spec, directory, write_extra)
    assert (CompiledModel.load(directory).directory / "words/english.json").read_text() == "[]"
    (directory / "words/english.json").write_text("[1]")
    with pytest.raises(
        MeshError, match=r"is damaged: words/english\.json has 3 bytes instead of 2"
    ):
        CompiledModel.load(directory)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.pt", "manifest.json"])
def test_extra_files_may_not_replace_the_models_own(
    tiny_model: Callable[[Task], Path], tmp_path: Path, name: str
) -> None:
    source = tiny_model("sentence-embedding")
    spec = spec_for(source, task="sentence-embedding", backend="generic")
    with pytest.raises(MeshError, match="give it another name"):
        compile_model(source, spec, tmp_path / "compiled", lambda folder: _write(folder / name))
    assert list(tmp_path.iterdir()) == []


def test_failed_compilation_leaves_what_was_there(
    tiny_model: Callable[[Task], Path], tmp_path: Path
) -> None:
    def fail(_: Path) -> None:
        raise OSError("no space left")

    source = tiny_model("sentence-embedding")
    spec = spec_for(source, task="sentence-embedding", backend="generic")
    directory = tmp_path / "compiled"
    compile_model(source, spec, directory)
    with pytest.raises(OSError, match="no space left"):
        compile_model(source, spec.model_copy(update={"pooling": "cls"}), directory, fail)
    check_complete(directory)
    assert CompileSpec.read(directory).pooling == "mean"
    assert list(tmp_path.iterdir()) == [directory]


def _write(path: Path) -> None:
    path.write_text("{}")


@pytest.mark.parametrize("damage", ["truncate", "drop"])
def test_damaged_weights_are_named(
    tiny_model: Callable[[Task], Path], tmp_path: Path, damage: str
) -> None:
    import safetensors.torch

    source = tmp_path / "source"
    source.mkdir()
    for path in tiny_model("text-classification").iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    weights = source / "model.safetensors"
    if damage == "truncate":
        weights.write_bytes(weights.read_bytes()[:1000])
    else:
        tensors: dict[str, Any] = safetensors.torch.load_file(weights)
        del tensors["classifier.weight"]
        safetensors.torch.save_file(tensors, weights, metadata={"format": "pt"})
    spec = spec_for(source, task="text-classification", backend="generic")
    with pytest.raises(
        MeshError, match="damaged" if damage == "truncate" else "lack classifier.weight"
    ):
        compile_model(source, spec, tmp_path / "compiled")
    assert not (tmp_path / "compiled").exists()


@pytest.mark.parametrize("task", TASKS)
def test_saved_models_are_understood(tiny_model: Callable[[Task], Path], task: Task) -> None:
    spec = spec_for(tiny_model(task), task=task, backend="onnx")
    assert spec.max_length == 24
    assert spec.dimension == (16 if task == "sentence-embedding" else 3)


def test_reference_gives_the_same_alone_and_in_a_batch(tiny_model: Callable[[Task], Path]) -> None:
    source = tiny_model("sentence-embedding")
    reference = load_reference(source, spec_for(source, task="sentence-embedding", backend="onnx"))
    alone = [outputs(reference, [text])[0] for text in TEXTS]
    np.testing.assert_allclose(np.stack(outputs(reference, TEXTS)), alone, atol=1e-5)
