"""Small real runs of the training loop for the tests that need one: data, a net, and how to compare what comes out."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5_writer import Writer
from emocli.training import export, loop
from emocli.training.loop import Outcome
from emocli.training.recipe import Recipe

SHAPE, CLASSES = (1, 24, 24), 3
QUICK = Recipe(epochs=4, batch=32, threads=1, device="cpu", ema=0.9)


def small_net(seed: int = 0) -> nn.Module:
    return loop.make("emotion-cnn", SHAPE, CLASSES, {"width": 8, "dropout": 0.3}, seed)


def trained(data: hdf5.Data, recipe: Recipe = QUICK, **options: object) -> Outcome:
    return loop.train(small_net(recipe.seed), data, recipe, progress=False, **options)  # type: ignore[arg-type]


def model_bytes(outcome: Outcome) -> bytes:
    return export.to_onnx(outcome.net, SHAPE).SerializeToString(deterministic=True)


def same_weights(first: Outcome, second: Outcome) -> bool:
    mine, theirs = first.net.state_dict(), second.net.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def written(path: Path, y: np.ndarray, split: np.ndarray, meaning: str = "label", bright: np.ndarray | int = 0) -> Path:
    """Features with the given targets; images of chance, each as bright as told."""
    writer = Writer(path, count=len(y))
    noise = np.random.default_rng(0).integers(0, 60, (len(y), *SHAPE))
    writer.append((noise + np.broadcast_to(bright, len(y))[:, None, None, None]).astype(np.uint8))
    writer.finish(Header("features", ("a", "b", "c"), ({"command": "features", "name": "pixels"},)), y, meaning, split)
    return path


def three_classes(path: Path) -> Path:
    """160 rows to train on and 80 for validation, in three classes that brightness tells apart."""
    y = np.arange(240) % CLASSES
    return written(path, y, np.where(np.arange(240) < 160, "train", "validation"), bright=90 * y)
