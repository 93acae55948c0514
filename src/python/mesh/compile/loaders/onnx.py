"""ONNX Runtime on the CPU."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError

MODEL_FILE = "model.onnx"


class OnnxNetwork:
    """A session; it releases the interpreter lock while it computes, so threads run in parallel."""

    fixed_shapes = False

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the network's only output."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        output: NDArray[np.float32] = self._session.run(None, inputs)[0]
        return output


def load(directory: Path, spec: CompileSpec, threads: int) -> OnnxNetwork:  # noqa: ARG001
    """Open `model.onnx`; the weights beside it are mapped into memory, not read.

    Raises:
        MeshError: ONNX Runtime refuses the file.
    """
    path = directory / MODEL_FILE
    try:
        return OnnxNetwork(
            onnxruntime.InferenceSession(
                str(path), session_options(threads), providers=["CPUExecutionProvider"]
            )
        )
    except Exception as error:  # onnxruntime's own errors have no common base class
        raise MeshError(
            f"ONNX Runtime {onnxruntime.__version__} can't load {path}: {error}"
        ) from error


def session_options(threads: int) -> Any:
    """Options for a graph that was optimized at compile time."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads that spin would take the cores from other workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A memory plan is kept for every shape, and with free lengths the number of shapes is
    # unbounded.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return options
