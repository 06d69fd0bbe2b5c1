"""Nets as after training, their model files, and what is shown to them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from emocli import architectures, labels, onnx_file
from emocli.artifact import Header
from emocli.training import export, loop

SHAPE = (1, 48, 48)


def made(arch: str, options: dict[str, Any], shape: tuple[int, ...] = SHAPE) -> nn.Module:
    """An architecture in eval mode with norms as after training: none of them the identity."""
    name, params = architectures.resolve(arch, options)
    net = loop.make(name, shape, 7, params, seed=1)
    generator = torch.Generator().manual_seed(2)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            size = module.weight.shape
            module.weight.data = torch.rand(size, generator=generator) * 0.5 + 0.5
            module.bias.data = torch.rand(size, generator=generator) - 0.5
            module.running_mean = torch.randn(size, generator=generator) * 0.1
            module.running_var = torch.rand(size, generator=generator) + 0.5
    return net.eval()


def written(net: nn.Module, arch: str, options: dict[str, Any], folder: Path) -> Path:
    """The model file of a net, with the header that training writes."""
    name, params = architectures.resolve(arch, options)
    step = {"command": "train", "name": name, "params": params, "input": "sha256:0"}
    model = export.to_onnx(net, SHAPE)
    onnx_file.write_header(model, Header("model", labels.SEVEN, (step,), "fp32"))
    onnx_file.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def pixels(n: int) -> np.ndarray:
    """Images as a model takes them."""
    return np.random.default_rng(n).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def scaled(images: np.ndarray) -> torch.Tensor:
    """The same as a net takes them."""
    return torch.from_numpy(images).float() / 255
