"""What FFmpeg reads of a file, and of nothing that the file names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from av.container import InputContainer


def opened(file: BinaryIO) -> "InputContainer | None":
    """Return an open file as FFmpeg reads it, None for what it doesn't; both are to be closed."""
    import av  # 150 ms, which most corpora do without

    try:
        # by its name, a playlist would be followed to other files and hosts; so nothing else can be opened
        return av.open(file, "r", options={"protocol_whitelist": "none"})
    except (av.error.FFmpegError, ValueError):
        return None


@contextmanager
def film(path: Path) -> "Iterator[InputContainer | None]":
    """Give an open film, None for what is none; a sound with the picture of its cover is none either."""
    with open(path, "rb") as file:
        if (container := opened(file)) is None:
            yield None
            return
        with container:
            yield container if _has_pictures(container) else None


def kind(path: Path) -> str:
    """Return sound, or film where there is something to see too; nothing for what can't be heard."""
    with open(path, "rb") as file:
        if (container := opened(file)) is None:
            return ""
        with container:
            return ("film" if _has_pictures(container) else "sound") if container.streams.audio else ""


def _has_pictures(container: "InputContainer") -> bool:
    """Tell whether there is something to see, which the cover of a sound is not."""
    from av.stream import Disposition

    shown = container.streams.video
    return bool(shown) and not shown[0].disposition & Disposition.attached_pic
