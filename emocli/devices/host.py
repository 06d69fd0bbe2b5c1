"""The machine that emo runs on; always measured.

Options:
    fps: frames per second to reach
"""

from emocli import cores
from emocli.devices._device import Device


def device(*, fps: float = 30.0) -> Device:
    """Return the machine at hand, with the cores this process may use."""
    return Device("host", "this machine", fps, cores.count(), boards=())
