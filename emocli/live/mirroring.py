"""Films that are to be shown mirrored, as some front cameras write them: OpenCV turns pictures and no more."""

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from emocli.sound import containers


def is_mirrored(path: Path) -> bool:
    """Tell whether what a film says of how its pictures are shown is a mirror image, upright or turned."""
    with containers.film(path) as film:
        if film is None:
            return False
        import av

        with suppress(av.error.FFmpegError, ValueError, StopIteration):
            matrix: Any = next(film.decode(video=0)).side_data.get("DISPLAYMATRIX")
            # in fixed point [[a, b, 0], [c, d, 0], [x, y, 1]]
            a, b, _, c, d = struct.unpack_from("5i", bytes(matrix)) if matrix else (1, 0, 0, 0, 1)
            return bool(a * d < b * c)
    return False
