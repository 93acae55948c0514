"""The Neuron backend with stand-ins of the documented signatures and fixed shapes."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh.compile.artifact import CompiledModel
from mesh.compile.compiler import compile_model
from mesh.compile.parity import compare_models
from mesh.compile.source import spec_for
from mesh.compile.spec import CompileSpec, Task
from mesh.compile.torch_model import load_reference
from mesh.core.errors import MeshError

TRACE = """
import torch

calls = []


class FixedShape(torch.nn.Module):
    def __init__(self, traced, rows: int, length: int):
        super().__init__()
        self.traced = traced
        self.rows = rows
        self.length = length

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        assert input_ids.shape[0] == self.rows and input_ids.shape[1] == self.length, "another shape"
        return self.traced(input_ids, attention_mask)


def _trace(model, example_inputs, compiler_args):
    calls.append((tuple(example_inputs[0].shape), compiler_args))
    traced = torch.jit.trace(model, example_inputs, check_trace=False)
    return torch.jit.script(FixedShape(traced, *example_inputs[0].shape))


"""
SIGNATURES = {
    "torch_neuronx": "def trace(func, example_inputs, *_, input_output_aliases={}, compiler_workdir=None, "
    "compiler_args=None, partitioner_config=None, inline_weights_to_neff=True, cpu_backend=False):\n"
    "    return _trace(func, example_inputs, compiler_args)\n",
    "torch_neuron": "def trace(func, example_inputs, fallback=True, op_whitelist=None, minimum_segment_size=None, "
    "subgraph_builder_function=None, subgraph_inputs_pruning=True, skip_compiler=False, debug_must_trace=False, "
    "allow_no_ops_on_neuron=False, compiler_workdir=None, dynamic_batch_size=False, compiler_timeout=None, "
    "single_fusion_ratio_threshold=0.4, _neuron_trace=True, compiler_args=None, **kwargs):\n"
    "    return _trace(func, example_inputs, compiler_args)\n",
}
TEXTS = [
    "a few words",
    "",
    "one",
    "a text of more letters than the model takes at once, by far",
    "x y z",
]

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


@pytest.fixture(params=sorted(SIGNATURES))
def package(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    name: str = request.param
    folder = tmp_path / "packages" / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(TRACE + SIGNATURES[name])
    monkeypatch.syspath_prepend(folder.parent)
    yield name
    sys.modules.pop(name, None)


@pytest.fixture
def spec(tiny_model: Callable[[Task], Path]) -> CompileSpec:
    source = tiny_model("sentence-embedding")
    return spec_for(source, task="sentence-embedding", backend="neuron", max_batch_tokens=48)


def test_one_program_is_compiled_for_each_length(
    package: str, spec: CompileSpec, tiny_model: Callable[[Task], Path], tmp_path: Path
) -> None:
    source = tiny_model("sentence-embedding")
    compile_model(source, spec, tmp_path / "compiled")
    calls = sys.modules[package].calls
    assert [shape for shape, _ in calls] == [(6, 8), (3, 16), (2, 24)]
    assert all(len(arguments) == 2 for _, arguments in calls)
    model = CompiledModel.load(tmp_path / "compiled")
    report = compare_models(load_reference(source, spec), model, TEXTS)
    assert report.passed
    assert len(model.embed(TEXTS * 5)) == 25


def test_the_package_that_compiled_must_be_there_to_load(
    package: str,
    spec: CompileSpec,
    tiny_model: Callable[[Task], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compile_model(tiny_model("sentence-embedding"), spec, tmp_path / "compiled")
    monkeypatch.setattr(
        sys, "path", [path for path in sys.path if "packages" not in Path(path).name]
    )
    del sys.modules[package]
    with pytest.raises(MeshError, match=f"needs {package}, which is not installed"):
        CompiledModel.load(tmp_path / "compiled")


def test_without_neuron_packages_nothing_is_compiled(
    spec: CompileSpec, tiny_model: Callable[[Task], Path], tmp_path: Path
) -> None:
    with pytest.raises(MeshError, match="needs torch_neuronx or torch_neuron"):
        compile_model(tiny_model("sentence-embedding"), spec, tmp_path / "compiled")
    assert list(tmp_path.iterdir()) == []
