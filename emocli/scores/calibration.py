"""Temperature scaling: the one number that, dividing the logits, makes confidence tell how often a model is right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import numerals
from emocli.errors import EmoError
from emocli.scores.metrics import labelled, softmax

LOWEST, HIGHEST = 0.01, 100.0
FIT = "fit"


def fit_temperature(logits: NDArray[Any], y: NDArray[Any]) -> float:
    """Return the temperature with the least mean cross-entropy for logits (n, k) and labels y (n,).

    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017 (arXiv 1706.04599). The loss
    is convex in 1 / temperature, so that its slope has one zero.
    Raises EmoError where it has none: every answer is right, or the model knows no better than chance.
    """
    from scipy.optimize import brentq  # not at the top: 0.4 s that a score without a fit doesn't need

    logits, y = labelled(logits, y, logits.shape[-1])
    scores = logits.astype(np.float64)
    true = scores[np.arange(len(y)), y]

    def slope(sharpness: float) -> float:
        return float(((softmax(sharpness * scores) * scores).sum(axis=1) - true).mean())

    if not slope(1 / HIGHEST) < 0 < slope(1 / LOWEST):
        raise EmoError(
            f"no temperature fits the {len(y)} validation rows (all of them are right, or no better than chance); "
            "use more of them, or give a number: --temperature 1.5"
        )
    return 1 / float(brentq(slope, 1 / HIGHEST, 1 / LOWEST))


def temperature(text: str, split: str = "") -> float | None:
    """Return the number that --temperature gives, None for "fit"; raises EmoError for anything else.

    A fit is refused for a scored part, `split`, that holds the validation part: it would be judged on what it was
    fitted on.
    """
    if text == FIT:
        if split in ("validation", "all"):
            raise EmoError(
                f"--temperature {FIT} fits on the validation part, and --split {split} would score the same rows; "
                "score another part, or give the number of a fit made elsewhere: --temperature 1.5"
            )
        return None
    value = numerals.number(text)
    if not LOWEST <= value <= HIGHEST:
        raise EmoError(f"--temperature {text} is neither {FIT} nor a number from {LOWEST:g} to {HIGHEST:g}")
    return value
