"""Sound files of any kind, rate and number of channels, decoded block by block to what a sound is inside emo.

wav, flac, ogg and aiff are read by libsndfile, all others (mp3, m4a, the sound of mp4, mkv, mpg) by FFmpeg's libraries.
Channels are averaged; rates are converted by soxr's high-quality filter, in one piece whatever the blocks are. What a
file really is says its content, not its name.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.sound import containers, marks, ogg, sounds
from emocli.sound.sounds import RATE_HZ, Sound

if TYPE_CHECKING:
    import soundfile
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

SOUNDS = frozenset((
    ".aac", ".ac3", ".aif", ".aiff", ".amr", ".au", ".caf", ".flac", ".m4a",
    ".mka", ".mp3", ".oga", ".ogg", ".opus", ".w64", ".wav", ".wma",
))  # fmt: skip
VIDEOS = frozenset((".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"))
SUFFIXES = SOUNDS | VIDEOS
"""What is taken for a sound inside a folder."""
MOST_SECONDS = 3600
"""What is read whole is at most this long: 115 MB, a whole lecture; longer ones are for `blocks`."""
RATES_HZ = (1000, 768_000)
"""What a file may say its rate is; a lying header could ask for gigabytes otherwise."""
NARROW_HZ = 8000
_BLOCK = 1 << 17
_NAME = 4
_CHUNK = re.compile(rb"[A-Za-z]{3}[A-Za-z0-9 ]|id3 |ID3")
"""The name of a chunk, so many bytes, or that of a tag."""
_TITLES = b"ID3", b"TAG"
"""How titles begin, where an mp3 may have more sound behind them."""
NARROW = "clip below 8 kHz, which lacks what is above 4 kHz"
_SILENT = 3
"""Loudest 16 bit sample of a silent file."""


class Unreadable(EmoError):
    """A file that gives no sound; `why` is the same for all files with that fault, so that they can be counted."""

    def __init__(self, path: Path, why: str, what_next: str = "convert it, or leave it out") -> None:
        super().__init__(f"{path}: {why}; {what_next}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole file: (samples,) int16, mono at 16 kHz, never empty, and what is remarkable about it."""

    samples: NDArray[np.int16]
    remarks: tuple[str, ...]


def read(path: Path) -> Recording:
    """Return a file's sound; raises Unreadable when it is none, empty, not all numbers, or over an hour long."""
    if path.exists() and not path.is_file():
        raise Unreadable(path, "is no plain file")  # a named pipe would never end
    remarks: list[str] = []
    parts, length = [], 0
    for block in blocks(path, remarks.append):
        length += len(block)
        if length > MOST_SECONDS * RATE_HZ:
            what_next = f"cut it into clips, or: emo live --source {path} answers window by window"
            raise Unreadable(path, "longer than an hour, which is no utterance", what_next)
        parts.append(sounds.to_int16(block))
    samples = np.concatenate(parts)
    if max(int(samples.max()), -int(samples.min())) <= _SILENT:
        remarks.append("silent clip")
    elif sounds.is_clipped(samples):
        remarks.append("clip that is clipped: louder than its recorder could hold")
    return Recording(samples, tuple(remarks))


def blocks(path: Path, remark: Callable[[str], None] = lambda text: None) -> Iterator[Sound]:
    """Yield a file's sound in blocks, none of them empty, however long it is.

    `remark` hears what is odd about the file. Raises Unreadable as `read` does, at the latest at the end.
    """
    empty = True
    for block in at_rate(*_opened(path, remark)):
        if not np.isfinite(block).all():
            raise Unreadable(path, "has samples that are not numbers (NaN)")
        empty = False
        yield block
    if empty:
        raise Unreadable(path, "has no samples")


Native = tuple[int, Iterator[Sound]]
"""A file's own rate in Hz, and its sound at that rate, channels averaged."""


def _opened(path: Path, remark: Callable[[str], None]) -> Native:
    try:
        with open(path, "rb") as file:
            # of sounds joined end to end libsndfile hears the first
            by_libsndfile = file.read(4) in marks.LIBSNDFILE and not ogg.is_chained(file)
    except OSError as fault:
        raise Unreadable(path, f"can't be opened ({fault.strerror})", "check the name, or leave it out") from fault
    native = _libsndfile(path, remark) if by_libsndfile else None
    rate_hz, samples = native or _ffmpeg(path)
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise Unreadable(path, f"has a rate that no sound has, not {RATES_HZ[0]} to {RATES_HZ[1]} Hz")
    if rate_hz < NARROW_HZ:
        remark(NARROW)
    return rate_hz, samples


