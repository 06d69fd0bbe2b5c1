"""Jetson Nano: Maxwell GPU without INT8 units, stuck at JetPack 4 and Python 3.6.

Options:
    fps: frames per second to reach
"""

from emocli.devices._device import Device, over_ssh


def device(*, fps: float = 15.0) -> Device:
    """Return the Jetson Nano. Its GPU is measured on it or not at all: times on a processor don't tell."""
    return Device(
        "jetson-nano",
        "Jetson Nano",
        fps,
        cores=4,
        boards=("Jetson Nano",),
        limits="Its GPU has no INT8 units, and JetPack 4 no TensorRT 10: run INT8 on its processor, in a container.",
        reach=over_ssh("jetson-nano"),
        sources=("https://developer.nvidia.com/embedded/jetson-nano-developer-kit",),
    )
