"""ONNX Runtime, on one of its execution providers or on several."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mesh.compile.spec import CompileSpec
from mesh.compile.text_model import Use
from mesh.core.devices import CPU, PROVIDERS, providers_of
from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32, INT8, Precision

MODEL_FILE = "model.onnx"
INT8_FILE = "model.int8.onnx"

# GPUs would round what they multiply to 10 bits of its 23.
_OPTIONS = {PROVIDERS["cuda"]: {"use_tf32": "0"}}


class OnnxNetwork:
    """A session; it releases the interpreter lock while it computes, so threads run in parallel."""

    fixed_shapes = False
    few_shapes = False

    def __init__(self, session: Any, precision: Precision) -> None:
        self.precision = precision
        self._session = session
        self.runs_on: tuple[str, ...] = tuple(session.get_providers())

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the network's only output."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        output: NDArray[np.float32] = self._session.run(None, inputs)[0]
        return output


def require(device: str, named: str) -> None:
    """Make sure that this build of ONNX Runtime has a device's execution providers.

    Args:
        named: who wants it, such as `SERVE_DEVICE=cuda`.

    Raises:
        MeshError: it lacks one.
    """
    here = onnxruntime.get_available_providers()
    if missing := [name for name in providers_of(device) if name not in here]:
        raise MeshError(
            f"{named} needs {missing[0]}, which ONNX Runtime "
            f"{onnxruntime.__version__} doesn't have here (it has {', '.join(here)}): install a "
            "build for that device, such as onnxruntime-gpu in place of onnxruntime, or choose "
            "another one (docs/compile.md#devices)."
        )


def precisions() -> tuple[Precision, ...]:
    """The precisions that these networks compute in on any processor, the fastest first."""
    return (INT8, FLOAT32)


def load(directory: Path, spec: CompileSpec, use: Use) -> OnnxNetwork:
    """Open the network of a precision; the weights beside it are mapped into memory, not read.

    Raises:
        MeshError: ONNX Runtime refuses the file, or can't use the device.
    """
    path = directory / (INT8_FILE if use.precision == INT8 else MODEL_FILE)
    providers = providers_of(use.device)
    if use.device != CPU and hasattr(onnxruntime, "preload_dlls"):
        # The libraries of CUDA that pip installed.
        onnxruntime.preload_dlls()
    try:
        session = onnxruntime.InferenceSession(
            str(path),
            session_options(use.threads, optimized=spec.device == CPU),
            providers=[(name, _OPTIONS.get(name, {})) for name in providers],
            # It would compute on the CPU, where a device fails.
            enable_fallback=0,
        )
    except Exception as error:  # onnxruntime's own errors have no common base class
        raise MeshError(
            f"ONNX Runtime {onnxruntime.__version__} can't load {path}: {error}"
        ) from error
    if lacking := [name for name in providers if name not in session.get_providers()]:
        raise MeshError(
            f"ONNX Runtime {onnxruntime.__version__} can't use {lacking[0]} on this machine: there "
            "is no such device, or its driver or libraries are missing (its own message is above)."
        )
    return OnnxNetwork(session, use.precision)


def session_options(threads: int, *, optimized: bool = True) -> Any:
    """Options for a graph.

    Args:
        optimized: whether it was optimized at compile time, for the CPU; others are optimized now,
            for their device.
    """
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_DISABLE_ALL if optimized else levels.ORT_ENABLE_ALL
    )
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads that spin would take the cores from other workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A memory plan is kept for every shape, and with free lengths the number of shapes is
    # unbounded.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return options
