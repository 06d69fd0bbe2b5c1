"""What each process of torchrun does in test_training_distributed; it writes what it found to a folder."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from small_runs import CLASSES, QUICK, SHAPE, trained
from torch import Tensor, nn

from emocli import ranks
from emocli.data import hdf5
from emocli.main import main as command
from emocli.training import distributed, precision, run, step
from emocli.training.run import Run

STEADY = replace(QUICK, optimizer="sgd", lr=0.1, ema=0.0, center=0.01, schedule="constant", warmup=0.0)
LEARNING = replace(QUICK, epochs=6, lr=5e-3, augment="none", center=0.001, label_smoothing=0.0)
COMMAND = ["train", "--arch", "emotion-cnn", "-p", "width=8", "--epochs", "2", "--batch", "32", "--threads", "1"]
ROWS = 21


class Plain(nn.Module):
    """A net without BatchNorm or dropout: its gradient is a mean over rows."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(484, 8), nn.Tanh())
        self.head = nn.Linear(8, CLASSES)

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.body(x)
        return self.head(embedding), embedding

    def forward(self, x: Tensor) -> Tensor:
        return self.outputs(x)[0]


def batch() -> tuple[Tensor, Tensor]:
    """An odd number of rows, so that shares differ in size."""
    generator = torch.Generator().manual_seed(1)
    y = torch.rand(ROWS, CLASSES, generator=generator)
    return torch.rand(ROWS, *SHAPE, generator=generator), y / y.sum(1, keepdim=True)


def first_steps() -> Run:
    """Two steps on this process's share of the batch; the run has the weights, their gradients and the centres."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Plain()
    state = run.start(net, STEADY, precision.choose(net, "fp32", "contiguous"), torch.device("cpu"))
    x, y = batch()
    places = range(ROWS)[distributed.share()]

    def loss_of(logits: Tensor, y: Tensor, taught: object, embedding: Tensor | None = None) -> Tensor:
        return nn.functional.cross_entropy(logits, y)

    for _ in range(2):
        step.learn(state, x[places], y[places], None, STEADY, loss_of)
    return state


def learned(data: hdf5.Data) -> dict[str, np.ndarray]:
    """The weights that training ends with, and how it went: (epochs, 2) loss and accuracy."""
    outcome = trained(data, LEARNING)
    history = np.array([[epoch["loss"], epoch["accuracy"]] for epoch in outcome.history])
    return {**{name: value.numpy() for name, value in outcome.net.state_dict().items()}, "history": history}


def facts(state: Run) -> dict[str, np.ndarray]:
    """Everything of the run that processes must agree in."""
    assert state.centers is not None
    found = {"centers": state.centers.numpy()}
    for name, weight in state.net.named_parameters():
        assert weight.grad is not None
        found |= {name: weight.detach().numpy(), f"{name}.grad": weight.grad.numpy()}
    return found


def main() -> None:
    torch.set_num_threads(1)
    features, folder = Path(sys.argv[1]), Path(sys.argv[2])
    distributed.join(torch.device("cpu"))
    (folder / f"state-{ranks.number()}").write_bytes(bytes([7 + ranks.number()] * 1000))
    held = distributed.file_of_first(folder / f"state-{ranks.number()}").getvalue()
    state = np.frombuffer(held, np.uint8)
    np.savez(folder / f"steps-{ranks.number()}.npz", **facts(first_steps()), state=state)
    with hdf5.open_data(features) as data:
        np.savez(folder / f"trained-{ranks.number()}.npz", **learned(data))
    emo(*COMMAND, str(features))
    distributed.of_first(0.0)  # the first has written its model
    # one of them alone can't read its data
    emo(*COMMAND, str(features if ranks.is_first() else folder / "missing.h5"))


def emo(*arguments: str) -> None:
    """Do what the command does; an error ends the process as it does there."""
    sys.argv = ["emo", *arguments]
    try:
        command()
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    main()
