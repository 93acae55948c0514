"""ONNX, optimized ahead of time for ONNX Runtime on the CPU, or left to optimize for a device."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import torch

from mesh.compile.compilers.quantization import quantize
from mesh.compile.loaders.onnx import INT8_FILE, MODEL_FILE
from mesh.compile.spec import CompileSpec
from mesh.compile.torch_model import example_inputs, quiet
from mesh.core.devices import CPU
from mesh.core.errors import MeshError
from mesh.core.precisions import INT8

OPSET = 20
WEIGHTS_FILE = "model.onnx.data"
# Its kernel makes the whole forward pass a tenth slower than the operators it replaces.
SLOWER_FUSIONS = ["SkipLayerNormFusion"]


def compile_network(module: torch.nn.Module, spec: CompileSpec, directory: Path) -> None:
    """Export the network with free batch size and length, and save it optimized by ONNX Runtime.

    For other devices than the CPU, it is optimized when it is loaded, as each of them needs it. The
    network in int8 is another file, which shares what isn't quantized with that in float32.

    Raises:
        MeshError: torch can't export the network, or it has nothing to quantize.
    """
    export(module, spec, directory, for_cpu=spec.device == CPU)
    if INT8 in spec.precisions:
        quantize(directory / MODEL_FILE, directory / INT8_FILE)


def export(module: torch.nn.Module, spec: CompileSpec, directory: Path, *, for_cpu: bool) -> None:
    """Write `model.onnx`, and its weights beside it.

    Args:
        for_cpu: whether it may have operators that only ONNX Runtime has.

    Raises:
        MeshError: torch can't export the network.
    """
    with tempfile.TemporaryDirectory() as temporary:
        exported = Path(temporary) / MODEL_FILE
        _export(module, spec, exported)
        _optimize(exported, directory, for_cpu=for_cpu)


def _export(module: torch.nn.Module, spec: CompileSpec, path: Path) -> None:
    shape = {0: torch.export.Dim("rows"), 1: torch.export.Dim("length", max=spec.max_length)}
    try:
        with quiet(), _quiet_exporter():
            torch.onnx.export(
                module,
                example_inputs(2, min(16, spec.max_length - 1)),
                str(path),
                input_names=["input_ids", "attention_mask"],
                output_names=["network_output"],
                dynamic_shapes=(shape, shape),
                opset_version=OPSET,
                external_data=True,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error).strip().splitlines()[0]
        raise MeshError(
            f"torch can't export this model to ONNX ({reason}); choose the backend 'generic'."
        ) from error


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Hide its remarks on missing operator packages, which bypass Python's warnings."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def _optimize(exported: Path, directory: Path, *, for_cpu: bool) -> None:
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    # The result of "extended" suits every CPU; the next level may choose layouts for this one. That
    # of "basic" suits every device.
    options.graph_optimization_level = (
        levels.ORT_ENABLE_EXTENDED if for_cpu else levels.ORT_ENABLE_BASIC
    )
    options.optimized_model_filepath = str(directory / MODEL_FILE)
    # Weights in a separate file are mapped into memory: a third of the load time, and unused
    # weights take no memory.
    options.add_session_config_entry(
        "session.optimized_model_external_initializers_file_name", WEIGHTS_FILE
    )
    options.add_session_config_entry(
        "session.optimized_model_external_initializers_min_size_in_bytes", "1024"
    )
    options.log_severity_level = 3
    onnxruntime.InferenceSession(
        str(exported),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=SLOWER_FUSIONS,
    )
