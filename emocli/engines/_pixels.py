"""Pixels as the first codes of an INT8 model: they are whole numbers from 0 to 255 already.

A model scales and normalises its pixels in float and quantizes the result. Where all of that multiplies and shifts
every pixel alike, the codes can be the pixels themselves, with the scale and zero point of that line: nothing is
computed and nothing is rounded.
"""

import math

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from emocli import onnx_graph


def take_as_codes(model: ModelProto) -> None:
    """Let the first convolution of an INT8 model take the uint8 input, where what is between them allows it."""
    graph = model.graph
    entry = graph.input[0]
    if entry.type.tensor_type.elem_type != TensorProto.UINT8:
        return
    path = _path(graph)
    line = _line(path, onnx_graph.constants(graph))
    sides = [axis.dim_value for axis in entry.type.tensor_type.shape.dim[1:]]
    last = path[-1] if path else None
    if line is None or last is None or last.op_type != "QuantizeLinear" or len(sides) != 3 or not all(sides):
        return
    moved = sum(node.op_type == "SpaceToDepth" for node in path)
    if moved > 1 or (moved and sides[0] != 1):
        return
    convolutions = _convolutions(graph, last)
    if convolutions:
        source, nodes = entry.name, []
        for node in path:
            if node.op_type == "SpaceToDepth":
                nodes = _space_to_depth(graph, node, source, sides)
                source = nodes[-1].output[0]
        _connect(graph, last, source, line, convolutions)
        onnx_graph.replace_nodes(graph, [*nodes, *graph.node])
        onnx_graph.prune(graph)


def _path(graph: GraphProto) -> list[NodeProto]:
    """Return the nodes from the input on, as long as each has one taker, up to the first quantizer."""
    takers = onnx_graph.consumers(graph)
    found: list[NodeProto] = []
    name = graph.input[0].name
    while len(takers[name]) == 1 and (not found or found[-1].op_type != "QuantizeLinear"):
        found.append(takers[name][0])
        name = found[-1].output[0]
    return found


def _line(path: list[NodeProto], known: dict[str, np.ndarray]) -> tuple[float, float] | None:
    """Return the factor and the pixel value that becomes 0, None where pixels go through anything but a rising line."""
    ends = np.array([0.0, 255.0])
    for node in path:
        if node.op_type in ("Add", "Div", "Mul", "Sub"):
            number = known.get(node.input[1])
            if number is None or number.size != 1:
                return None
            function = {"Add": np.add, "Div": np.divide, "Mul": np.multiply, "Sub": np.subtract}[node.op_type]
            ends = function(ends, float(number.reshape(-1)[0]))
        elif node.op_type not in ("Cast", "SpaceToDepth", "QuantizeLinear"):
            return None
    factor = (ends[1] - ends[0]) / 255
    # zero is what convolutions pad with, so it must be a code
    return (factor, -ends[0] / factor) if math.isfinite(factor) and factor > 0 >= ends[0] and ends[1] >= 0 else None


def _convolutions(graph: GraphProto, quantizer: NodeProto) -> list[tuple[NodeProto, NodeProto]]:
    """Return each convolution of the codes with its weight's DequantizeLinear; none if anything else takes them."""
    takers, makers, known = onnx_graph.consumers(graph), onnx_graph.producers(graph), onnx_graph.constants(graph)
    found = []
    for dequantizer in takers[quantizer.output[0]]:
        for node in takers[dequantizer.output[0]]:
            weight = makers.get(node.input[1]) if len(node.input) == 3 and node.op_type == "Conv" else None
            if (
                weight is None
                or weight.op_type != "DequantizeLinear"
                or not {*weight.input, node.input[2]} <= set(known)
            ):
                return []
            found.append((node, weight))
    return found


def _space_to_depth(graph: GraphProto, node: NodeProto, source: str, sides: list[int]) -> list[NodeProto]:
    """Return the same of one channel of uint8; channels come last in memory, as the convolution after it takes them."""
    (_, height, width), block = sides, onnx_graph.attribute(node, "blocksize")
    blocks = [-1, height // block, block, width // block, block]
    shape = [-1, height // block, width // block, block**2]
    apart, ordered, joined = (f"emo/pixels/{name}" for name in ("blocks", "ordered", "joined"))
    return [
        helper.make_node("Reshape", [source, onnx_graph.put(graph, f"{apart}/shape", np.array(blocks))], [apart]),
        helper.make_node("Transpose", [apart], [ordered], perm=[0, 1, 3, 2, 4]),
        helper.make_node("Reshape", [ordered, onnx_graph.put(graph, f"{joined}/shape", np.array(shape))], [joined]),
        helper.make_node("Transpose", [joined], ["emo/pixels"], perm=[0, 3, 1, 2]),
    ]


def _connect(
    graph: GraphProto,
    quantizer: NodeProto,
    source: str,
    line: tuple[float, float],
    convolutions: list[tuple[NodeProto, NodeProto]],
) -> None:
    """Let what takes the codes take the pixels; a bias makes up for a zero point that is no whole number."""
    factor, zero = line
    known, takers = onnx_graph.constants(graph), onnx_graph.consumers(graph)
    scale = onnx_graph.put(graph, "emo/pixels/scale", np.asarray(factor, np.float32))
    place = onnx_graph.put(graph, "emo/pixels/zero", np.asarray(round(zero), np.uint8))
    for dequantizer in takers[quantizer.output[0]]:
        dequantizer.input[:] = [source, scale, place]
    for node, weight in convolutions:
        codes, steps = known[weight.input[0]].astype(np.float64), known[weight.input[1]]
        sums = codes.reshape(len(codes), -1).sum(axis=1) * steps
        bias = known[node.input[2]] + factor * (round(zero) - zero) * sums
        # named after the output, as two may share a bias
        node.input[2] = onnx_graph.put(graph, f"{node.output[0]}/pixels", bias.astype(np.float32))
