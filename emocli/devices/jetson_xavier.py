"""Jetson Xavier NX: Volta GPU with INT8 units; JetPack 5 ends at TensorRT 8.5 and Python 3.8.

Options:
    fps: frames per second to reach
"""

from emocli.devices._device import Device, over_ssh


def device(*, fps: float = 30.0) -> Device:
    """Return the Jetson Xavier NX. Its GPU is measured on it or not at all: times on a processor don't tell."""
    return Device(
        "jetson-xavier",
        "Jetson Xavier NX",
        fps,
        cores=6,
        boards=("Xavier NX",),
        limits="JetPack 5 ends at TensorRT 8.5 and Python 3.8: run INT8 on its processor, in a container.",
        reach=over_ssh("jetson-xavier"),
        sources=("https://developer.nvidia.com/embedded/jetson-xavier-nx",),
    )
