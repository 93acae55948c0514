"""ONNX without the operators that are ONNX Runtime's own; OpenVINO optimizes it as it loads it."""

from pathlib import Path

import torch

from mesh.compile.compilers.onnx import export
from mesh.compile.spec import CompileSpec


def compile_network(module: torch.nn.Module, spec: CompileSpec, directory: Path) -> None:
    """Export the network with free batch size and length."""
    export(module, spec, directory, for_cpu=False)
