"""Raspberry Pi: a 4 unless another model is asked for, or is what emo runs on.

Options:
    model: 4 or 5; 0 takes the one at hand, else the 4, the slower one
    fps: frames per second to reach; 0 takes the model's own, 15 of a 4 and 30 of a 5
"""

from emocli.devices import _raspberry
from emocli.devices._device import Device, board
from emocli.errors import EmoError


def device(*, model: int = 0, fps: float = 0.0) -> Device:
    """Return the Raspberry Pi of this model; raises EmoError for one that is not described."""
    chosen = model or (5 if board().startswith(_raspberry.PI5) else 4)
    if chosen not in (4, 5):
        raise EmoError(f"no Raspberry Pi {model} is described, only 4 and 5; measure on it with --device host")
    return _raspberry.pi5("pi", fps or 30.0) if chosen == 5 else _raspberry.pi4("pi", fps or 15.0)
