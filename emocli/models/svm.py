"""Support vector machines on vectors (utterance, egemaps, lbp, hog), one a class against the rest: a baseline.

Fitted by scikit-learn (Cortes and Vapnik 1995). The logits are the machines' decision values: their order says which
class, their softmax is no calibrated probability (emo eval --temperature fit makes it one).

Options:
    c: how much a row on the wrong side costs; 0 tries some and keeps the best
    choose: what c is the best on, the validation part or, with subjects, each of train and validation left out in turn
    kernel: rbf, exp(-gamma |x - support|²), or linear
    gamma: width of the rbf kernel; 0 is 1 / d, on features scaled to deviation 1
"""

from typing import Any

import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._vectors import Scale, expect_choice, expect_vectors

MODALITY = "any"


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    c: float = 0.0,
    choose: str = "validation",
    kernel: str = "rbf",
    gamma: float = 0.0,
) -> nn.Module:
    """Return the model of vectors of `shape` (d,), its support vectors to be fitted."""
    if kernel not in ("rbf", "linear"):
        raise EmoError(f"svm has no kernel {kernel!r}; use rbf or linear")
    if c < 0 or gamma < 0:
        raise EmoError(f"svm has no c {c} and gamma {gamma} below 0; 0 finds c, and takes 1 / d for gamma")
    features = expect_vectors("svm", shape)
    return _Machines(features, classes, c, expect_choice("svm", choose), kernel, gamma or 1 / features)


class _Machines(nn.Module):
    """The embedding is the scaled vector. Fitting finds m support vectors: `support` (m, d), `weights` (classes, m)."""

    fitted_by = "svm"
    support: Tensor
    weights: Tensor
    bias: Tensor

    def __init__(self, features: int, classes: int, c: float, choose: str, kernel: str, gamma: float) -> None:
        super().__init__()
        self.c, self.choose, self.kernel, self.gamma = c, choose, kernel, gamma
        self.scale = Scale(features)
        self.register_buffer("support", torch.zeros(1, features))
        self.register_buffer("weights", torch.zeros(classes, 1))
        self.register_buffer("bias", torch.zeros(classes))

    def embed(self, x: Tensor) -> Tensor:
        """Return the (n, d) scaled vectors."""
        scaled: Tensor = self.scale(x)
        return scaled

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, classes) decision values and the (n, d) embedding."""
        embedding = self.embed(x)
        alike = embedding @ self.support.T
        if self.kernel == "rbf":
            # |x - s|² spelled out, so that the one large product is a MatMul
            lengths = (embedding * embedding).sum(1, keepdim=True) + (self.support * self.support).sum(1)
            alike = torch.exp(self.gamma * (2 * alike - lengths))
        return alike @ self.weights.T + self.bias, embedding

    def forward(self, x: Tensor) -> Tensor:
        return self.outputs(x)[0]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in ("support", "weights"):
            if (found := state_dict.get(prefix + name)) is not None:
                setattr(self, name, torch.empty_like(found))
        super()._load_from_state_dict(state_dict, prefix, *rest)
