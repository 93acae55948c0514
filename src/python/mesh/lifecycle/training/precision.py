"""The numbers that a training multiplies.

Weights, optimizer and sums stay float32; the inputs of matrix products are rounded to bfloat16.
"""

from typing import Literal

from mesh.core.errors import MeshError
from mesh.lifecycle.training.team import is_gpu_used

Precision = Literal["bfloat16", "float32"]

_OF_PROCESSORS = ("amx_bf16", "avx512_bf16")


def find_precision(wanted: Literal["auto", "bfloat16", "float32"], device: str) -> Precision:
    """What `TRAIN_PRECISION` means with this `TRAIN_DEVICE` on this machine.

    Raises:
        MeshError: bfloat16 is wanted, and the device doesn't multiply it.
    """
    if wanted == "float32":
        return "float32"
    has_it = _has_bfloat16(device)
    if wanted == "bfloat16" and not has_it:
        raise MeshError(
            "TRAIN_PRECISION=bfloat16 needs a GPU or a processor that multiplies bfloat16 (of "
            f"{', '.join(_OF_PROCESSORS)}), and this one doesn't; use auto or float32."
        )
    return "bfloat16" if has_it else "float32"


def _has_bfloat16(device: str) -> bool:
    """Whether the device multiplies it itself; an emulation is slower than float32."""
    import torch

    if is_gpu_used(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu" and torch.backends.mps.is_available():
        return False
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in _OF_PROCESSORS)
