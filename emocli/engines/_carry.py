"""Recurrent layers that go on from the state they ended with: a sequence run in pieces gives what it gives whole."""

import copy

from onnx import ModelProto, TensorProto, helper

from emocli import onnx_file, onnx_graph
from emocli.errors import EmoError

States = dict[str, tuple[str, tuple[int, ...]]]
"""The input that takes each state, the output that gives the next one, and its shape."""


def carried(model: ModelProto, source: str) -> tuple[ModelProto, States]:
    """Return a copy, for one sequence at a time, in which every LSTM begins with an input and ends with an output.

    The file holds the plain graph, which all else runs. Raises EmoError for a model whose header does not say that no
    frame depends on a later one.
    """
    if "causal" not in onnx_file.header_of(model, source).extra:
        raise EmoError(
            f"{source} looks ahead, so it can't go on from its state; run it on whole clips, or train an lstm"
        )
    model = copy.deepcopy(model)
    states: States = {}
    for index, node in enumerate(node for node in model.graph.node if node.op_type == "LSTM"):
        shape = (1, 1, int(onnx_graph.attribute(node, "hidden_size")))
        names = [(f"state.{index}.{what}", f"next.{index}.{what}") for what in ("hidden", "cell")]
        # X, W, R, B, no lengths, then the states; Y, then the states
        node.input.extend([""] * (5 - len(node.input)) + [before for before, _ in names])
        outputs = [node.output[0], *(after for _, after in names)]
        del node.output[:]
        node.output.extend(outputs)
        for before, after in names:
            model.graph.input.append(helper.make_tensor_value_info(before, TensorProto.FLOAT, shape))
            model.graph.output.append(helper.make_tensor_value_info(after, TensorProto.FLOAT, shape))
            states[before] = after, shape
    return model, states
