"""Number format and memory layout of a training run: what is fastest for the net at hand, and never what crashes."""

from dataclasses import dataclass

import torch
from torch import nn

from emocli.errors import EmoError


@dataclass(frozen=True, slots=True)
class Plan:
    """Autocast to bf16 or not, and channels last or not."""

    bf16: bool
    channels_last: bool

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def __str__(self) -> str:
        return f"{'bf16' if self.bf16 else 'fp32'}, {'channels-last' if self.channels_last else 'contiguous'}"


def choose(net: nn.Module, precision: str = "auto", layout: str = "auto", device: str = "cpu") -> Plan:
    """Return the plan for a net; raises EmoError for a pair that crashes torch.

    Measured on two Zen 4 cores: dense nets train twice as fast in bf16 and channels last as in plain fp32; depthwise
    nets gain most from channels last in fp32 (MobileNetV2 1.8 times), and lose a third of that in bf16. With AMX their
    1x1 convolutions gain more from bf16 than the rest loses.
    """
    convolutions = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    depthwise = any(conv.groups > 1 for conv in convolutions)
    fragile = device == "cpu" and any(map(_overruns, convolutions))
    if precision == "auto":
        bf16 = bool(convolutions) and (device == "cuda" or (_has_bf16() and (fragile or not depthwise or _has_amx())))
    else:
        bf16 = precision == "bf16"
    if layout == "channels-last" and fragile and not bf16:
        raise EmoError(
            "this architecture crashes torch in fp32 with channels-last; use --layout auto or --precision bf16"
        )
    channels_last = bool(convolutions) and (layout == "channels-last" or (layout == "auto" and (bf16 or not fragile)))
    return Plan(bf16, channels_last)


def lay_out(net: nn.Module, layout: torch.memory_format) -> nn.Module:
    """Put the weights of a net into a memory layout, in place."""
    return net.to(memory_format=layout)  # type: ignore[call-overload, no-any-return]


def _overruns(conv: nn.Conv2d) -> bool:
    """Say whether its fp32 channels-last backward pass may write out of bounds (torch 2.11, segmentation fault).

    It does for strided 1x1 convolutions with fewer than 16 input channels, such as mini-Xception's shortcuts. Other
    numbers that are no multiple of a vector are kept away from it too: that costs little, a crash costs the run.
    """
    return conv.kernel_size == (1, 1) and max(conv.stride) > 1 and conv.groups == 1 and conv.in_channels % 16 != 0


def _has_bf16() -> bool:
    """Say whether this CPU multiplies bf16 in hardware; emulated it is slower than fp32."""
    return _cpu_says("_is_avx512_bf16_supported")


def _has_amx() -> bool:
    """Say whether this CPU multiplies bf16 by the tile, many times as fast as it does anything else."""
    return _cpu_says("_is_amx_tile_supported")


def _cpu_says(question: str) -> bool:
    """Ask torch about this CPU; no where this torch doesn't know the question."""
    answer = getattr(torch.cpu, question, None)
    return bool(answer and answer())
