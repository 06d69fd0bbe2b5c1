"""Class weights as the user says them: none, balanced, or a factor for each class that is named."""

import math

import torch
from torch import Tensor

from emocli import labels, numerals
from emocli.errors import EmoError
from emocli.training import losses
from emocli.training.rows import Rows


def class_weights(text: str, rows: Rows) -> Tensor | None:
    """Return (classes,) weights for the loss, None for "none"; raises EmoError for what is no weight of a class.

    "balanced" is counted on the rows; "fear=2,disgust=1.5" are factors of classes, and any other class has 1.
    """
    if text == "none":
        return None
    if text == "balanced":
        return losses.balanced(rows.y)
    if "=" not in text:
        raise EmoError(f"--class-weights {text} is none of none, balanced or class=factor,class=factor")
    factors = dict.fromkeys(rows.names, 1.0)
    parts = [part.strip().rpartition("=") for part in text.split(",")]
    said = {name: factor for name, _, factor in parts}
    if len(said) < len(parts):
        raise EmoError(f"--class-weights {text} says a class twice; say it once")
    for label, factor in labels.all_named(said, rows.names, "--class-weights").items():
        if label not in factors:
            raise EmoError(f"--class-weights names {label!r}, which is no class; they are {', '.join(rows.names)}")
        factors[label] = _factor(factor, label)
    weights = torch.tensor(list(factors.values()))
    if not (weights * rows.y.sum(0)).any():
        raise EmoError(f"--class-weights {text} leaves nothing to learn; give a class that is there more than 0")
    return weights


def _factor(text: str, label: str) -> float:
    factor = numerals.number(text)
    if not 0 <= factor < math.inf:
        raise EmoError(f"--class-weights has {label}={text}; a factor is a number of at least 0, such as 2")
    return factor
