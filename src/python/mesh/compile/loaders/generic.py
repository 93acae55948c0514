"""TorchScript, on the CPU or a GPU."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mesh.compile.spec import CompileSpec
from mesh.compile.text_model import Use
from mesh.compile.torch_device import require_cuda
from mesh.core.devices import CPU, CUDA, require_own
from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32, Precision

MODEL_FILE = "model.pt"


class TorchNetwork:
    """A torch module, traced or not.

    Args:
        device: where the module is, and gets its inputs.
    """

    few_shapes = False

    def __init__(self, module: Any, device: str = CPU, *, fixed_shapes: bool = False) -> None:
        self._module = module
        self._device = device
        self.fixed_shapes = fixed_shapes
        self.precision = FLOAT32
        self.runs_on: tuple[str, ...] = (device,)

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the module's only output, without gradients."""
        with torch.inference_mode():
            output: NDArray[np.float32] = (
                self._module(
                    torch.from_numpy(input_ids).to(self._device),
                    torch.from_numpy(attention_mask).to(self._device),
                )
                .cpu()
                .numpy()
            )
        return output


def require(device: str, named: str) -> None:
    """Make sure that torch has a device.

    Args:
        named: who wants it, such as `SERVE_DEVICE=cuda`.

    Raises:
        MeshError: it hasn't.
    """
    require_own(device, named, "generic", (CPU, CUDA), f"{CPU} or {CUDA}")
    if device == CUDA:
        require_cuda(named)


def precisions() -> tuple[Precision, ...]:
    """The precisions that programs in TorchScript compute in."""
    return (FLOAT32,)


def load(directory: Path, spec: CompileSpec, use: Use) -> TorchNetwork:
    """Load `model.pt`, a TorchScript archive; its reader makes no Python objects.

    `use.threads` applies to all of torch in this process.

    Raises:
        MeshError: torch refuses the file, or it is for another device.
    """
    if use.device != spec.device:
        raise MeshError(
            f"TorchScript runs on the device alone that it was traced on, {spec.device!r}; compile "
            f"the model for {use.device!r} (COMPILE_DEVICE)."
        )
    torch.set_num_threads(use.threads)
    return TorchNetwork(load_script(directory / MODEL_FILE, use.device), use.device)


def load_script(path: Path, device: str = CPU) -> Any:
    """Load a TorchScript archive.

    Raises:
        MeshError: torch refuses the file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript itself is deprecated
            return torch.jit.load(str(path), map_location=device)
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MeshError(f"torch {torch.__version__} can't load {path}: {reason}") from error