def _libsndfile(path: Path, remark: Callable[[str], None]) -> Native | None:
    """Open with libsndfile; None for what it can't read, or finds nothing in (a header may say 0 and be wrong)."""
    import soundfile  # 10 ms, which pictures do without

    try:
        # as the system has it: soundfile refuses a name that is not UTF-8
        file = soundfile.SoundFile(os.fsencode(path))
    except soundfile.LibsndfileError:
        return None
    if not file.frames or "(should be" in file.extra_info or _goes_on(path, file.extra_info):
        remark("clip of another length than its header says")
    if not file.frames:
        file.close()
        return None
    return file.samplerate, _frames(path, file)


def _goes_on(path: Path, log: str) -> bool:
    """Tell whether neither chunks nor padding are behind what a header says, as where a recorder was stopped."""
    behind = re.search(r"marker.* at position (\d+)", log)
    if not behind:
        return False
    with open(path, "rb") as file:
        file.seek(max(0, int(behind[1]) - _NAME))
        rest = file.read(1 << 20)
    # behind a chunk of odd length, which many writers don't fill up, libsndfile takes the next one's name for another
    return len(set(rest[_NAME:])) > 1 and not _CHUNK.search(rest[: 2 * _NAME])


def _frames(path: Path, file: "soundfile.SoundFile") -> Iterator[Sound]:
    import soundfile

    with file:
        size = max(1, _BLOCK // file.channels)
        # libsndfile's own conversion takes twice as long
        kind = "int16" if file.subtype == "PCM_16" else "float32"
        try:
            if file.subtype == "OPUS":
                file.seek(0)  # else what the encoder put before the sound is heard, and its end is not
            while len(block := file.read(size, dtype=kind, always_2d=True)):
                block = sounds.from_int16(block) if kind == "int16" else block
                yield block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
        except soundfile.LibsndfileError as fault:
            raise Unreadable(path, "is damaged") from fault


def _ffmpeg(path: Path) -> Native:
    file = open(path, "rb")  # noqa: SIM115
    if (container := containers.opened(file)) is None:
        file.close()
        raise Unreadable(path, "is no sound file" if path.stat().st_size else "is empty")
    streams = container.streams.audio
    why = "has no sound in it"
    if streams and streams[0].codec_context is None:
        why = "has sound that can't be decoded"
    elif streams and streams[0].rate:
        return streams[0].rate, _decoded(path, file, container, streams[0].rate)
    container.close()
    file.close()
    raise Unreadable(path, why)


def _decoded(path: Path, file: BinaryIO, container: "InputContainer", rate_hz: int) -> Iterator[Sound]:
    import av

    with file, container:
        # the rate of a frame may be another than the stream says (AAC with SBR)
        planar = av.AudioResampler(format="fltp", rate=rate_hz)
        try:
            for frame in _decoded_frames(container):
                for each in planar.resample(frame):
                    yield each.to_ndarray().mean(axis=0, dtype=np.float32)
        except av.error.PatchWelcomeError as fault:
            raise Unreadable(path, "changes its rate or channels on the way, as files joined end to end do") from fault
        except (av.error.FFmpegError, ValueError) as fault:
            raise Unreadable(path, "is damaged") from fault


def _decoded_frames(container: "InputContainer") -> Iterator["AudioFrame"]:
    """Yield the frames of the first sound; between the parts of an mp3 joined of several may be their titles."""
    import av

    for packet in container.demux(container.streams.audio[0]):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            if not bytes(packet).startswith(_TITLES):
                raise


def at_rate(rate_hz: int, samples: Iterator[Sound]) -> Iterator[Sound]:
    """Yield a sound of another rate at 16 kHz, blocks without a sample left out."""
    if rate_hz == RATE_HZ:
        yield from (block for block in samples if len(block))
        return
    import soxr

    stream = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32", quality="HQ")
    for block in samples:
        if len(out := stream.resample_chunk(np.ascontiguousarray(block))):
            yield out
    if len(out := stream.resample_chunk(np.empty(0, np.float32), last=True)):
        yield out
