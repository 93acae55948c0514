"""OpenVINO, on the processor, in float32, int8, or a lower precision that the processor has."""

import os
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesh.compile.loaders.onnx import INT8_FILE, MODEL_FILE
from mesh.compile.spec import CompileSpec
from mesh.compile.text_model import Use
from mesh.core.devices import CPU, OPENVINO_CPU, require_own
from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32, INT8, Precision

_KEPT = 64
"""Shapes whose programs are kept.

Each takes up to 0.8 MiB, and with free lengths the number of shapes is unbounded. Without any, a
pass takes 7 % longer.
"""
# Read by oneDNN when it is first used.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(_KEPT))
# A converter of models, whose import alone would report it to its maker, and takes half the time.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]

import openvino  # noqa: E402 - not before the converter is out of the way

_HINTS: Mapping[Precision, str] = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CAPABILITIES: tuple[tuple[str, Precision], ...] = (("BF16", "bfloat16"), ("FP16", "float16"))
"""OpenVINO's names of precisions that are faster than float32 where the processor has them."""
GROUP = 128
"""Neighbouring activations of a token that share a scale in int8; layers with fewer inputs are not
computed in integers. With 64, activations are off by a quarter less and take 8 % more time, and
keywords are as near to those in float32."""
_AMX = ("amx_bf16",)
"""With this, bfloat16 was measured at 3 to 4 times the speed of float32; int8 without it, at 2."""
_VNNI = ("avx512_vnni", "avx_vnni")
"""Without one of these, weights of int8 are multiplied in float32, which saves memory alone."""


class OpenvinoNetwork:
    """A compiled model; each calling thread has a request of its own."""

    fixed_shapes = False
    few_shapes = True
    runs_on = (OPENVINO_CPU,)

    def __init__(self, model: Any, precision: Precision) -> None:
        self.precision = precision
        self._model = model
        self._own = threading.local()

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the network's only output; the interpreter lock is released meanwhile."""
        if not hasattr(self._own, "request"):
            self._own.request = self._model.create_infer_request()
        request = self._own.request
        request.infer({"input_ids": input_ids, "attention_mask": attention_mask}, share_inputs=True)
        # The next pass overwrites the request's own memory.
        output: NDArray[np.float32] = request.get_output_tensor(0).data.copy()
        return output


def require(device: str, named: str) -> None:
    """Make sure that no other device is wanted than the processor."""
    require_own(device, named, "openvino", (CPU,), CPU)


@cache
def precisions() -> tuple[Precision, ...]:
    """The precisions that OpenVINO has on this processor, the fastest first."""
    halves, found = _halves(), _instructions()
    if found.isdisjoint(_VNNI):
        return (*halves, FLOAT32, INT8)
    return (INT8, *halves, FLOAT32) if found.isdisjoint(_AMX) else (*halves, INT8, FLOAT32)


def _halves() -> tuple[Precision, ...]:
    """The precisions of 16 bits that this processor has, the fastest first."""
    found = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(name for own, name in _CAPABILITIES if own in found)


def _instructions() -> frozenset[str]:
    """The instruction sets of this processor, by Linux' names; none where it isn't Linux'."""
    described = Path("/proc/cpuinfo")
    words = described.read_text(encoding="utf-8").split() if described.exists() else ()
    return frozenset(words).intersection(_AMX + _VNNI)


def load(directory: Path, spec: CompileSpec, use: Use) -> OpenvinoNetwork:  # noqa: ARG001
    """Compile the network for this processor; as many passes run at once as there are callers.

    What isn't a product with constant weights is computed in float32 beside int8, or in half of its
    bits where the processor has them.

    Raises:
        MeshError: OpenVINO refuses the file.
    """
    is_int8 = use.precision == INT8
    path = directory / (INT8_FILE if is_int8 else MODEL_FILE)
    computed = next(iter(_halves()), FLOAT32) if is_int8 else use.precision
    options = {
        "INFERENCE_PRECISION_HINT": _HINTS[computed],
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP,
        # Passes of one stream wait for each other.
        "NUM_STREAMS": str(use.callers),
        "INFERENCE_NUM_THREADS": use.callers * use.threads,
        # The cores that a container may use are the kernel's choice.
        "ENABLE_CPU_PINNING": False,
        "CPU_RUNTIME_CACHE_CAPACITY": _KEPT,
    }
    try:
        model = openvino.Core().compile_model(str(path), "CPU", options)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise MeshError(f"OpenVINO {_version()} can't load {path}: {reason}") from error
    return OpenvinoNetwork(model, use.precision)


def _version() -> str:
    return str(openvino.get_version()).partition("-")[0]
