"""The torch module that a model artifact was exported from: architecture from the header, weights from the file."""

from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch import nn

from emocli import architectures, onnx_file, onnx_graph
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.training import classical
from emocli.training.fusion import fused


def rebuild(path: Path) -> nn.Module:
    """Return the module of an FP32 model file, in eval mode; raises EmoError when the file can't give one."""
    model = onnx_file.load(path)
    return from_model(model, onnx_file.header_of(model, str(path)), str(path))


def from_model(model: onnx.ModelProto, header: Header, source: str = "the model") -> nn.Module:
    """Return the module of a loaded model: it gives the same logits as the model, from pixels scaled to 0..1.

    A net that is fused on export comes back fused.
    """
    step = header.step("train", "distill")
    if step is None or "params" not in step or header.precision not in ("", "fp32"):
        raise EmoError(f"{source} is no FP32 model of emo train or emo distill; name the model it was made from")
    params = {**step["params"], **({"pretrained": False} if "pretrained" in step["params"] else {})}
    shape = tuple(-1 if axis is None else axis for axis in onnx_graph.axes(model.graph.input[0].type.tensor_type)[1:])
    net: nn.Module = architectures.build(step["name"], shape, len(header.labels), params)
    net = fused(net)
    _fill(net, {tensor.name: tensor for tensor in model.graph.initializer}, source)
    return net.eval()


def _fill(net: nn.Module, tensors: dict[str, onnx.TensorProto], source: str) -> None:
    state = net.state_dict()
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):  # counts training steps, is not part of the graph
            continue
        if name not in tensors:
            raise EmoError(
                f"{source} lacks the weights {name!r} of its architecture; train it with this version of emo"
            )
        array = np.array(onnx.numpy_helper.to_array(tensors[name]))
        if array.shape != tuple(value.shape) and not classical.is_fitted(net):  # those are as large as their data ask
            raise EmoError(
                f"{source} has weights {name!r} of shape {array.shape}, its header says {tuple(value.shape)}"
            )
        state[name] = torch.from_numpy(array)
    net.load_state_dict(state)
