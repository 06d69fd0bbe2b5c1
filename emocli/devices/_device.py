"""What is known of a device: what it can do, how to tell that we are on it, how to reach it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_DEVICE_TREE = Path("/proc/device-tree/model")


@dataclass(frozen=True, slots=True)
class Device:
    """A device that models are built for; its figures come from the published ones in `sources`."""

    name: str
    title: str
    budget_fps: float
    """Frames per second that the whole of `emo live` shall reach; a model's share is one frame's time."""
    cores: int
    board: str
    """What the board's name in the device tree holds; empty for the machine at hand."""
    gops_per_core: Mapping[str, float] = field(default_factory=dict)
    """10^9 operations (two per multiply-add) a second and core that dense nets reach, by precision: fp32, int8."""
    limits: str = ""
    """What it can't do, in a sentence."""
    reach: str = ""
    """How to measure on it from here."""
    sources: tuple[str, ...] = ()

    def is_here(self) -> bool:
        """Whether this process runs on the device."""
        return self.board in board()


def board() -> str:
    """Return the name of the board this process runs on, "Raspberry Pi 5 Model B Rev 1.0" say; empty on a PC."""
    try:
        return _DEVICE_TREE.read_bytes().rstrip(b"\0").decode("utf-8", "replace")
    except OSError:
        return ""


def over_ssh(name: str) -> str:
    """Return the line that measures on another machine, the model going through the pipe."""
    return f"ssh {name} emo bench --device {name} < model.onnx"
