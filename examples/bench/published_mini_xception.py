"""The published mini_XCEPTION (Arriaga 2017) as an emo model, so that it is scored by the same `emo eval` as ours.

    python examples/bench/published_mini_xception.py fer2013_mini_XCEPTION.107-0.66.hdf5 peer.onnx

The Keras weights fill the net of `--arch mini-xception`; its input is 64x64: emo features fer2013 -p size=64.
"""

from pathlib import Path

import h5py
import torch
from torch import nn

from emocli import labels, onnx_file
from emocli.artifact import Header
from emocli.models import mini_xception
from emocli.training import export

SHAPE = (1, 64, 64)


def net_of(path: Path) -> nn.Module:
    """Return the net filled with Keras's weights: kernels are (h, w, in, out), depthwise (h, w, in, 1)."""
    net = mini_xception.build(SHAPE, 7)
    with h5py.File(path) as file:
        weights = file["model_weights"]

        def conv(module: nn.Module, layer: str, kernel: str = "kernel", *, depthwise: bool = False) -> None:
            axes = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
            array = weights[f"{layer}/{layer}_1/{kernel}:0"][:].transpose(axes)
            module.weight.data = torch.from_numpy(array.copy())

        def norm(module: nn.Module, number: int) -> None:
            folder = weights[f"batch_normalization_{number}/batch_normalization_{number}_1"]
            module.weight.data, module.bias.data = (
                torch.from_numpy(folder[f"{name}:0"][:]) for name in ("gamma", "beta")
            )
            module.running_mean = torch.from_numpy(folder["moving_mean:0"][:])
            module.running_var = torch.from_numpy(folder["moving_variance:0"][:])

        layers: list[nn.Module] = list(net.features)  # type: ignore[arg-type]
        for number, (at, normed) in enumerate(((1, 2), (4, 5)), 1):
            conv(layers[at], f"conv2d_{number}")
            norm(layers[normed], number)
        for index, module in enumerate(layers[7:]):
            for half in (0, 1):
                name = f"separable_conv2d_{2 * index + half + 1}"
                conv(module.branch[4 * half], name, "depthwise_kernel", depthwise=True)
                conv(module.branch[4 * half + 1], name, "pointwise_kernel")
                norm(module.branch[4 * half + 2], 3 * index + 4 + half)
            conv(module.shortcut[0], f"conv2d_{index + 3}")
            norm(module.shortcut[1], 3 * index + 3)
        conv(net.head, "conv2d_7")
        net.head.bias.data = torch.from_numpy(weights["conv2d_7/conv2d_7_1/bias:0"][:])
    return net.eval()


def main(weights: str, target: str) -> None:
    """Write the model artifact."""
    step = {"command": "train", "name": "mini-xception", "params": {}, "input": "", "license": "MIT"}
    features = {"command": "features", "name": "pixels", "params": {"size": 64}, "detector": "none"}
    model = export.to_onnx(net_of(Path(weights)), SHAPE)
    onnx_file.write_header(model, Header("model", labels.SEVEN, (features, step), "fp32"))
    onnx_file.save(model, Path(target))


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))
