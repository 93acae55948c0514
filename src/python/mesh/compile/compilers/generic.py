"""TorchScript by tracing."""

from pathlib import Path

import torch

from mesh.compile.loaders.generic import MODEL_FILE
from mesh.compile.spec import CompileSpec
from mesh.compile.torch_model import example_inputs, quiet


def compile_network(module: torch.nn.Module, spec: CompileSpec, directory: Path) -> None:
    """Trace the network into `model.pt`; the trace is valid for every batch size and length."""
    length = min(16, spec.max_length)
    with quiet():
        inputs = tuple(each.to(spec.device) for each in example_inputs(2, length))
        traced = torch.jit.trace(module.to(spec.device), inputs, check_trace=False)
        torch.jit.freeze(traced).save(str(directory / MODEL_FILE))
