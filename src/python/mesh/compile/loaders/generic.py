"""TorchScript on the CPU."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError

MODEL_FILE = "model.pt"


class TorchNetwork:
    """A torch module, traced or not."""

    def __init__(self, module: Any, *, fixed_shapes: bool = False) -> None:
        self._module = module
        self.fixed_shapes = fixed_shapes

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the module's only output, without gradients."""
        with torch.inference_mode():
            output: NDArray[np.float32] = self._module(
                torch.from_numpy(input_ids), torch.from_numpy(attention_mask)
            ).numpy()
        return output


def load(directory: Path, spec: CompileSpec, threads: int) -> TorchNetwork:  # noqa: ARG001
    """Load `model.pt`, a TorchScript archive; its reader makes no Python objects.

    `threads` applies to all of torch in this process.

    Raises:
        MeshError: torch refuses the file.
    """
    torch.set_num_threads(threads)
    return TorchNetwork(load_script(directory / MODEL_FILE))


def load_script(path: Path) -> Any:
    """Load a TorchScript archive.

    Raises:
        MeshError: torch refuses the file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript itself is deprecated
            return torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MeshError(f"torch {torch.__version__} can't load {path}: {reason}") from error
