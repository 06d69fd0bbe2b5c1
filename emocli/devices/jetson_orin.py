"""Jetson Orin Nano: Ampere GPU with INT8 tensor cores; JetPack 6 has TensorRT 10 for Python 3.10, JetPack 7 for 3.12.

Options:
    fps: frames per second to reach
"""

from emocli.devices._device import Device, over_ssh


def device(*, fps: float = 60.0) -> Device:
    """Return the Jetson Orin Nano. Its GPU is measured on it or not at all: times on a processor don't tell."""
    return Device(
        "jetson-orin",
        "Jetson Orin Nano",
        fps,
        cores=6,
        boards=("Orin Nano",),
        limits="Needs TensorRT 10 for Python 3.11 or newer: JetPack 7, or a container with both on JetPack 6.",
        reach=over_ssh("jetson-orin"),
        sources=("https://developer.nvidia.com/embedded/learn/jetson-orin-nano-devkit-user-guide",),
    )
