"""Tiny networks in int8, by ONNX Runtime and OpenVINO, beside the same ones in float32."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.torch
from onnx import TensorProto, helper

from mesh.compile.artifact import CompiledModel
from mesh.compile.compiler import compile_model
from mesh.compile.compilers.quantization import quantize, quantize_weights
from mesh.compile.parity import check_parity, outputs
from mesh.compile.source import spec_for
from mesh.compile.spec import Backend, Task
from mesh.core.devices import Placement
from mesh.core.errors import MeshError
from mesh.core.precisions import ChosenPrecision, Precision

TEXTS = ["a few words", "", "one", "a text of more letters than the model takes at once, by far"]
TASKS: tuple[Task, ...] = ("sentence-embedding", "text-classification", "token-classification")
BOTH: tuple[Precision, ...] = ("float32", "int8")
BACKENDS: tuple[Backend, ...] = ("onnx", "openvino")


def compiled(
    source: Path,
    task: Task,
    precisions: tuple[Precision, ...],
    folder: Path,
    backend: Backend = "onnx",
) -> Path:
    if backend == "openvino":
        pytest.importorskip("mesh.compile.loaders.openvino", exc_type=ImportError)
    spec = spec_for(source, task=task, backend=backend, precisions=precisions)
    compile_model(source, spec, folder)
    return folder


def load(folder: Path, precision: ChosenPrecision) -> CompiledModel:
    with Placement(precision=precision).applied():
        return CompiledModel.load(folder)


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    found: Backend = request.param
    return found


@pytest.fixture
def _multiplies_integers(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """On whatever processor, int8 counts as its fastest precision."""
    if backend == "onnx":
        yield
        return
    loader = pytest.importorskip("mesh.compile.loaders.openvino", exc_type=ImportError)
    monkeypatch.setattr(loader, "_instructions", lambda: frozenset({"avx512_vnni"}))
    loader.precisions.cache_clear()
    yield
    loader.precisions.cache_clear()


@pytest.fixture(scope="module")
def encoder(
    backend: Backend, tiny_model: Callable[[Task], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The folders of an encoder and of the compiled one."""
    source = tiny_model("sentence-embedding")
    folder = tmp_path_factory.mktemp("int8") / "compiled"
    return source, compiled(source, "sentence-embedding", BOTH, folder, backend)


@pytest.mark.parametrize("task", TASKS)
def test_each_task_is_quantized_and_close_to_the_uncompiled_network(
    tiny_model: Callable[[Task], Path], tmp_path: Path, task: Task, backend: Backend
) -> None:
    source = tiny_model(task)
    folder = compiled(source, task, BOTH, tmp_path / "compiled", backend)
    report = check_parity(source, folder, TEXTS)
    assert report.passed
    assert list(report.by_precision) == [*BOTH]
    rounded = report.by_precision["int8"]
    # It really computes in integers.
    assert rounded.max_abs_difference > 1e-4
    assert rounded.tolerances.min_cosine < rounded.min_cosine < 0.99999


@pytest.mark.usefixtures("_multiplies_integers")
def test_float32_stays_what_it_is_without_int8(
    encoder: tuple[Path, Path], backend: Backend, tmp_path: Path
) -> None:
    source, folder = encoder
    alone = compiled(source, "sentence-embedding", ("float32",), tmp_path / "compiled", backend)
    for name in ("model.onnx", "model.onnx.data"):
        assert (folder / name).read_bytes() == (alone / name).read_bytes()
    assert not (alone / "model.int8.onnx").exists()
    expected = load(alone, "float32").embed(TEXTS)
    np.testing.assert_array_equal(load(folder, "float32").embed(TEXTS), expected)
    with pytest.raises(
        MeshError,
        match="SERVE_PRECISION=int8 can't be used: parity of this version was checked in float32, "
        "and its backend computes in int8 and .*float32 on this processor",
    ):
        load(alone, "int8")


@pytest.mark.usefixtures("_multiplies_integers")
@pytest.mark.parametrize(
    ("wanted", "used"), [("auto", "int8"), ("int8", "int8"), ("float32", "float32")]
)
def test_what_is_wanted_is_used_and_named(
    encoder: tuple[Path, Path], backend: Backend, wanted: ChosenPrecision, used: str
) -> None:
    placement = Placement(precision=wanted)
    with placement.applied():
        model = CompiledModel.load(encoder[1])
    assert (placement.precision, model.precision) == (used, used)
    assert (
        placement.runs_on
        == {
            "onnx": ("CPUExecutionProvider",),
            "openvino": ("OpenVINO CPU",),
        }[backend]
    )


def test_a_text_has_the_same_result_in_every_batch(
    encoder: tuple[Path, Path], backend: Backend
) -> None:
    model = load(encoder[1], "int8")
    alone = [outputs(model, [text])[0] for text in TEXTS]
    # Beside its products, OpenVINO may compute in bfloat16, which has 8 bits.
    tolerance = {"onnx": 1e-3, "openvino": 2e-2}[backend]
    np.testing.assert_allclose(outputs(model, TEXTS), alone, rtol=0, atol=tolerance)


