"""What is known of a device: what it can do, how to tell that we are on it, how to reach it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from emocli.errors import EmoError

_WINDOWS = 2.0
"""A second: `emo live` answers about a voice every half second unless it is told otherwise."""
_DEVICE_TREE = Path("/proc/device-tree/model")


@dataclass(frozen=True, slots=True)
class Device:
    """A device that models are built for; its figures come from the published ones in `sources`."""

    name: str
    title: str
    budget_fps: float
    """Frames, of a voice windows, per second that all of `emo live` shall reach; a model's share is the time of one."""
    cores: int
    boards: tuple[str, ...]
    """Each what the board's name in the device tree may hold; empty for the machine at hand."""
    gops_per_core: Mapping[str, float] = field(default_factory=dict)
    """10^9 operations (two per multiply-add) a second and core that dense nets reach, by precision: fp32, int8."""
    limits: str = ""
    """What it can't do, in a sentence."""
    reach: str = ""
    """How to measure on it from here."""
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise EmoError for a frame rate that is none."""
        if not self.budget_fps > 0:
            raise EmoError(f"fps={self.budget_fps:g} is no frame rate to reach; use more than 0")

    def for_windows(self) -> "Device":
        """Return the device with the rate that is wanted of a model of windows, of voices or of signals."""
        return replace(self, budget_fps=_WINDOWS)

    def is_here(self) -> bool:
        """Whether this process runs on the device."""
        return not self.boards or any(name in board() for name in self.boards)


def board() -> str:
    """Return the name of the board this process runs on, "Raspberry Pi 5 Model B Rev 1.0" say; empty on a PC."""
    try:
        return _DEVICE_TREE.read_bytes().rstrip(b"\0").decode("utf-8", "replace")
    except OSError:
        return ""


def over_ssh(name: str) -> str:
    """Return the line that measures on all cores of another machine, the model going through the pipe."""
    return f"ssh {name} emo bench --device {name} --threads 0 < model.onnx"
