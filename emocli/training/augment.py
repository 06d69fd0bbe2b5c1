"""Augmentation of whole batches: occluders, then one resampling for all geometry, light, blur, noise, erasing."""

from dataclasses import fields

import torch
from torch import Generator, Tensor

from emocli.errors import EmoError
from emocli.training.augment_geometry import resample
from emocli.training.augment_light import blur, gamma, light, noise
from emocli.training.augment_occlusion import erase, occlude
from emocli.training.augment_strengths import Strengths
from emocli.training.recipe import Recipe

_LIGHT = ("flip", "shift", "brightness", "contrast")
_PROBABILITIES = ("flip", "erase", "mask", "glasses", "hand")


def strengths(recipe: Recipe) -> Strengths:
    """Return what a recipe asks for; raises EmoError for an unknown --augment and for a strength out of range."""
    if recipe.augment not in ("none", "light", "full"):
        raise EmoError(f"--augment {recipe.augment} is none of none, light, full")
    full = {field.name: float(getattr(recipe, field.name)) for field in fields(Strengths)}
    for name, value in full.items():
        if value < 0 or (name in _PROBABILITIES and value > 1):
            most = " and at most 1" if name in _PROBABILITIES else ""
            raise EmoError(f"--{name} {value:g} can't be; it is at least 0{most}")
    if recipe.augment == "none":
        return Strengths()
    return Strengths(**full) if recipe.augment == "full" else Strengths(**{name: full[name] for name in _LIGHT})


def augment(x: Tensor, strengths: Strengths, generator: Generator) -> Tensor:
    """Return changed images, float32 in 0..1; x is (n, channels, h, w) uint8.

    In the order in which a camera would see it: something before the face, the view, the light, lens and sensor.
    What is off draws no random numbers.
    """
    images = x.to(torch.float32).div_(255)
    if strengths.glasses or strengths.mask or strengths.hand:
        images = occlude(images, strengths, generator)
    if strengths.geometric:
        images = resample(images, strengths, generator)
    if strengths.brightness or strengths.contrast:
        images = light(images, strengths, generator)
    if strengths.gamma:
        images = gamma(images, strengths.gamma, generator)
    if strengths.blur:
        images = blur(images, strengths.blur, generator)
    if strengths.noise:
        images = noise(images, strengths.noise, generator)
    if strengths.erase:
        images = erase(images, strengths.erase, generator)
    return images
