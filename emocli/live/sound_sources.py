"""Where sound comes from: a file, or raw samples on a pipe."""

import os
import select
import stat
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np

from emocli.errors import EmoError
from emocli.live import film_times
from emocli.sound import marks, sound_files, sounds
from emocli.sound.sounds import Sound
from emocli.telling import Note

Blocks = Generator[Sound, None, None]
"""A sound in pieces, mono at 16 kHz, to be read once; closing it releases the microphone or the file."""

POLL_SECONDS = 0.1
"""How often a source that waits for samples looks whether it shall stop."""
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class SoundSource:
    """An open source."""

    name: str
    blocks: Blocks
    live: bool
    """True when sound comes at its own pace whether anyone is ready or not, so that what is old must be dropped."""
    paced: bool = False
    """True when it is live, but has to be told to keep its pace: a file."""
    over: Event = field(default_factory=Event)
    """For others to set: nothing more is wanted, and nothing shall be waited for."""


def named(name: str, rate_hz: int, *, realtime: bool, note: Note) -> SoundSource:
    """Open a sound file, the sound of a video, or for "-" raw samples on stdin, 16 bit mono at `rate_hz`.

    `realtime` plays a file at its own pace, one behind `<` too; a pipe's sender has one and does not wait. Raises
    EmoError for a name that is no file and a terminal on stdin, what is read later for anything else.
    """
    if name == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise EmoError(
                "`-` takes raw samples from a pipe: arecord -t raw -f S16_LE -r 16000 | emo live --source - --realtime"
            )
        over = Event()
        blocks = raw(sys.stdin.fileno(), rate_hz, "stdin", over=over, note=note)
        paced = realtime and stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode)
        return SoundSource("stdin", blocks, live=realtime, paced=paced, over=over)
    path = Path(name)
    if not path.is_file():
        raise EmoError(f"{name} is no file; name a sound file, a video with sound, or - for raw samples on stdin")
    return SoundSource(path.name, _file(path, note), live=realtime, paced=realtime)


def raw(handle: int, rate_hz: int, name: str, *, over: Event, note: Note) -> Blocks:
    """Yield the sound of raw samples, 16 bit little-endian mono, that arrive at a file descriptor.

    It ends with the stream, or within 0.1 s when `over` is set. Raises EmoError for a rate that no sound has, a stream
    without any sample and one that is a sound file.
    """
    least, most = sound_files.RATES_HZ
    if not least <= rate_hz <= most:
        raise EmoError(f"--rate {rate_hz} is no rate of a sound; it is {least} to {most} Hz")
    if rate_hz < sound_files.NARROW_HZ:
        note(f"{name}: {sound_files.NARROW}")
    return _ended(sound_files.at_rate(rate_hz, _samples(_chunks(handle, over), name, over, note)), name, over)


def _file(path: Path, note: Note) -> Blocks:
    # in step with the faces of a film: its pictures begin at 0
    yield from _silence(film_times.sound_delay(path))
    # rounded to 16 bits and clipped, as it is where a file is read whole
    for block in sound_files.blocks(path, lambda text: note(f"{path}: {text}")):
        yield sounds.from_int16(sounds.to_int16(block))


def _silence(seconds: float) -> Iterator[Sound]:
    samples = round(seconds * sounds.RATE_HZ)
    yield from (np.zeros(min(_CHUNK, samples - start), np.float32) for start in range(0, samples, _CHUNK))


def _chunks(handle: int, over: Event) -> Iterator[bytes]:
    while not over.is_set():
        if select.select([handle], [], [], POLL_SECONDS)[0]:
            if not (chunk := os.read(handle, _CHUNK)):
                return
            yield chunk


def _samples(chunks: Iterator[bytes], name: str, over: Event, note: Note) -> Iterator[Sound]:
    rest = begun = b""
    for chunk in chunks:
        if len(begun) < marks.BYTES and marks.is_surely(begun := (begun + chunk)[: marks.BYTES]):
            raise EmoError(f"{name} is a sound file, not raw samples; name the file, or decode it: ffmpeg … -f s16le -")
        chunk = rest + chunk
        whole = len(chunk) // 2 * 2
        rest = chunk[whole:]
        yield sounds.from_int16(np.frombuffer(chunk[:whole], "<i2"))
    if rest and not over.is_set():
        note(f"{name} ends within a sample; its last byte is left out")


def _ended(blocks: Iterator[Sound], name: str, over: Event) -> Blocks:
    empty = True
    for block in blocks:
        empty = False
        yield block
    # Ctrl-C ends the command before this one as well, which may be the first to hear of it
    if empty and not over.wait(2 * POLL_SECONDS):
        raise EmoError(f"no sound came from {name}; did the previous command fail?")
