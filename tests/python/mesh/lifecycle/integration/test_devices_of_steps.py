"""Steps compute on the device that is wanted, or end with a sentence. No test has a GPU."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.numpy import load_file

from mesh.core.card import ARTIFACTS
from mesh.core.errors import MeshError
from mesh.lifecycle.compile_download import DownloadSettings, download
from mesh.lifecycle.compile_records import Compilation
from mesh.lifecycle.compile_settings import CompileSettings, inputs_of
from mesh.lifecycle.compile_trace import trace
from mesh.lifecycle.compile_validate import ValidateSettings, validate
from mesh.lifecycle.encoder import EncoderSettings, make_encoder
from mesh.lifecycle.train import train
from mesh.lifecycle.training import precision
from mesh.lifecycle.training.settings import TrainSettings
from mesh.lifecycle.training.team import check_device, is_gpu_used

NO_CUDA = r"can't be used here: torch \S+ is built without CUDA"


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make torch say that it has GPUs."""

    def have(count: int, *, bfloat16: bool = True) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        # Older GPUs have an emulation alone.
        monkeypatch.setattr(
            torch.cuda,
            "is_bf16_supported",
            lambda including_emulation=True: bfloat16 or including_emulation,
        )

    return have


def test_training_without_the_wanted_gpu_ends_before_it_begins(tiny: Any) -> None:
    with pytest.raises(MeshError, match=f"TRAIN_DEVICE=cuda {NO_CUDA}"):
        tiny.train(device="cuda")
    base = TrainSettings(base_model=str(tiny.base), device="cuda")
    with pytest.raises(MeshError, match=f"TRAIN_DEVICE=cuda {NO_CUDA}"):
        train(replace(tiny.recipe, training=None), base, tiny.workspace, tiny.registry_settings)
    assert tiny.registry.list() == []
    assert not tiny.output("checkpoints").exists()


@pytest.mark.parametrize(
    ("device", "count", "used"),
    [("auto", 0, False), ("auto", 1, True), ("cuda", 1, True), ("cpu", 1, False)],
)
def test_a_gpu_is_used_unless_the_cpu_is_wanted(
    gpus: Callable[..., None], device: str, count: int, used: bool
) -> None:
    gpus(count)
    check_device(device)
    assert is_gpu_used(device) is used


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_more_processes_than_gpus_are_refused(
    gpus: Callable[..., None], monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    gpus(2)
    check_device(device)
    gpus(1)
    with pytest.raises(MeshError, match="torchrun starts 2 processes on this machine, which has"):
        check_device(device)
    check_device("cpu")


def test_training_in_bfloat16_leaves_weights_in_float32_and_makes_another_version(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every CPU can compute it, if slowly."""
    monkeypatch.setattr(precision, "_has_bfloat16", lambda _: True)
    found = []
    for wanted in ("float32", "bfloat16", "auto"):
        tiny.train(epochs=1, precision=wanted)
        card = tiny.registry.get("TINY-TRAINED:latest").card
        computed_in = "float32" if wanted == "float32" else "bfloat16"
        assert card.settings["training"]["precision"] == computed_in
        found.append(load_file(tiny.output("train") / ARTIFACTS / "model.safetensors"))
    assert [version.version for version in tiny.registry.list()] == [1, 2, 3]
    exact, rounded, _ = found
    assert {values.dtype.name for values in rounded.values()} == {"float32"}
    changed = [name for name, values in exact.items() if (values != rounded[name]).any()]
    assert any("attention" in name for name in changed)


def test_compiling_for_a_device_that_is_not_here_ends_before_it_begins(tiny: Any) -> None:
    tiny.train(epochs=1)
    settings = (tiny.workspace, tiny.registry_settings)
    download(tiny.recipe, DownloadSettings(), *settings)
    for device, backend, message in (
        ("cuda", "onnx", "COMPILE_DEVICE=cuda needs CUDAExecutionProvider, which ONNX Runtime"),
        (
            "OpenVINOExecutionProvider",
            "onnx",
            "COMPILE_DEVICE=openvino needs OpenVINOExecutionProvider",
        ),
        ("cuda", "generic", f"COMPILE_DEVICE=cuda {NO_CUDA}"),
    ):
        with pytest.raises(MeshError, match=message):
            trace(tiny.recipe, CompileSettings(device=device, backend=backend), *settings)
    assert not tiny.output("compile").exists()

    trace(tiny.recipe, CompileSettings(), *settings)
    compiled = Compilation.read(tiny.output("compile"))
    assert compiled.spec["device"] == "cpu"
    assert compiled.parity
    assert compiled.parity["runs_on"] == ["CPUExecutionProvider"]

    elsewhere = {**compiled.spec, "device": "cuda"}
    compiled.model_copy(update={"spec": elsewhere}).write(tiny.output("compile"))
    with pytest.raises(MeshError, match="COMPILE_DEVICE=cuda needs CUDAExecutionProvider"):
        validate(tiny.recipe, ValidateSettings(), tiny.workspace, tiny.data)
    assert not tiny.output("validate").exists()


def test_a_precision_that_the_processor_or_the_backend_lacks_ends_before_it_begins(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = pytest.importorskip("mesh.compile.loaders.openvino", exc_type=ImportError)
    monkeypatch.setattr(loader, "precisions", lambda: ("float32",))
    tiny.train(epochs=1)
    settings = (tiny.workspace, tiny.registry_settings)
    download(tiny.recipe, DownloadSettings(), *settings)
    for backend, here in (("openvino", "float32"), ("onnx", "int8 and float32")):
        wanted = CompileSettings(backend=backend, precisions="float32,bfloat16")
        with pytest.raises(
            MeshError,
            match=f"COMPILE_PRECISIONS=float32,bfloat16 can't be used .*'{backend}' computes in "
            f"{here} on this processor, not in bfloat16",
        ):
            trace(tiny.recipe, wanted, *settings)
    assert not tiny.output("compile").exists()


def test_device_is_part_of_what_a_compiled_version_is_made_from(tiny: Any) -> None:
    cpu, same, cuda = (
        inputs_of(tiny.recipe, "source", CompileSettings(device=device))
        for device in ("cpu", "CPUExecutionProvider", "cuda")
    )
    assert cpu == same
    assert cpu != cuda


def test_encoder_for_a_device_that_is_not_here_is_not_made(tiny: Any) -> None:
    settings = EncoderSettings(base_model=str(tiny.base), device="cuda")
    with pytest.raises(MeshError, match="ENCODER_DEVICE=cuda needs CUDAExecutionProvider"):
        make_encoder(tiny.recipe.project, settings, tiny.workspace)
    assert not Path(tiny.workspace.models).exists()
