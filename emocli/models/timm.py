"""Any classification model of timm by its name: --arch timm/resnet18; it runs at the size of the features.

Options:
    name: the model's name in timm
    pretrained: start from the published ImageNet weights, which are downloaded
    dropout: share of the embedding dropped in training
"""

from typing import Any

import timm
import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier, expect_images


class Standardize(nn.Module):
    """Subtract the mean and divide by the deviation that the model's weights were trained with."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], channels: int) -> None:
        super().__init__()
        if channels != len(mean):  # gray pixels, or channels that ImageNet doesn't have: one figure for all
            mean, std = (sum(mean) / len(mean),), (sum(std) / len(std),)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def build(
    shape: tuple[int, ...], classes: int, *, name: str = "resnet18", pretrained: bool = False, dropout: float = 0.2
) -> nn.Module:
    """Return the net for images of `shape`; raises EmoError for an unknown name or weights that can't be had."""
    channels, height, width = expect_images(f"timm/{name}", shape)
    if not timm.is_model(name):
        close = timm.list_models(f"*{name}*")[:3]
        hint = f"; did you mean {', '.join(close)}?" if close else "; see timm.list_models()"
        raise EmoError(f"timm has no model {name!r}{hint}")
    try:
        net = _create(name, pretrained, channels, (height, width))
    except Exception as fault:
        # timm and its hub raise many kinds; without weights the fault is ours and keeps its traceback.
        if not pretrained:
            raise
        raise EmoError(f"timm/{name} has no weights to be had here; leave out -p pretrained=true") from fault
    config: Any = net.pretrained_cfg
    features = nn.Sequential(Standardize(tuple(config["mean"]), tuple(config["std"]), channels), net)
    with torch.no_grad():  # timm's num_features is not always the width of what comes out
        embedding = features.eval()(torch.zeros(1, *shape))
    return Classifier(features.train(), embedding.shape[1], classes, dropout=dropout, pool=False)


def _create(name: str, pretrained: bool, channels: int, size: tuple[int, int]) -> nn.Module:
    common: dict[str, Any] = {"pretrained": pretrained, "in_chans": channels, "num_classes": 0}
    try:  # transformers have their grid fixed when they are made; convolutional nets don't know this argument
        return timm.create_model(name, img_size=size, **common)
    except TypeError:
        return timm.create_model(name, **common)
