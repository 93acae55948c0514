"""ONNX without the operators that are ONNX Runtime's own; OpenVINO optimizes it as it loads it."""

from pathlib import Path

import torch

from mesh.compile.compilers.onnx import export
from mesh.compile.compilers.quantization import quantize_weights
from mesh.compile.loaders.onnx import INT8_FILE, MODEL_FILE
from mesh.compile.spec import CompileSpec
from mesh.core.precisions import INT8


def compile_network(module: torch.nn.Module, spec: CompileSpec, directory: Path) -> None:
    """Export the network with free batch size and length.

    The network in int8 is another file, which shares what isn't quantized with that in float32.

    Raises:
        MeshError: torch can't export the network, or it has nothing to quantize.
    """
    export(module, spec, directory, for_cpu=False)
    if INT8 in spec.precisions:
        quantize_weights(directory / MODEL_FILE, directory / INT8_FILE)
