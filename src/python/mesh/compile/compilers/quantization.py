"""Dynamic quantization of an ONNX network to int8, per channel of the weights and per token.

Each product of activations with constant weights is computed in integers. Weights are rounded once,
with a scale for each output channel. Activations are rounded as they come, with a scale for each
token: with one scale for all, as `onnxruntime.quantization` does it, a text's result depends on the
other texts of its batch. The network says how for ONNX Runtime; OpenVINO does it by itself, for
layers that are large enough.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from mesh.core.errors import MeshError

ACTIVATION_LEVELS = 127
"""The largest activation of a token, in its own scale; they are stored as 128 more, unsigned."""
WEIGHT_LEVELS = 63
"""The largest weight of a channel, in its own scale: 7 bits.

Processors without VNNI add two products in 16 bits: 2 * 255 * 63 fits, and 2 * 255 * 127 doesn't.
So all of them compute the same.
"""
OPENVINO_WEIGHT_LEVELS = 127
"""The same for OpenVINO, which multiplies in float32 where a processor lacks VNNI."""

Rewrite = Callable[[Iterable[NodeProto], set[str]], Iterator[NodeProto]]
"""Makes a network's nodes anew from them and from the outputs of its products."""

_MICROSOFT = "com.microsoft"
_SCALE, _ZERO_POINT, _LAST_AXIS, _LEAST = (
    f"quantization.{name}" for name in ("scale", "zero_point", "last_axis", "least")
)


def quantize(network: Path, target: Path) -> None:
    """Write a network whose products with constant weights ONNX Runtime computes in int8.

    Args:
        network: ONNX, optimized by ONNX Runtime, with its weights in files beside it.
        target: a file in the same folder; what isn't quantized stays in the files beside `network`.

    Raises:
        MeshError: the network has no such product.
    """
    _quantize(network, target, WEIGHT_LEVELS, _rewritten, _constants())


def quantize_weights(network: Path, target: Path) -> None:
    """Write a network whose constant weights are int8: OpenVINO then rounds activations itself.

    Arguments and errors are those of `quantize`; `network` has no operators of ONNX Runtime alone.
    """
    _quantize(network, target, OPENVINO_WEIGHT_LEVELS, _with_dequantized_weights, ())


def _quantize(
    network: Path,
    target: Path,
    levels: int,
    rewrite: Rewrite,
    constants: Iterable[TensorProto],
) -> None:
    model = onnx.load(network, load_external_data=False)
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    products = [node for node in graph.node if _is_quantizable(node, tensors)]
    if not products:
        raise MeshError(
            "The network multiplies by no constant matrix, so nothing can be computed in int8; "
            "leave int8 out of COMPILE_PRECISIONS."
        )
    added = list(constants)
    for name in {node.input[1]: None for node in products}:
        added += _quantized(name, _read(tensors[name], network.parent), levels)
    nodes = list(rewrite(graph.node, {node.output[0] for node in products}))
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *added])
    onnx.save(model, target)


def _is_quantizable(node: NodeProto, tensors: dict[str, TensorProto]) -> bool:
    weights = tensors.get(node.input[1]) if node.op_type == "MatMul" else None
    return weights is not None and len(weights.dims) == 2


def _read(tensor: TensorProto, folder: Path) -> NDArray[np.float32]:
    found: NDArray[np.float32] = numpy_helper.to_array(tensor, str(folder))
    return found


def _constants() -> Iterator[TensorProto]:
    yield numpy_helper.from_array(np.float32(1 / ACTIVATION_LEVELS).reshape(()), _SCALE)
    yield numpy_helper.from_array(np.uint8(128).reshape(()), _ZERO_POINT)
    yield numpy_helper.from_array(np.array([-1]), _LAST_AXIS)
    # A token of nothing but zeros is divided by it.
    yield numpy_helper.from_array(np.float32(1e-12).reshape(()), _LEAST)


def _quantized(name: str, weights: NDArray[np.float32], levels: int) -> Iterator[TensorProto]:
    """Weights (inputs, channels) as int8, and the scale of each channel."""
    scales = np.maximum(np.abs(weights).max(axis=0), np.float32(1e-12)) / levels
    rounded = np.rint(weights / scales).astype(np.int8)
    yield numpy_helper.from_array(rounded, f"{name}.int8")
    yield numpy_helper.from_array(scales.astype(np.float32), f"{name}.scales")


def _rewritten(nodes: Iterable[NodeProto], products: set[str]) -> Iterator[NodeProto]:
    """The nodes, with products in integers; an activation is quantized once for all of them.

    Args:
        products: their outputs.
    """
    quantized: set[str] = set()
    for node in nodes:
        if node.output[0] not in products:
            yield node
            continue
        activation, weights = node.input
        if activation not in quantized:
            quantized.add(activation)
            yield from _quantize_tokens(activation)
        product = f"{node.output[0]}.of_int8"
        inputs = [f"{activation}.int8", f"{weights}.int8", _SCALE, f"{weights}.scales", _ZERO_POINT]
        yield helper.make_node("MatMulIntegerToFloat", inputs, [product], domain=_MICROSOFT)
        yield helper.make_node("Mul", [product, f"{activation}.largest"], [node.output[0]])


def _quantize_tokens(name: str) -> Iterator[NodeProto]:
    """Divide each token's activations by the largest of them, and round them."""
    absolute, most, largest, scaled = (
        f"{name}.{step}" for step in ("absolute", "most", "largest", "scaled")
    )
    yield helper.make_node("Abs", [name], [absolute])
    yield helper.make_node("ReduceMax", [absolute, _LAST_AXIS], [most], keepdims=1)
    yield helper.make_node("Max", [most, _LEAST], [largest])
    yield helper.make_node("Div", [name, largest], [scaled])
    yield helper.make_node("QuantizeLinear", [scaled, _SCALE, _ZERO_POINT], [f"{name}.int8"])


def _with_dequantized_weights(
    nodes: Iterable[NodeProto], products: set[str]
) -> Iterator[NodeProto]:
    """The nodes, with products by weights that are made of int8; see `_rewritten`."""
    made: set[str] = set()
    for node in nodes:
        if node.output[0] in products:
            weights = node.input[1]
            if weights not in made:
                made.add(weights)
                rounded = [f"{weights}.int8", f"{weights}.scales"]
                yield helper.make_node("DequantizeLinear", rounded, [f"{weights}.made"], axis=1)
            node.input[1] = f"{weights}.made"
        yield node
