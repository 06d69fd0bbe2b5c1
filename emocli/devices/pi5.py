"""Raspberry Pi 5: four Cortex-A76 cores with INT8 dot product.

Options:
    fps: frames per second to reach
"""

from emocli.devices import _raspberry
from emocli.devices._device import Device


def device(*, fps: float = 30.0) -> Device:
    """Return the Raspberry Pi 5."""
    return _raspberry.pi5("pi5", fps)
