"""The devices of torch: the processor, and GPUs of NVIDIA's kind."""

import torch

from mesh.core.devices import AUTO, CPU, CUDA
from mesh.core.errors import MeshError


def missing_cuda() -> str | None:
    """Why torch can't compute on a GPU here, as a clause; None if it can."""
    if torch.cuda.is_available():
        return None
    if torch.version.cuda is None and torch.version.hip is None:
        return f"torch {torch.__version__} is built without CUDA"
    return f"torch {torch.__version__} finds no GPU that it can use, nor its driver"


def require_cuda(setting: str) -> None:
    """Make sure that torch can compute on a GPU.

    Args:
        setting: names who wants it, such as `TRAIN_DEVICE=cuda`.

    Raises:
        MeshError: it can't.
    """
    if reason := missing_cuda():
        raise MeshError(
            f"{setting} can't be used here: {reason}. Use a machine with a GPU and a build of torch "
            "for it (docs/training.md#gpus), or compute on the CPU by cpu."
        )


def torch_device(device: str) -> str:
    """The device for `auto`, `cpu` or `cuda`; `auto` is a GPU where there is one."""
    if device == AUTO:
        return CPU if missing_cuda() else CUDA
    return device