def test_what_is_not_quantized_is_stored_once(encoder: tuple[Path, Path], backend: Backend) -> None:
    folder = encoder[1]
    network = onnx.load(folder / "model.int8.onnx", load_external_data=False)
    weights = {tensor.name: tensor for tensor in network.graph.initializer}
    kind, place = {"onnx": ("MatMulIntegerToFloat", 1), "openvino": ("DequantizeLinear", 0)}[
        backend
    ]
    quantized = [node for node in network.graph.node if node.op_type == kind]
    assert len(quantized) == 2 * 6
    assert {weights[node.input[place]].data_type for node in quantized} == {TensorProto.INT8}
    files = {
        entry.value
        for tensor in weights.values()
        for entry in tensor.external_data
        if entry.key == "location"
    }
    assert files == {"model.onnx.data"}


def test_weights_with_outliers_are_refused_in_int8_alone(
    tiny_model: Callable[[Task], Path], tmp_path: Path, backend: Backend
) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny_model("sentence-embedding"), source)
    file = source / "model.safetensors"
    tensors = safetensors.torch.load_file(file)
    for name, tensor in tensors.items():
        if name.endswith("value.weight"):
            # Of each channel, one weight is so large that all others are rounded to 0. The input
            # that it multiplies is 0 itself.
            tensor[:, 0] = 1_000
        if name.endswith(("LayerNorm.weight", "LayerNorm.bias")):
            tensor[0] = 0
    safetensors.torch.save_file(tensors, file, metadata={"format": "pt"})
    folder = compiled(source, "sentence-embedding", BOTH, tmp_path / "compiled", backend)
    report = check_parity(source, folder, TEXTS)
    assert not report.passed
    assert all(case.passed for case in report.by_precision["float32"].cases)
    assert not report.by_precision["int8"].passed


def test_zeros_stay_zeros_and_large_values_are_kept(tmp_path: Path, backend: Backend) -> None:
    """One product, of a token of zeros, a small one and a large one."""
    weights = np.random.default_rng(1).normal(size=(128, 8)).astype(np.float32)
    weights[:, 0] = 0
    save_product(tmp_path / "model.onnx", weights)
    tokens = np.random.default_rng(2).normal(size=(1, 3, 128)).astype(np.float32)
    tokens *= np.array([0, 1e-3, 1e3], np.float32).reshape(1, 3, 1)
    found = product_in_int8(tmp_path / "model.onnx", tokens, backend)
    expected = tokens @ weights
    assert (found[0, 0] == 0).all()
    assert (found[..., 0] == 0).all()
    for row in (1, 2):
        error = np.abs(found[0, row] - expected[0, row]).max()
        assert 0 < error < 0.03 * np.abs(expected[0, row]).max()


def test_activations_are_rounded_as_well_as_weights(tmp_path: Path) -> None:
    """OpenVINO's, where the processor multiplies integers."""
    loader = pytest.importorskip("mesh.compile.loaders.openvino", exc_type=ImportError)
    if loader.precisions()[0] != "int8":
        pytest.skip("This processor has no instructions for products of int8, or better ones.")
    weights = np.random.default_rng(1).normal(size=(128, 8)).astype(np.float32)
    save_product(tmp_path / "model.onnx", weights)
    quantize_weights(tmp_path / "model.onnx", tmp_path / "model.int8.onnx")
    tokens = np.random.default_rng(2).normal(size=(1, 3, 128)).astype(np.float32)
    rounded, exact = (
        product_by_openvino(tmp_path / "model.int8.onnx", tokens, group)
        for group in (loader.GROUP, 0)
    )
    assert 1e-3 < np.abs(rounded - exact).max() < 0.03 * np.abs(exact).max()


@pytest.mark.parametrize("rewrite", [quantize, quantize_weights])
def test_a_network_without_constant_products_is_refused(
    tmp_path: Path, rewrite: Callable[[Path, Path], None]
) -> None:
    save_product(tmp_path / "model.onnx", None)
    with pytest.raises(MeshError, match="multiplies by no constant matrix.*COMPILE_PRECISIONS"):
        rewrite(tmp_path / "model.onnx", tmp_path / "model.int8.onnx")
    assert not (tmp_path / "model.int8.onnx").exists()


def product_in_int8(network: Path, tokens: np.ndarray, backend: Backend) -> np.ndarray:
    target = network.with_name("model.int8.onnx")
    if backend == "onnx":
        import onnxruntime

        quantize(network, target)
        [found] = onnxruntime.InferenceSession(target).run(None, {"tokens": tokens})
    else:
        loader = pytest.importorskip("mesh.compile.loaders.openvino", exc_type=ImportError)
        quantize_weights(network, target)
        found = product_by_openvino(target, tokens, loader.GROUP)
    return np.asarray(found)


def product_by_openvino(network: Path, tokens: np.ndarray, group: int) -> np.ndarray:
    import openvino

    options = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": group, "INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(str(network), "CPU", options)
    return np.array(model([tokens])[0])


def save_product(path: Path, weights: np.ndarray | None) -> None:
    """A network of one product of tokens (rows, length, 128) with weights, constant or given."""
    tokens = helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["rows", "length", 128])
    given = helper.make_tensor_value_info("weights", TensorProto.FLOAT, [128, 8])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["rows", "length", 8])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["tokens", "weights"], ["output"], name="product")],
        "product",
        [tokens] if weights is not None else [tokens, given],
        [output],
        [onnx.numpy_helper.from_array(weights, "weights")] if weights is not None else [],
    )
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=10), path)
