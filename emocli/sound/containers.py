"""What FFmpeg reads of a file, and of nothing that the file names."""

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from av.container import InputContainer


def opened(file: BinaryIO) -> "InputContainer | None":
    """Return an open file as FFmpeg reads it, None for what it doesn't; both are to be closed."""
    import av  # 150 ms, which most corpora and films do without

    try:
        # by its name, a playlist would be followed to other files and hosts; so nothing else can be opened
        return av.open(file, "r", options={"protocol_whitelist": "none"})
    except (av.error.FFmpegError, ValueError):
        return None
