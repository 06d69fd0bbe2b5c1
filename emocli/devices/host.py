"""The machine that emo runs on; always measured.

Options:
    fps: frames per second to reach
"""

import os

from emocli import cores
from emocli.devices._device import Device


def device(*, fps: float = 30.0) -> Device:
    """Return the machine at hand, with the cores this process may use."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Device("host", "this machine", fps, cores.count(), memory, board="")
