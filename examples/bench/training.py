"""Training throughput of the loop, augmentation included, next to a plain fp32 loop of the same net in the same run.

Runs of both take turns, and medians are compared: python examples/bench/training.py [--fer2013 FEATURES.h5]
Without a features file the images are of chance, which changes nothing about the time.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5_writer import Writer
from emocli.training import compiling, loop, memory, precision, run, step
from emocli.training.augment import strengths
from emocli.training.recipe import Recipe
from emocli.training.rows import Rows, part
from emocli.training.run import Run

NETS = {
    "se-resnet (default)": ("se-resnet", {}),
    "se-resnet, width 32": ("se-resnet", {"width": 32}),
    "se-resnet s2d4, width 64": ("se-resnet", {"stem": "s2d4", "width": 64}),
    "emotion-cnn": ("emotion-cnn", {}),
    "mini-xception": ("mini-xception", {}),
    "mobilenetv2": ("mobilenetv2", {}),
}
BATCH, STEPS = 128, 6
"""Images a step, and steps of one turn."""


def plain(net: nn.Module, rows: Rows, batch: int) -> float:
    """Return images/s of the loop everyone writes first: fp32, no augmentation, torch's own defaults."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    begun = time.perf_counter()
    for index in range(STEPS):
        x, _ = rows.take(np.arange(index * batch, (index + 1) * batch))
        y = torch.from_numpy(rows.labels[index * batch : (index + 1) * batch])
        optimizer.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(net(x.float() / 255), y))
        optimizer.step()
    return STEPS * batch / (time.perf_counter() - begun)


def ours(state: Run, rows: Rows, recipe: Recipe) -> float:
    """Return images/s of the steps that `emo train` makes."""
    loss_of, changes = step.criterion(rows, recipe, None), strengths(recipe)
    begun = time.perf_counter()
    for index in range(STEPS):
        x, y = rows.take(np.arange(index * recipe.batch, (index + 1) * recipe.batch))
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


def compare(name: str, rows: Rows, shape: tuple[int, ...], classes: int, turns: int, compile: bool) -> tuple[str, ...]:
    """Return a row of the table: both throughputs, the median of their ratios, and how the loop runs the net."""
    arch, params = NETS[name]
    recipe = Recipe(batch=BATCH)
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
    """Print a table, one net a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fer2013", type=Path, help="features of FER2013 instead of images of chance")
    parser.add_argument("--turns", type=int, default=5, help="turns of each loop")
    parser.add_argument("--compile", action="store_true", help="compile emo's net, as emo train --compile does")
    parser.add_argument("--net", choices=NETS, help="only this one")
    arguments = parser.parse_args()
    table = Table("net", "precision, layout", "emo images/s", "plain fp32 images/s", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.fer2013 or images_of_chance(Path(folder), BATCH * STEPS)
        with hdf5.open_data(path) as data:
            rows = part(data, "train", print)
            for name in [arguments.net] if arguments.net else NETS:
                table.add_row(*compare(name, rows, data.shape, len(data.labels), arguments.turns, arguments.compile))
    Console().print(table)


if __name__ == "__main__":
    main()
