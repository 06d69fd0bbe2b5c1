"""What models that are fitted to vectors at once share: their scaling, and features they refuse."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emocli.errors import EmoError


def expect_vectors(name: str, shape: tuple[int, ...]) -> int:
    """Return d of vectors of `shape` (d,); raises EmoError for features that are none."""
    if len(shape) == 1:
        return shape[0]
    use = "lstm or speech-resnet for sequences" if shape[:1] == (-1,) else "se-resnet for images"
    raise EmoError(f"{name} takes vectors (utterance, egemaps, lbp), not features of shape {shape}; use --arch {use}")


def expect_choice(name: str, choose: str) -> str:
    """Return what c is chosen on; raises EmoError for a word that is none of the two."""
    if choose not in ("validation", "subjects"):
        raise EmoError(f"{name} can't choose c on {choose!r}; use validation or subjects")
    return choose


class Scale(nn.Module):
    """Each feature with the mean 0 and deviation 1 that it has in the train part."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))

    def measure(self, x: NDArray[np.float32]) -> None:
        """Take mean and deviation of (n, d) vectors; a feature that never changes is left at 0."""
        deviation = x.std(0, dtype=np.float64)
        self.mean = torch.from_numpy(x.mean(0, dtype=np.float64)).float()
        self.deviation = torch.from_numpy(np.where(deviation > 1e-9, deviation, 1.0)).float()

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation
