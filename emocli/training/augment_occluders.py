"""Occluders painted on whole batches: a face mask, glasses, a hand, where an aligned crop has eyes, nose and mouth.

Each is a signed distance (negative inside), so that edges are smooth at any size. Places and lengths are shares of the
side, (0, 0) the upper left corner; numbers of each image are (n, 1, 1, 1).
"""

import math

import torch
from torch import Generator, Tensor

from emocli.features._crop import TEMPLATE
from emocli.training.augment_draws import uniform

_EYES = TEMPLATE[0][1]
"""Height of the eyes."""
_APART = TEMPLATE[1][0] - 0.5
"""From the middle to an eye."""
_NOSE, _MOUTH = TEMPLATE[2][1], TEMPLATE[3][1]


def face_mask(images: Tensor, generator: Generator) -> Tensor:
    """Paint a mask from the bridge of the nose to the chin, with ear loops, in a colour of chance."""
    right, down = _places(images)
    off = (right - _near(images, 0.5, 0.03, generator)).abs()
    wide, tall = _near(images, 0.36, 0.04, generator), _near(images, 0.27, 0.03, generator)
    low = down - _near(images, _MOUTH + 0.02, 0.02, generator)
    cloth = _oval(off, low, wide, tall, 2.6)
    edge = _near(images, _NOSE - 0.11, 0.04, generator) + 0.12 * (off / wide).square()
    cloth = torch.maximum(cloth, edge - down)
    loop = (down - edge + (off - 0.9 * wide) * 0.6).abs() - 0.008
    loop = torch.maximum(loop, 0.85 * wide - off)
    # pleats, and darker where the cloth turns away
    fold = 0.95 + 0.05 * torch.cos(low * 2 * math.pi / 0.12) - 0.15 * ((off / wide).square() + (low / tall).square())
    return _painted(images, torch.minimum(cloth, loop), _colour(images, 0.1, 1.0, generator) * fold)


def glasses(images: Tensor, generator: Generator) -> Tensor:
    """Paint glasses with a frame, a bridge and temples; one lens in two is clear, the other dark."""
    right, down = _places(images)
    off = (right - _near(images, 0.5, 0.02, generator)).abs()
    low = down - _near(images, _EYES + 0.01, 0.03, generator)
    wide, tall = _near(images, 0.14, 0.02, generator), _near(images, 0.11, 0.025, generator)
    lens = _oval(off - _APART, low, wide, tall, 3.0)
    thick = _near(images, 0.013, 0.006, generator)
    bar = torch.maximum((low + 0.35 * tall).abs() - thick, -lens)
    bar = torch.maximum(bar, off - 2 * _APART)  # temples end at the ears
    dark = uniform(images, 1, generator).view(-1, 1, 1, 1)
    opacity = torch.where(dark > 0, 0.75 + 0.25 * dark, -0.2 * dark)
    colour = _colour(images, 0.0, 0.35, generator)
    images = _painted(images, lens, 0.5 * colour, opacity)
    return _painted(images, torch.minimum(lens.abs() - thick, bar), colour)


def hand(images: Tensor, generator: Generator) -> Tensor:
    """Paint a hand from the left, the right or below that reaches for cheek or mouth, in the forehead's colour.

    It is six capsules (forearm with palm, four fingers, thumb), each shaded round, so that dark lines part the fingers.
    """
    right, down = _places(images)
    side = torch.randint(0, 3, (len(images),), generator=generator).to(images.device)
    angle = math.pi * (1 - side / 2) + uniform(images, 0.6, generator)
    tip_x, tip_y = _near(images, 0.5, 0.15, generator), _near(images, _MOUTH - 0.1, 0.15, generator)
    size, bent = _near(images, 1.0, 0.2, generator), _near(images, 0.8, 0.2, generator)
    spread, thumb = _near(images, 1.0, 0.8, generator), torch.sign(uniform(images, 1, generator)).view(-1, 1, 1, 1)
    # along the hand from the palm, and across it
    cos, sin = torch.cos(angle).view(-1, 1, 1, 1), -torch.sin(angle).view(-1, 1, 1, 1)
    x, y = (right - tip_x) / size, (down - tip_y) / size
    along, across = x * cos + y * sin + 0.35, (y * cos - x * sin) * thumb
    depth = _capsule(along, across, -0.9, 0.0, 0.0, 0.9, 0.17)
    for place, length in ((-0.135, 0.33), (-0.045, 0.39), (0.045, 0.37), (0.135, 0.3)):
        finger = _capsule(along, across, 0.05, place, place * spread, length * bent, 0.047)
        depth = torch.minimum(depth, finger)
    depth = torch.minimum(depth, _capsule(along, across, -0.12, 0.13, 0.9, 0.26, 0.052))
    skin = _forehead(images) * _near(images, 1.05, 0.25, generator)
    return _painted(images, (depth - 1) * 0.05 * size, skin * (1.05 - 0.4 * depth.square()))


def _places(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the centre of each pixel: (1, 1, 1, w) from the left, (1, 1, h, 1) from the top."""
    height, width = images.shape[2:]
    right = (torch.arange(width, device=images.device) + 0.5) / width
    down = (torch.arange(height, device=images.device) + 0.5) / height
    return right.view(1, 1, 1, -1), down.view(1, 1, -1, 1)


def _forehead(images: Tensor) -> Tensor:
    """Return the mean colour above the eyes, (n, channels, 1, 1)."""
    height, width = images.shape[2:]
    return images[:, :, height // 6 : height // 3, width // 3 : -(width // 3)].mean((2, 3), keepdim=True)


def _near(images: Tensor, middle: float, reach: float, generator: Generator) -> Tensor:
    return (middle + uniform(images, reach, generator)).view(-1, 1, 1, 1)


def _colour(images: Tensor, low: float, high: float, generator: Generator) -> Tensor:
    """Draw a colour for each image, (n, channels, 1, 1)."""
    drawn = torch.rand(*images.shape[:2], 1, 1, generator=generator).to(images.device)
    return low + (high - low) * drawn


def _oval(across: Tensor, down: Tensor, wide: Tensor, tall: Tensor, power: float) -> Tensor:
    """Return about the distance to a superellipse with these half axes; its `power` squares it off."""
    radius = ((across / wide).abs().pow(power) + (down / tall).abs().pow(power)).pow(1 / power)
    return (radius - 1) * torch.minimum(wide, tall)


def _capsule(
    along: Tensor,
    across: Tensor,
    start: float,
    place: float,
    lean: Tensor | float,
    length: Tensor | float,
    thick: float,
) -> Tensor:
    """Return the distance to a line from (start, place) in the direction `lean` radians aside, in units of `thick`."""
    turn = torch.as_tensor(lean, device=along.device)
    cos, sin = torch.cos(turn), torch.sin(turn)
    x, y = along - start, across - place
    reach = torch.minimum((x * cos + y * sin).clamp(min=0), torch.as_tensor(length, device=along.device))
    return torch.hypot(x - reach * cos, y - reach * sin) / thick


def _painted(images: Tensor, distance: Tensor, colour: Tensor, opacity: Tensor | float = 1.0) -> Tensor:
    """Paint what lies inside the distance; the edge is one pixel wide."""
    cover = (0.5 - distance * max(images.shape[2:])).clamp(0, 1) * opacity
    return torch.lerp(images, colour.clamp(0, 1).expand_as(images), cover.expand_as(images))
