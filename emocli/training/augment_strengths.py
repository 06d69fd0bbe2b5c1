"""How far each change of a batch may go."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strengths:
    """How far each change may go; 0 switches it off. Each image draws its own values, uniformly."""

    flip: float = 0.0
    """Probability of a mirror image."""
    rotate: float = 0.0
    """Degrees to either side."""
    shear: float = 0.0
    """Degrees by which upright lines lean, to either side."""
    scale: float = 0.0
    """0.1 gives 0.9 to 1.1."""
    shift: float = 0.0
    """Share of the side, each way."""
    elastic: float = 0.0
    """Largest displacement of a coarse random field, as a share of the side (Simard et al. 2003)."""
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    """0.5 gives exponents from 1 / 1.5 to 1.5, lighter as often as darker."""
    blur: float = 0.0
    """Largest standard deviation of a Gaussian, as a share of the longer side."""
    noise: float = 0.0
    """Largest standard deviation of Gaussian noise, as a share of the range."""
    erase: float = 0.0
    """Probability that a rectangle of 2 to 20 % of the area is painted over (Zhong et al. 2020)."""
    mask: float = 0.0
    """Probability of a face mask over nose and mouth."""
    glasses: float = 0.0
    """Probability of glasses, half of them dark."""
    hand: float = 0.0
    """Probability of a hand before the face."""

    @property
    def geometric(self) -> bool:
        return any((self.flip, self.rotate, self.shear, self.scale, self.shift, self.elastic))
