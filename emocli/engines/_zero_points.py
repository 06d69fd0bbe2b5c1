"""Other zero points for the same INT8 codes, which ONNX Runtime's kernels fuse and the symmetric ones they don't.

A model is stored with int8 activations around zero point 0, as TensorRT wants them. ONNX Runtime takes the ReLU into
the convolution only if the lowest code means 0, and else runs the convolution in float: slower than the FP32 model.
"""

import copy

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from emocli import onnx_graph

_NOT_NEGATIVE = frozenset({"Abs", "Exp", "HardSigmoid", "Relu", "Sigmoid", "Softmax"})
_AS_INPUTS = frozenset({"Add", "Concat", "Div", "Max", "Mul", "Min"})
_QUANTIZERS = frozenset({"DequantizeLinear", "QuantizeLinear"})
_POOLS = frozenset({"AveragePool", "GlobalAveragePool", "ReduceMax", "ReduceMean"})
_AS_INPUT = onnx_graph.SAME_VALUES | _POOLS | _QUANTIZERS | {"Cast", "Resize"}


def is_symmetric(model: ModelProto) -> bool:
    """Whether the model has activations quantized to int8 with zero point 0."""
    known = onnx_graph.constants(model.graph)
    return any(_is_symmetric(node, known) for node in model.graph.node)


def shift(model: ModelProto) -> ModelProto:
    """Return a copy with uint8 for int8 activations of zero point 0: around 0 after a ReLU, around 128 elsewhere.

    The scales and thereby the codes stay, up to that constant. Only a tensor behind Clip(0, m), ReLU6 say, gets the
    scale at which 255 codes end where its 127 codes ended, and the Clip goes: the codes' end does its work.
    """
    model = copy.deepcopy(model)
    graph = model.graph
    known, positive = onnx_graph.constants(graph), _not_negative(graph)
    makers = onnx_graph.producers(graph)
    low = onnx_graph.put(graph, "emo/zero", np.asarray(0, np.uint8))
    middle = onnx_graph.put(graph, "emo/middle", np.asarray(128, np.uint8))
    readers = onnx_graph.consumers(graph)
    for node in list(graph.node):
        if not _is_symmetric(node, known):
            continue
        zero = low if node.input[0] in positive else middle
        cut = _upper_bound(makers.get(node.input[0]), known)
        scale = node.input[1]
        if cut is not None and known[scale] * 127 <= cut * (1 + 1e-6):
            scale = onnx_graph.put(graph, f"{scale}/uint8", known[scale] * np.float32(127 / 255))
            node.input[0] = makers[node.input[0]].input[0]
        for reader in (node, *readers[node.output[0]]):
            if reader.op_type in _QUANTIZERS:
                reader.input[1:] = [scale, zero]
    onnx_graph.prune(graph)
    return model


def _is_symmetric(node: NodeProto, known: dict[str, np.ndarray]) -> bool:
    if node.op_type != "QuantizeLinear" or len(node.input) < 3 or node.input[0] in known:
        return False
    zero = known.get(node.input[2])
    return zero is not None and zero.dtype == np.int8 and not zero.any()


def _not_negative(graph: GraphProto) -> set[str]:
    """Return the tensors that can't hold a negative number, as far as the operators before them tell."""
    known = onnx_graph.constants(graph)
    found = {name for name, value in known.items() if value.dtype.kind in "fiu" and (value >= 0).all()}
    found |= {value.name for value in graph.input if value.type.tensor_type.elem_type == TensorProto.UINT8}
    for node in graph.node:
        if _keeps_sign(node, found, known):
            found.update(node.output)
    return found


def _keeps_sign(node: NodeProto, found: set[str], known: dict[str, np.ndarray]) -> bool:
    if node.op_type in _NOT_NEGATIVE:
        return True
    if node.op_type == "Clip":
        return len(node.input) > 1 and node.input[1] in known and bool(known[node.input[1]] >= 0)
    if node.op_type in _AS_INPUTS:
        return found.issuperset(node.input)
    return node.op_type in _AS_INPUT and node.input[0] in found


def _upper_bound(node: NodeProto | None, known: dict[str, np.ndarray]) -> float | None:
    """Return m of a Clip(0, m), None for any other node."""
    if node is None or node.op_type != "Clip" or len(node.input) < 3:
        return None
    low, high = known.get(node.input[1]), known.get(node.input[2])
    return None if low is None or high is None or low != 0 else float(high)
