"""Computations in native code, for tests of programs that end during them."""

from collections.abc import Callable

import numpy as np
import onnxruntime


def compute_until(done: Callable[[], bool]) -> None:
    """Multiply matrices in ONNX Runtime, which releases the interpreter each time."""
    session = onnxruntime.InferenceSession(_square(), providers=["CPUExecutionProvider"])
    matrix = np.ones((512, 512), np.float32)
    while not done():
        session.run(None, {"a": matrix})


def _square() -> bytes:
    """An ONNX model that multiplies a matrix of any size by itself, in Protobuf's wire format."""
    floats = _field(2, _field(1, _field(1, 1)))
    node = _field(1, "a") + _field(1, "a") + _field(2, "b") + _field(4, "MatMul")
    inputs, outputs = _field(11, _field(1, "a") + floats), _field(12, _field(1, "b") + floats)
    graph = _field(1, node) + _field(2, "square") + inputs + outputs
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 17))


def _field(number: int, value: str | bytes | int) -> bytes:
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2, len(data)]) + data
