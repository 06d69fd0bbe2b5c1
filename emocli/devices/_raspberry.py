"""The two Raspberry Pis, side by side."""

from emocli.devices._device import Device, over_ssh

PI5 = ("Raspberry Pi 5", "Raspberry Pi Compute Module 5")


def pi4(name: str, fps: float) -> Device:
    """Return a Raspberry Pi 4: four Cortex-A72 at 1.5 GHz, without dot-product instructions.

    ResNet-50 at 224 pixels, 8.2 GFLOP, takes it 460 ms on four cores in FP32 and 434 ms in INT8.
    """
    return Device(
        name,
        "Raspberry Pi 4 Model B",
        fps,
        cores=4,
        boards=("Raspberry Pi 4", "Raspberry Pi Compute Module 4"),
        gops_per_core={"fp32": 4.5, "int8": 4.7},
        limits="Cortex-A72 has no INT8 dot product: INT8 makes models smaller, hardly faster.",
        reach=over_ssh("pi4"),
        sources=("https://github.com/opencv/opencv_zoo/blob/main/benchmark/README.md (Raspberry Pi 4B, ResNet-50)",),
    )


def pi5(name: str, fps: float) -> Device:
    """Return a Raspberry Pi 5: four Cortex-A76 at 2.4 GHz.

    RT-DETR with ResNet-50, 136 GFLOP, runs at 0.6 frames a second in ONNX Runtime FP32. Its INT8 dot product does four
    times as many operations as FP32 arithmetic; half of that is counted here, as no measurement was found.
    """
    return Device(
        name,
        "Raspberry Pi 5",
        fps,
        cores=4,
        boards=PI5,
        gops_per_core={"fp32": 20.0, "int8": 40.0},
        reach=over_ssh("pi5"),
        sources=("https://www.visionanalysis.org/articles/onnx-fp32-vs-pytorch-fp32-rpi5 (RT-DETR-R50, FP32)",),
    )
