"""The devices of torch: the processor, and GPUs of NVIDIA's kind.

Nothing here imports torch if its version tells that it knows no GPU.
"""

import importlib.metadata
import sys

from mesh.core.devices import AUTO, CPU, CUDA
from mesh.core.errors import MeshError


def missing_cuda() -> str | None:
    """Why torch can't compute on a GPU here, as a clause; None if it can."""
    version = _version()
    if "torch" not in sys.modules and version.endswith("+cpu"):
        return f"torch {version} is built without CUDA"
    import torch

    if torch.cuda.is_available():
        return None
    if torch.version.cuda is None and torch.version.hip is None:
        return f"torch {version} is built without CUDA"
    return f"torch {version} finds no GPU that it can use, or no driver for it"


def require_cuda(named: str) -> None:
    """Make sure that torch can compute on a GPU.

    Args:
        named: who wants it, such as `TRAIN_DEVICE=cuda`.

    Raises:
        MeshError: it can't.
    """
    if reason := missing_cuda():
        raise MeshError(
            f"{named} can't be used here: {reason}. Use a machine with a GPU and a build of torch "
            f"for it (docs/training.md#gpus), or {CPU} in place of {CUDA}."
        )


def torch_device(device: str) -> str:
    """The device for `auto`, `cpu` or `cuda`; `auto` is a GPU where there is one."""
    if device == AUTO:
        return CPU if missing_cuda() else CUDA
    return device


def _version() -> str:
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError as error:
        raise MeshError("The package torch isn't installed here.") from error
