"""Raspberry Pi 4: four Cortex-A72 cores, no INT8 dot product.

Options:
    fps: frames per second to reach
"""

from emocli.devices import _raspberry
from emocli.devices._device import Device


def device(*, fps: float = 15.0) -> Device:
    """Return the Raspberry Pi 4."""
    return _raspberry.pi4("pi4", fps)
