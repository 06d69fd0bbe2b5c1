"""The microphone: through the sounddevice package, or a recorder of the system, parec or arecord."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from threading import Event
from typing import Any

import numpy as np

from emocli import extras
from emocli.errors import EmoError
from emocli.live.sound_sources import Blocks, SoundSource, named, raw
from emocli.sound import sound_files, sounds
from emocli.sound.sounds import RATE_HZ, Sound
from emocli.telling import Note

BLOCK_SECONDS = 0.02
"""What a microphone hands over at once; sound is as old as that when it comes."""
_RECORDERS = {
    "parec": ("--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1", "--latency-msec=20", "--device={}"),
    "arecord": ("-q", "-t", "raw", "-f", "S16_LE", "-r", f"{RATE_HZ}", "-c", "1", "--buffer-time=200000", "-D{}"),
}
"""Programs that write raw samples to stdout; the last argument names a device and is left out without one."""


def opened(source: str, rate_hz: int, device: str, *, realtime: bool, note: Note) -> SoundSource:
    """Open what `source` names, or a microphone where it names nothing; raises EmoError as these do."""
    if source:
        return named(source, rate_hz, realtime=realtime, note=note)
    return microphone(device, note=note)


def microphone(device: str, *, note: Note) -> SoundSource:
    """Open a microphone by its number or a part of its name, the system's own for "".

    Raises EmoError with what to install where nothing can record, and when there is no microphone.
    """
    recorder = next((name for name in _RECORDERS if shutil.which(name)), "")
    try:
        import sounddevice
    except (ImportError, OSError) as fault:  # OSError: the package without the system's library
        if recorder:
            return _recorded(recorder, device, note)
        if isinstance(fault, ImportError):
            needs = f"sounddevice, which is not installed; run: {extras.pip_line('mic')}"
        else:
            needs = "the system's PortAudio; run: sudo apt install libportaudio2"
        raise EmoError(f"a microphone needs {needs}, or install parec or arecord") from fault
    return _portaudio(sounddevice, device, note)


def _portaudio(library: Any, device: str, note: Note) -> SoundSource:
    place = int(device) if device.isdigit() else device or None
    try:
        about = library.query_devices(place, "input")
        rate_hz = round(about["default_samplerate"])
        stream = library.RawInputStream(
            samplerate=rate_hz, blocksize=round(rate_hz * BLOCK_SECONDS), device=place, channels=1, dtype="int16"
        )
    except (library.PortAudioError, ValueError) as fault:
        raise EmoError(
            f"no microphone can be opened ({fault}); plug one in, or play a file with --source FILE"
        ) from fault
    name = about["name"]
    return SoundSource(name, _resampled(rate_hz, _read(library, stream, name, note)), live=True)


def _resampled(rate_hz: int, blocks: Iterator[Sound]) -> Blocks:
    yield from sound_files.at_rate(rate_hz, blocks)


def _read(library: Any, stream: Any, name: str, note: Note) -> Blocks:
    """Yield what a stream of PortAudio records; its own buffer bridges the time between two calls."""
    told = False
    with closing(stream):
        try:
            stream.start()
            while True:
                samples, overflowed = stream.read(stream.blocksize)
                if overflowed and not told:
                    note(f"{name} gave more than could be taken: some sound is lost")
                    told = True
                yield sounds.from_int16(np.frombuffer(bytes(samples), np.int16))
        except library.PortAudioError as fault:
            raise EmoError(f"{name} stopped ({fault}); is it unplugged?") from fault


def _recorded(program: str, device: str, note: Note) -> SoundSource:
    *arguments, named = _RECORDERS[program]
    command = [program, *arguments, *([named.format(device)] if device else [])]
    over = Event()
    return SoundSource(program, _output(command, over, note), live=True, over=over)


def _output(command: list[str], over: Event, note: Note) -> Blocks:
    """Yield what a recorder writes; whatever it says on its way out becomes the error."""
    with tempfile.TemporaryFile() as said:
        # a session of its own: Ctrl-C is for emo, which ends it
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, start_new_session=True)
        assert process.stdout is not None
        try:
            yield from raw(process.stdout.fileno(), RATE_HZ, command[0], over=over, note=note)
        except EmoError:
            pass  # that no sound came is said below, with the reason
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()
        if not over.is_set():
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines() or ["without a word"]
            raise EmoError(f"{command[0]} stopped recording ({lines[-1]}); is there a microphone?")
