"""Models that are fitted to all rows at once, by scikit-learn, and exported like any net."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emocli.errors import EmoError
from emocli.training.recipe import Recipe, Repetition
from emocli.training.rows import Rows

_COSTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""What is tried for c where none is given."""
_FEWEST = 3
"""Subjects that can be left out in turn."""
_USED = ("class_weights", "drop_leaks")
Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]


def is_fitted(net: nn.Module) -> bool:
    """Say whether a net of the registry is fitted instead of trained step by step."""
    return hasattr(net, "fitted_by")


def expect_chance(name: str, params: Mapping[str, Any], repetition: Repetition) -> None:
    """Raise EmoError where a fitted model would be the same in each of the runs that are asked for."""
    if name in _SOLVERS and repetition.seeds > 1:
        raise EmoError(f"{name} is fitted without chance, so every seed gives the same model; leave --seeds out")
    if name in _SOLVERS and repetition.folds and params.get("choose") == "subjects":
        raise EmoError("choose=subjects leaves each out in turn already, in every fold the same; leave --folds out")


def expect_use(name: str, options: Iterable[str]) -> None:
    """Raise EmoError for options of training that a fitted model has no use for, any value would do as well."""
    idle = [each for each in options if each not in _USED and not each.startswith("p.")]
    if name in _SOLVERS and idle:
        raise EmoError(f"{name} is fitted at once and has no use for {', '.join(idle)}; search p.c, say")


def fit(net: Any, rows: Rows, validation: Rows, recipe: Recipe) -> tuple[float, int]:
    """Fit the net in place; return its validation accuracy, a share from 0 to 1, and of how many rows it is.

    With `choose=subjects` the subjects of both parts are left out in turn: c is the one of the best mean recall over
    them, the accuracy is that of the rows left out, augmented copies not counted, and in the end all rows are fitted.
    Of the recipe only --class-weights none or balanced count. Raises EmoError where less than two classes
    have rows, or three subjects.
    """
    if recipe.class_weights not in ("none", "balanced"):
        raise EmoError(f"--class-weights {recipe.class_weights} can't be for this model; use none or balanced")
    if len(np.unique(rows.labels)) < 2:
        raise EmoError("the train part has one class only, which nothing can be told apart from; import more")
    costs = (net.c,) if net.c else _COSTS
    if net.choose == "subjects":
        return _by_subject(net, rows, validation, costs, recipe)
    x, y, others = _vectors(rows), rows.labels, _vectors(validation)
    accuracies = [float((_answers(net, x, y, others, cost, recipe) == validation.labels).mean()) for cost in costs]
    net.c = costs[int(np.argmax(accuracies))]
    _solve(net, x, y, net.c, recipe)
    return max(accuracies), len(validation)


def _by_subject(net: Any, rows: Rows, validation: Rows, costs: Sequence[float], recipe: Recipe) -> tuple[float, int]:
    x, y = np.concatenate([_vectors(rows), _vectors(validation)]), np.concatenate([rows.labels, validation.labels])
    subjects, own = np.array([*rows.groups, *validation.groups]), np.concatenate([rows.own, validation.own])
    names = sorted(set(subjects.tolist()) - {""})
    if len(names) < _FEWEST or "" in subjects:
        raise EmoError(
            f"choose=subjects leaves out each in turn; these data name {len(names)} subjects, or none for some rows; "
            "use choose=validation"
        )
    for name in names:
        if len(np.unique(y[subjects != name])) < 2:
            raise EmoError(
                f"without {name} there is one class only, so {name} can't be left out; use choose=validation"
            )
    answers = np.full((len(costs), len(y)), -1)
    for name in names:
        out = subjects == name
        for row, cost in zip(answers, costs, strict=True):
            row[out] = _answers(net, x[~out], y[~out], x[out], cost, recipe)
    answers, truth = answers[:, own], y[own]
    recalls = [np.mean([(row[truth == label] == label).mean() for label in np.unique(truth)]) for row in answers]
    best = int(np.argmax(recalls))
    net.c = costs[best]
    _solve(net, x, y, net.c, recipe)
    return float((answers[best] == truth).mean()), len(truth)


def _vectors(rows: Rows) -> Vectors:
    x: Vectors = rows.take(np.arange(len(rows)))[0].numpy()
    return x


def _answers(net: Any, x: Vectors, y: Labels, others: Vectors, cost: float, recipe: Recipe) -> Labels:
    """Fit the net to x and y; return what it says of the other rows."""
    _solve(net, x, y, cost, recipe)
    with torch.inference_mode():
        said: Labels = net.eval()(torch.from_numpy(others)).argmax(1).numpy()
    return said


def _solve(net: Any, x: Vectors, y: Labels, cost: float, recipe: Recipe) -> None:
    """Fit scaling and weights in place."""
    scale = net.scale if hasattr(net, "scale") else net.features
    scale.measure(x)
    with torch.inference_mode():
        scaled = scale(torch.from_numpy(x)).numpy()
    weights = None if recipe.class_weights == "none" else "balanced"
    _SOLVERS[net.fitted_by](net, scaled, y, cost, weights)


def _logistic(net: Any, x: Vectors, y: Labels, cost: float, weights: str | None) -> None:
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=cost, class_weight=weights, max_iter=2000).fit(x, y)
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


def _svm(net: Any, x: Vectors, y: Labels, cost: float, weights: str | None) -> None:
    from sklearn.svm import SVC

    each = np.zeros((len(net.bias), len(x)), np.float32)
    bias = np.full(len(net.bias), _NEVER, np.float32)
    for label in np.unique(y):
        machine = SVC(C=cost, kernel=net.kernel, gamma=net.gamma, class_weight=weights)
        machine.fit(x, y == label)
        each[label, machine.support_], bias[label] = machine.dual_coef_[0], machine.intercept_[0]
    used = np.flatnonzero(each.any(0))
    net.support, net.bias = torch.from_numpy(x[used]), torch.from_numpy(bias)
    net.weights = torch.from_numpy(each[:, used])


_SOLVERS: dict[str, Callable[..., None]] = {"logistic": _logistic, "svm": _svm}
