"""What FFmpeg reads of a file, and of nothing that the file names."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


def opened(file: BinaryIO) -> "InputContainer | None":
    """Return an open file as FFmpeg reads it, None for what it doesn't; both are to be closed."""
    import av  # 150 ms, which most corpora and films do without

    try:
        # by its name, a playlist would be followed to other files and hosts; so nothing else can be opened
        return av.open(file, "r", options={"protocol_whitelist": "none"})
    except (av.error.FFmpegError, ValueError):
        return None


def pictures(container: "InputContainer") -> "VideoStream | None":
    """Return what is shown in a film; None for a sound, which may have the picture of its cover."""
    from av.stream import Disposition

    shown = container.streams.video
    return shown[0] if shown and not shown[0].disposition & Disposition.attached_pic else None


def kind(path: Path) -> str:
    """Return sound, or film where there is something to see too; nothing for what can't be heard."""
    with open(path, "rb") as file:
        if (container := opened(file)) is None:
            return ""
        with container:
            return ("film" if pictures(container) else "sound") if container.streams.audio else ""
