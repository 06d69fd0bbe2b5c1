"""A convolution that trains faster where oneDNN's own is slowest in bf16: small maps and some depthwise kernels."""

from typing import Any

import torch
from torch import Tensor, nn

_PIXELS = 16
"""Up to so many pixels of its output a convolution in bf16 is quicker as one matrix product (measured on Zen 5)."""


class Convolution(nn.Conv2d):
    """nn.Conv2d; training on the CPU in bf16, one matrix product for maps of up to 4x4, and fp32 for some in groups.

    Gradients are what gains. From the product that of the weights: 13 ms become 4 for 384 channels and a batch of 128
    maps of 3x3. From fp32 those of depthwise kernels with a stride or wider than 3x3: with stride 2, 99 ms become 6 for
    192 channels and maps of 12x12.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or x.dtype != torch.bfloat16 or x.device.type != "cpu":
            return super().forward(x)
        if self.groups > 1:
            return self._in_groups(x)
        if not self._is_small(x):
            return super().forward(x)
        step, pad = int(self.stride[0]), int(self.padding[0])
        maps: Tensor = _Product.apply(x, self.weight.to(x.dtype), step, pad)  # type: ignore[no-untyped-call]
        return maps if self.bias is None else maps + self.bias.to(x.dtype)[:, None, None]

    def _in_groups(self, x: Tensor) -> Tensor:
        if self.stride[0] == 1 and self.kernel_size[0] <= 3:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            maps: Tensor = self._conv_forward(x.float(), self.weight.float(), self.bias)
        return maps.to(x.dtype)

    def _is_small(self, x: Tensor) -> bool:
        kernel, step, pad = self.kernel_size[0], self.stride[0], int(self.padding[0])
        height, width = ((side + 2 * pad - kernel) // step + 1 for side in x.shape[2:])
        return height * width <= _PIXELS


class _Product(torch.autograd.Function):
    """Convolution of NHWC maps: each output pixel's patch is a row, and the weights are a matrix."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, step: int, pad: int) -> Tensor:
        patches, side = _patches(x, weight.shape[2], step, pad)
        ctx.save_for_backward(x, weight, patches)
        ctx.step, ctx.pad = step, pad
        product = patches @ weight.permute(0, 2, 3, 1).reshape(len(weight), -1).T
        return product.view(len(x), *side, len(weight)).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None, None]:
        x, weight, patches = ctx.saved_tensors
        rows = gradients[0].permute(0, 2, 3, 1).reshape(-1, len(weight))
        outputs, inputs, *kernel = weight.shape
        of_weight = (rows.T @ patches).view(outputs, *kernel, inputs).permute(0, 3, 1, 2)
        both = ([ctx.step] * 2, [ctx.pad] * 2, [1, 1])
        of_x, _, _ = torch.ops.aten.convolution_backward(
            gradients[0], x, weight, None, *both, False, [0, 0], 1, [True, False, False]
        )
        return of_x, of_weight, None, None


def _patches(x: Tensor, kernel: int, step: int, pad: int) -> tuple[Tensor, tuple[int, int]]:
    """Return (n·height·width, kernel·kernel·channels) patches, and height and width of the output."""
    maps = nn.functional.pad(x.permute(0, 2, 3, 1), (0, 0, pad, pad, pad, pad))
    n, *sides, channels = maps.shape
    height, width = ((side - kernel) // step + 1 for side in sides)
    of_image, down, right, across = maps.stride()
    shape = (n, height, width, kernel, kernel, channels)
    windows = maps.as_strided(shape, (of_image, step * down, step * right, down, right, across))
    return windows.reshape(n * height * width, -1), (height, width)
