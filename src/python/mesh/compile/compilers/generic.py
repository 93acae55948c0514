"""TorchScript by tracing."""

import warnings
from pathlib import Path

import torch

from mesh.compile.loaders.generic import MODEL_FILE
from mesh.compile.spec import CompileSpec
from mesh.compile.torch_model import example_inputs
from mesh.compile.torch_model import quiet_transformers


def compile_program(module: torch.nn.Module, spec: CompileSpec, directory: Path) -> None:
    """Trace the network into `model.pt`."""
    length = min(16, spec.max_length)
    with warnings.catch_warnings(), quiet_transformers():
        # Branches on shapes, which parity checks prove harmless, and notices about TorchScript's future.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module, example_inputs(2, length), strict=False, check_trace=False)
        torch.jit.freeze(traced).save(str(directory / MODEL_FILE))
