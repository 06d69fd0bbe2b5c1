"""Multinomial logistic regression on vectors (utterance, egemaps, lbp, hog), fitted by scikit-learn: a baseline.

Options:
    c: inverse of the penalty on large weights; 0 tries some and keeps the best
    choose: what c is the best on, the validation part or, with subjects, each of train and validation left out in turn
"""

from torch import nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier
from emocli.models._vectors import Scale, expect_choice, expect_vectors

MODALITY = "any"


def build(shape: tuple[int, ...], classes: int, *, c: float = 0.0, choose: str = "validation") -> nn.Module:
    """Return the model of vectors of `shape` (d,), its weights to be fitted."""
    if c < 0:
        raise EmoError(f"logistic has no c {c} below 0; 0 tries some and keeps the best")
    return _Logistic(expect_vectors("logistic", shape), classes, c, expect_choice("logistic", choose))


class _Logistic(Classifier):
    """The embedding is the scaled vector."""

    fitted_by = "logistic"

    def __init__(self, features: int, classes: int, c: float, choose: str) -> None:
        super().__init__(Scale(features), features, classes, dropout=0.0, pool=False)
        self.c, self.choose = c, choose
