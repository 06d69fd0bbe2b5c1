"""Models that are fitted to all rows at once, by scikit-learn, and exported like any net."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emocli.errors import EmoError
from emocli.training.recipe import Recipe
from emocli.training.rows import Rows

_COSTS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""What is tried for c where none is given."""
Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]


def is_fitted(net: nn.Module) -> bool:
    """Say whether a net of the registry is fitted instead of trained step by step."""
    return hasattr(net, "fitted_by")


def fit(net: Any, rows: Rows, validation: Rows, recipe: Recipe) -> float:
    """Fit the net in place and return its validation accuracy, a share from 0 to 1.

    Of the recipe only the seed and --class-weights none or balanced count. Raises EmoError where less than two classes
    have rows.
    """
    if recipe.class_weights not in ("none", "balanced"):
        raise EmoError(f"--class-weights {recipe.class_weights} can't be for this model; use none or balanced")
    x, y = _vectors(rows), rows.labels
    if len(np.unique(y)) < 2:
        raise EmoError("the train part has one class only, which nothing can be told apart from; import more")
    scale = net.scale if hasattr(net, "scale") else net.features
    scale.measure(x)
    with torch.inference_mode():
        scaled = scale(torch.from_numpy(x)).numpy()
    solve: Callable[..., None] = _SOLVERS[net.fitted_by]
    weights = None if recipe.class_weights == "none" else "balanced"
    best, accuracy = 0.0, -1.0
    for cost in (net.c,) if net.c else _COSTS:
        solve(net, scaled, y, cost, weights, recipe.seed)
        if (found := _accuracy(net, validation)) > accuracy:
            best, accuracy = cost, found
    if not net.c:
        solve(net, scaled, y, best, weights, recipe.seed)
        net.c = best
    return accuracy


def _vectors(rows: Rows) -> Vectors:
    x: Vectors = rows.take(np.arange(len(rows)))[0].numpy()
    return x


def _accuracy(net: nn.Module, rows: Rows) -> float:
    with torch.inference_mode():
        said = net.eval()(torch.from_numpy(_vectors(rows))).argmax(1).numpy()
    return float((said == rows.labels).mean())


def _logistic(net: Any, x: Vectors, y: Labels, cost: float, weights: str | None, seed: int) -> None:
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=cost, class_weight=weights, max_iter=2000, random_state=seed).fit(x, y)
    weight, bias = found.coef_, found.intercept_
    if len(weight) == 1:  # two classes have one row, that of the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    with torch.no_grad():
        net.head.weight.zero_()
        net.head.bias.fill_(_NEVER)
        net.head.weight[found.classes_] = torch.from_numpy(weight).float()
        net.head.bias[found.classes_] = torch.from_numpy(bias).float()


_NEVER = -30.0
"""The logit of a class without a row."""


def _svm(net: Any, x: Vectors, y: Labels, cost: float, weights: str | None, seed: int) -> None:
    from sklearn.svm import SVC

    each = np.zeros((len(net.bias), len(x)), np.float32)
    bias = np.full(len(net.bias), _NEVER, np.float32)
    for label in np.unique(y):
        machine = SVC(C=cost, kernel=net.kernel, gamma=net.gamma, class_weight=weights, random_state=seed)
        machine.fit(x, y == label)
        each[label, machine.support_], bias[label] = machine.dual_coef_[0], machine.intercept_[0]
    used = np.flatnonzero(each.any(0))
    net.support, net.bias = torch.from_numpy(x[used]), torch.from_numpy(bias)
    net.weights = torch.from_numpy(each[:, used])


_SOLVERS: dict[str, Callable[..., None]] = {"logistic": _logistic, "svm": _svm}
