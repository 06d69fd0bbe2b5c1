"""What a film's container says of its times and OpenCV does not tell."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from emocli.sound import containers, marks

if TYPE_CHECKING:
    from av.stream import Stream

_MOST = 0.95
"""Share of its length below which a film is cut off; some only estimate how long they are."""
_LONGEST_SECONDS = 3600.0
"""A sound that begins later than this after the picture is one whose times are wrong."""


def is_whole(path: Path, seconds: float) -> bool:
    """Tell whether a film that ends `seconds` after its first picture is as long as it says.

    Its number of frames does not tell: of a film trimmed without encoding it anew it counts those that are left out,
    and where it is not written down OpenCV takes an even rate for granted.
    """
    with containers.film(path) as container:
        if container is None or container.format.name == "avi":  # which has a count only, of what it shows
            return False
        stream = container.streams.video[0]
        length = _seconds(stream, stream.duration) or _written(stream) or (container.duration or 0) / 1e6
        # some count from the first picture and some from before it
        return _seconds(stream, stream.start_time) + seconds >= _MOST * length


def sound_delay(path: Path) -> float:
    """Return how many seconds after its first picture the sound of a film begins; 0 where none is known."""
    if not _may_be_film(path):
        return 0.0
    with containers.film(path) as container:
        if container is None or not container.streams.audio:
            return 0.0
        picture, sound = container.streams.video[0], container.streams.audio[0]
        delay = _seconds(sound, sound.start_time) - _seconds(picture, picture.start_time)
        return delay if 0 < delay <= _LONGEST_SECONDS else 0.0


def _may_be_film(path: Path) -> bool:
    """Tell a film from wav, flac, ogg and aiff, which are read without FFmpeg, and from what can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read(4) not in marks.LIBSNDFILE
    except OSError:
        return False


def _seconds(stream: "Stream", ticks: int | None) -> float:
    return float(ticks * stream.time_base) if ticks and stream.time_base else 0.0


def _written(stream: "Stream") -> float:
    """Return how long a stream of a Matroska file is, as FFmpeg and others write it into its tags; 0 without one."""
    clock = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d+)", stream.metadata.get("DURATION", ""))
    return 3600 * int(clock[1]) + 60 * int(clock[2]) + float(clock[3]) if clock else 0.0
