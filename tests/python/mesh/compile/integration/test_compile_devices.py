"""Tiny models on ONNX Runtime's own CPU provider, and on a stand-in for one of a GPU."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from mesh.compile.artifact import CompiledModel, require_device
from mesh.compile.compiler import compile_model
from mesh.compile.parity import check_parity
from mesh.compile.source import spec_for
from mesh.compile.spec import Backend, CompileSpec, Task
from mesh.core.devices import Placement
from mesh.core.errors import MeshError

TEXTS = ["a few words", "", "one"]
CPU_ONLY = ("CPUExecutionProvider",)
ON_GPU = ("CUDAExecutionProvider", "CPUExecutionProvider")


class CpuSession(onnxruntime.InferenceSession):
    """Computes on the CPU, and says that it uses the providers that it was given."""

    def __init__(self, path: str, options: Any, *, providers: Any, **more: Any) -> None:
        self.asked = [one if isinstance(one, str) else one[0] for one in providers]
        self.given = more
        super().__init__(path, options, providers=list(CPU_ONLY), **more)

    def get_providers(self) -> Sequence[str]:
        return self.asked


@pytest.fixture
def _gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime has a provider for GPUs."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(ON_GPU))
    monkeypatch.setattr(onnxruntime, "InferenceSession", CpuSession)


@pytest.fixture
def compiled(tiny_model: Callable[[Task], Path], tmp_path: Path) -> Callable[..., Path]:
    """Makes the compiled folder of a backend and device."""

    def make(device: str = "cpu", backend: Backend = "onnx") -> Path:
        source = tiny_model("sentence-embedding")
        spec = spec_for(source, task="sentence-embedding", backend=backend, device=device)
        directory = tmp_path / f"{backend}-{device}"
        compile_model(source, spec, directory)
        return directory

    return make


@pytest.mark.parametrize(("backend", "runs_on"), [("onnx", CPU_ONLY), ("generic", ("cpu",))])
def test_parity_records_what_the_network_ran_on(
    tiny_model: Callable[[Task], Path],
    compiled: Callable[..., Path],
    backend: Backend,
    runs_on: tuple[str, ...],
) -> None:
    directory = compiled(backend=backend)
    report = check_parity(tiny_model("sentence-embedding"), directory, TEXTS)
    assert report.passed
    assert report.runs_on == runs_on
    placement = Placement("cpu")
    with placement.applied():
        CompiledModel.load(directory)
    assert placement.runs_on == runs_on


@pytest.mark.usefixtures("_gpu")
def test_a_network_for_a_device_is_checked_there_and_loaded_there(
    tiny_model: Callable[[Task], Path],
    compiled: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = compiled("cuda")
    report = check_parity(tiny_model("sentence-embedding"), directory, TEXTS)
    assert report.passed
    assert report.runs_on == ON_GPU
    assert CompileSpec.read(directory).device == "cuda"
    on_gpu = CompiledModel.load(directory)
    assert on_gpu.runs_on == ON_GPU
    with Placement("cpu", force=True).applied():
        on_cpu = CompiledModel.load(directory)
    np.testing.assert_allclose(on_cpu.embed(TEXTS), on_gpu.embed(TEXTS), atol=1e-6)
    monkeypatch.undo()
    with pytest.raises(
        MeshError, match=r"compiled for, cuda, needs CUDAExecutionProvider.*it has .*CPUExec"
    ):
        CompiledModel.load(directory)


@pytest.mark.usefixtures("_gpu")
def test_a_device_without_parity_is_refused_unless_it_is_forced(
    compiled: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    directory = compiled()
    with pytest.raises(MeshError) as refused, Placement("cuda").applied():
        CompiledModel.load(directory)
    assert "cpu (CPUExecutionProvider)" in str(refused.value)
    assert "cuda (CUDAExecutionProvider, CPUExecutionProvider)" in str(refused.value)
    placement = Placement("cuda", force=True)
    with placement.applied():
        CompiledModel.load(directory)
    assert placement.runs_on == ON_GPU
    assert "by force: parity was checked on cpu" in caplog.text


@pytest.mark.parametrize(
    ("device", "missing"),
    [
        ("cuda", "CUDAExecutionProvider"),
        ("tensorrt,cuda", "TensorrtExecutionProvider"),
        ("coreml", "CoreMLExecutionProvider"),
        ("openvino", "OpenVINOExecutionProvider"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_device_that_is_not_here_is_refused_even_by_force(
    compiled: Callable[..., Path], device: str, missing: str, force: bool
) -> None:
    with (
        pytest.raises(
            MeshError, match=f"SERVE_DEVICE={device} needs {missing}, which ONNX Runtime"
        ),
        Placement(device, force=force).applied(),
    ):
        CompiledModel.load(compiled())


@pytest.mark.usefixtures("_gpu")
def test_a_session_that_falls_back_to_the_cpu_is_refused(
    compiled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = compiled("cuda")
    network: Any = CompiledModel.load(directory)._network
    assert network._session.given["enable_fallback"] == 0
    monkeypatch.setattr(CpuSession, "get_providers", lambda _: list(CPU_ONLY))
    with pytest.raises(MeshError, match="can't use CUDAExecutionProvider on this machine"):
        CompiledModel.load(directory)


def test_torchscript_runs_where_it_was_traced(
    compiled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = compiled(backend="generic")
    with (
        pytest.raises(
            MeshError, match="SERVE_DEVICE=cuda can't be used here: torch .*without CUDA"
        ),
        Placement("cuda", force=True).applied(),
    ):
        CompiledModel.load(directory)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with (
        pytest.raises(MeshError, match="the device alone that it was traced on, 'cpu'"),
        Placement("cuda", force=True).applied(),
    ):
        CompiledModel.load(directory)


@pytest.mark.parametrize(
    ("backend", "has"),
    [
        ("generic", "computes on cpu or cuda"),
        ("openvino", "computes on cpu; choose the backend 'onnx'"),
        ("neuron", "computes on Neuron devices alone"),
    ],
)
def test_backends_name_the_devices_that_they_have(backend: Backend, has: str) -> None:
    with pytest.raises(
        MeshError, match=f"DEVICE=tensorrt can't be used by .*{backend}', which {has}"
    ):
        require_device(backend, "tensorrt", "DEVICE=tensorrt")
