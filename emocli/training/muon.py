"""Muon: momentum whose singular values are made equal, for kernels and matrices; AdamW for whatever else is learned.

Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/, with steps as long as AdamW's, as in Liu et al.
2025 (arXiv 2502.16982): a learning rate and a weight decay that suit AdamW suit this too.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_MOMENTUM = 0.95
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)
"""Of Newton and Schulz's iteration, which brings singular values to between 0.68 and 1.21 in so many steps:"""
_STEPS = 5
_RMS = 0.2
"""Root mean square of AdamW's steps, in learning rates (Liu et al. 2025)."""


class Muon(torch.optim.AdamW):
    """AdamW, but for `matrices` among the groups' weights: kernels and matrices, (outputs, inputs, ...)."""

    def __init__(self, groups: Iterable[dict[str, Any]], matrices: Iterable[Tensor], lr: float) -> None:
        super().__init__(groups, lr=lr, fused=True)
        self._matrices = set(matrices)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Update all weights that have a gradient; matrices lose theirs, so that AdamW passes them over."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight in self._matrices and weight.grad is not None:
                    self._turn(weight, weight.grad, group["lr"], group["weight_decay"])
                    weight.grad = None
        return super().step(closure)

    def _turn(self, weight: Tensor, gradient: Tensor, lr: float, weight_decay: float) -> None:
        if not self.state[weight]:
            self.state[weight]["momentum"] = torch.zeros_like(weight)
        # in the order of memory, which differs by layout: columns may be in any order, and a view needs no copy
        last = not weight.is_contiguous()
        matrix, gradient, momentum = (
            (each.movedim(1, -1) if last else each).flatten(1)
            for each in (weight, gradient, self.state[weight]["momentum"])
        )
        momentum.lerp_(gradient, 1 - _MOMENTUM)
        ahead = gradient.lerp(momentum, _MOMENTUM)  # Nesterov's
        matrix.mul_(1 - lr * weight_decay).sub_(orthogonal(ahead), alpha=lr * _RMS * max(matrix.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """Return about U Vᵀ of the matrix U S Vᵀ, (m, n).

    The steps of the iteration are polynomials of one Gram matrix, so they are multiplied with each other, min(m, n) a
    side, and with the matrix once: less than half of the work for a kernel.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.mT if tall else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    gram = wide @ wide.mT
    whole = step = _polynomial(gram)
    for _ in range(_STEPS - 1):
        gram = step @ gram @ step
        step = _polynomial(gram)
        whole = step @ whole
    found: Tensor = whole @ wide
    return found.mT if tall else found


def _polynomial(gram: Tensor) -> Tensor:
    a, b, c = _POLYNOMIAL
    found: Tensor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
    found.diagonal().add_(a)
    return found
