"""How evenly a model serves the groups that a corpus names, its subjects for one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.scores import share_interval

SHUFFLES = 1000


def by_group(right: NDArray[np.bool_], groups: Sequence[str], *, least: int = 10) -> dict[str, Any] | None:
    """Return the accuracy of each group and the largest gap; right (n,) tells which answers are, groups (n,) of whom.

    `accuracy` has a `share_interval` for each group. `gap` is the best less the worst group of at least `least` rows,
    with `by_chance`, the 2.5 to 97.5 percentile of that gap when the right answers are dealt out at random; None with
    less than two such groups. `small` counts the groups, and their rows, that are below `least`: not compared.
    `unnamed` counts rows without a group. None where no row has one.
    """
    named = np.array([bool(group) for group in groups], bool)
    if not named.any():
        return None
    names, member = np.unique(np.array(groups)[named], return_inverse=True)
    hits, rows = np.bincount(member, right[named]), np.bincount(member)
    large = rows >= least
    return {
        "accuracy": {
            str(name): share_interval.of(int(h), int(n)) for name, h, n in zip(names, hits, rows, strict=True)
        },
        "gap": _gap(right[named], member, names, large) if large.sum() > 1 else None,
        "least": least,
        "small": {"groups": int((~large).sum()), "rows": int(rows[~large].sum())},
        "unnamed": int((~named).sum()),
    }


def _gap(
    right: NDArray[np.bool_], member: NDArray[np.int64], names: NDArray[np.str_], large: NDArray[np.bool_]
) -> dict[str, Any]:
    compared = large[member]
    answers, member = right[compared].astype(np.float64), member[compared]
    rows = np.bincount(member, minlength=len(names))

    def rates(dealt: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.bincount(member, dealt, len(names))[large] / rows[large]
        return found

    found, random = rates(answers), np.random.default_rng(0)
    gaps = [np.ptp(rates(random.permutation(answers))) for _ in range(SHUFFLES)]
    low, high = np.percentile(gaps, [2.5, 97.5])
    best, worst = names[large][[found.argmax(), found.argmin()]]
    return {
        "value": float(np.ptp(found)),
        "by_chance": [float(low), float(high)],
        "best": str(best),
        "worst": str(worst),
        "groups": int(large.sum()),
    }
