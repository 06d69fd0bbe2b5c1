"""Transfer: a net begins with the weights of a trained model, those that fit by name and shape."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from emocli import onnx_file, pipes
from emocli.errors import EmoError
from emocli.telling import Note
from emocli.training import rebuild
from emocli.training.fusion import fused

_HEAD = "head."
"""The layer of every net here whose rows are classes."""
_NAMED = 8
"""Weights that the note names; a net of another kind may lack hundreds."""


def source(init: str) -> pipes.Input | None:
    """Return the model that --init names; None for "none"."""
    return None if init == "none" else pipes.kept(init)


def fill(net: nn.Module, model: pipes.Input, labels: Sequence[str], note: Note) -> None:
    """Give the net of `labels` the weights of an FP32 model; `note` tells what does not fit and stays as it was drawn.

    A head is put in the order of the labels, and drawn anew for others.

    Raises EmoError for a model of another precision, for one that has no weights in common with the net, and for a net
    with branches: they were summed in the model, and nothing tells them apart again.
    """
    if fused(net) is not net:
        raise EmoError("--init can't fill a net with branches, which models hold the sum of; leave one of them out")
    with torch.random.fork_rng(devices=[]):  # a net is drawn before it is filled
        trained = rebuild.from_model(onnx_file.load(model.path), model.header, model.source).state_dict()
    trained = _of_labels(trained, model.header.labels, labels)
    own = {name: value for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    fitting = {name: trained[name] for name in own if name in trained and trained[name].shape == own[name].shape}
    if not any(trained[name].ndim > 1 for name in fitting):  # a bias of one number a class fits any head
        raise EmoError(f"{model.source} has no weights in common with this net; use its --arch and options")
    net.load_state_dict(fitting, strict=False)
    drawn = [name for name in own if name not in fitting]
    note(f"begins with {len(fitting)} of {len(own)} weights of {model.source}{_told(drawn)}")


def _of_labels(trained: dict[str, Tensor], theirs: Sequence[str], ours: Sequence[str]) -> dict[str, Tensor]:
    """Return the weights with the rows of the head for our labels; without a head where it is for others."""
    if set(theirs) != set(ours):
        return {name: weight for name, weight in trained.items() if not name.startswith(_HEAD)}
    order = [theirs.index(label) for label in ours]
    return {name: weight[order] if name.startswith(_HEAD) else weight for name, weight in trained.items()}


def _told(drawn: list[str]) -> str:
    if not drawn:
        return ""
    more = f" and {len(drawn) - _NAMED} more" if len(drawn) > _NAMED else ""
    return f"; drawn anew: {', '.join(drawn[:_NAMED])}{more}"
