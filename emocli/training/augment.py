"""Augmentation of whole batches: occluders, then one resampling for all geometry, light, blur, noise, erasing."""

from dataclasses import asdict, fields

import torch
from torch import Generator, Tensor

from emocli.training.augment_frames import FrameStrengths
from emocli.training.augment_geometry import resample
from emocli.training.augment_light import blur, gamma, light, noise
from emocli.training.augment_occlusion import erase, occlude
from emocli.training.augment_strengths import Strengths
from emocli.training.recipe import Recipe

_LIGHT = ("flip", "shift", "brightness", "contrast")
_LIGHT_FRAMES = ("time_mask", "band_mask")
_OF_BANDS = ["pitch", "level"]
_NOT_OF_WORDS = ["speed", "band_mask"]
_USUAL = Recipe()


def strengths(recipe: Recipe) -> Strengths:
    """Return what a recipe asks for."""
    return Strengths(**_asked(recipe, Strengths, _LIGHT))


def frame_strengths(recipe: Recipe) -> FrameStrengths:
    """Return what a recipe asks for sequences of frames."""
    return FrameStrengths(**_asked(recipe, FrameStrengths, _LIGHT_FRAMES))


def taken_away(recipe: Recipe) -> list[str]:
    """Return the strengths that --augment switches off: asked for as what they are by default, they stay off."""
    left = asdict(strengths(recipe)) | asdict(frame_strengths(recipe))
    return [name for name, strength in left.items() if getattr(_USUAL, name) and not strength]


def idle(recipe: Recipe, shape: tuple[int, ...], *, bands: bool = False, words: bool = False) -> list[str]:
    """Return the options that were asked for and have no meaning for features of `shape`, `bands` or `words` or not."""
    names = without_meaning(shape, bands=bands, words=words)
    return [name for name in names if getattr(recipe, name) not in (0, getattr(_USUAL, name))]


def without_meaning(shape: tuple[int, ...], *, bands: bool = False, words: bool = False) -> list[str]:
    """Return the options that can do nothing sensible with features of `shape`.

    Frames may be `bands` of sound, or `words`: between two of those there is nothing, nor is one range of their
    features more alike than another.
    """
    images, sequences = len(shape) == 3, shape[:1] == (-1,)
    names = [] if images else [field.name for field in fields(Strengths)] + ["cutmix", "progressive"]
    names += [] if sequences else [field.name for field in fields(FrameStrengths)]
    names += _OF_BANDS if sequences and not bands else []
    return names + (_NOT_OF_WORDS if sequences and words else [])


def _asked(recipe: Recipe, kind: type[Strengths] | type[FrameStrengths], light: tuple[str, ...]) -> dict[str, float]:
    full = {field.name: float(getattr(recipe, field.name)) for field in fields(kind)}
    usual = {"none": (), "light": light, "full": full}[recipe.augment]
    return {name: full[name] for name in full if name in usual or full[name] != getattr(_USUAL, name)}


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
