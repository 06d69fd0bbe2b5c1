"""Training throughput of the loop, augmentation included, next to a plain fp32 loop of the same net in the same run.

Runs of both take turns, and medians are compared: python examples/bench/training.py [--fer2013 F.h5] [--voices V.h5]
Without a features file both are of chance, which changes nothing about the time; clips are as long as those of RAVDESS.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5_writer import Writer
from emocli.training import compiling, loop, memory, precision, run, sampling, step
from emocli.training.augment import strengths
from emocli.training.recipe import Recipe
from emocli.training.rows import Rows, part, unit
from emocli.training.run import Run

NETS = {
    "se-resnet (default)": ("se-resnet", {}),
    "se-resnet, width 32": ("se-resnet", {"width": 32}),
    "se-resnet s2d4, width 64": ("se-resnet", {"stem": "s2d4", "width": 64}),
    "emotion-cnn": ("emotion-cnn", {}),
    "mini-xception": ("mini-xception", {}),
    "mobilenetv2": ("mobilenetv2", {}),
}
VOICES = {
    "speech-resnet": ("speech-resnet", {}),
    "speech-resnet, width 32": ("speech-resnet", {"width": 32}),
}
BATCH, CLIPS, STEPS = 128, 24, 6
"""Images and clips a step, and steps of one turn."""


def plain(net: nn.Module, rows: Rows, batch: int) -> float:
    """Return rows/s of the loop everyone writes first: fp32, no augmentation, torch's own defaults, order of chance."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    begun = time.perf_counter()
    for places in np.split(np.arange(STEPS * batch), STEPS):
        x, _ = rows.take(places)
        y = torch.from_numpy(rows.labels[places])
        optimizer.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(net(unit(x)), y))
        optimizer.step()
    return STEPS * batch / (time.perf_counter() - begun)


def ours(state: Run, rows: Rows, recipe: Recipe) -> float:
    """Return rows/s of the steps that `emo train` makes."""
    loss_of, changes = step.criterion(rows, recipe, None), strengths(recipe)
    begun, order = time.perf_counter(), np.arange(STEPS * recipe.batch)
    if rows.lengths is not None:
        order = sampling.by_length(order, rows.lengths, recipe.batch, torch.Generator().manual_seed(0))
    for index, places in enumerate(np.split(order, STEPS)):
        x, y = rows.take(places)
        batch = step.prepare(x, y, recipe, changes, torch.Generator().manual_seed(index), None)
        step.learn(state, *batch, recipe, loss_of)
    return STEPS * recipe.batch / (time.perf_counter() - begun)


def images_of_chance(folder: Path, n: int) -> Path:
    """Write features of random pixels, 48x48 and gray."""
    writer = Writer(folder / "features.h5", count=n)
    random = np.random.default_rng(0)
    writer.append(random.integers(0, 256, (n, 1, 48, 48), np.uint8))
    header = Header("features", tuple("abcdefg"), ({"command": "features", "name": "pixels"},))
    writer.finish(header, random.integers(0, 7, n), "label", np.full(n, "train"))
    return folder / "features.h5"


def clips_of_chance(folder: Path, n: int) -> Path:
    """Write features of random frames of 64 bands, clips as long as RAVDESS's in steps of 16 ms."""
    writer = Writer(folder / "voices.h5", modality="speech")
    random = np.random.default_rng(0)
    lengths = np.clip(random.lognormal(4.8, 0.3, n), 34, 312).astype(int)
    writer.append_ragged([random.normal(-40, 15, (length, 64)).astype(np.float32) for length in lengths])
    header = Header("features", tuple("abcdefgh"), ({"command": "features", "name": "logmel"},))
    writer.finish(header, random.integers(0, 8, n), "label", np.full(n, "train"))
    return folder / "voices.h5"


def compare(
    name: str, net: tuple[str, dict[str, Any]], data: hdf5.Data, recipe: Recipe, turns: int, compile: bool
) -> tuple[str, ...]:
    """Return a row of the table: both throughputs, the median of their ratios, and how the loop runs the net."""
    (arch, params), shape, classes = net, data.shape, len(data.labels)
    rows = part(data, "train", print)
    memory.keep()  # as emo train does: the peer, in the same process, gains from it too
    mine, peer = (loop.make(arch, shape, classes, params, 0).train() for _ in range(2))
    plan = precision.choose(mine)
    state = run.start(mine, recipe, plan, torch.device("cpu"))
    state.compiled = compiling.compiled(mine, state.device) if compile else None
    pairs = [(ours(state, rows, recipe), plain(peer, rows, recipe.batch)) for _ in range(turns + 1)][1:]
    fast, slow = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    return name, str(plan), f"{fast:.0f}", f"{slow:.0f}", f"{ratio:.2f}"


def main() -> None:
    """Print a table, one net a row: those of images, then those of clips."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fer2013", type=Path, help="features of FER2013 instead of images of chance")
    parser.add_argument("--voices", type=Path, help="logmel features of voices instead of clips of chance")
    parser.add_argument("--turns", type=int, default=5, help="turns of each loop")
    parser.add_argument("--compile", action="store_true", help="compile emo's net, as emo train --compile does")
    parser.add_argument("--net", choices=NETS | VOICES, help="only this one")
    arguments = parser.parse_args()
    table = Table("net", "precision, layout", "emo images or clips/s", "plain fp32", "ratio")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        images = arguments.fer2013 or images_of_chance(folder, BATCH * STEPS)
        voices = arguments.voices or clips_of_chance(folder, CLIPS * STEPS)
        of_clips = Recipe(batch=CLIPS, pitch=0.1, level=20)
        for nets, path, recipe in ((NETS, images, Recipe(batch=BATCH)), (VOICES, voices, of_clips)):
            with hdf5.open_data(path) as data:
                for name in [name for name in nets if arguments.net in (None, name)]:
                    table.add_row(*compare(name, nets[name], data, recipe, arguments.turns, arguments.compile))
    Console().print(table)


if __name__ == "__main__":
    main()
