"""Sent as a compressed file: encoded and decoded by a real codec, MP3, Ogg Vorbis or Opus.

LAME, libvorbis and libopus as libsndfile has them, for the sound at 16 kHz. Loud speech at a level of 0.5 to 0.9 has 50
to 30 kbit/s in MP3, 65 to 45 in Vorbis and 140 to 35 in Opus; with pauses and far from full scale it has half of that.

Options:
    level: how far it is compressed, 0 (the best that the codec has) to 1 (the smallest)
    kind: mp3, vorbis, opus, or any, which draws mp3 or vorbis: Opus takes five times as long
"""

import io

import numpy as np
from numpy.random import Generator

from emocli.effects._effect import Effect, strengths
from emocli.errors import EmoError
from emocli.sound import mixing
from emocli.sound.noises import Others
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"

_KINDS = {"mp3": ("MP3", "MPEG_LAYER_III"), "vorbis": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}
_DRAWN = ("mp3", "vorbis")
_SMALLEST = 0.99
"""LAME's scale ends before 1."""


def effect(*, level: str = "0.5:0.9", kind: str = "any") -> Effect:
    """Return the function that encodes a sound and decodes it; it keeps its length."""
    levels = strengths("level", level, 0, 1, "compression")
    if kind not in ("any", *_KINDS):
        raise EmoError(f"no kind={kind}; choose any, {', '.join(_KINDS)}")
    kinds = _DRAWN if kind == "any" else (kind,)

    def decoded(sound: Sound, random: Generator, others: Others) -> Sound:
        strength, (container, codec) = levels.draw(random), _KINDS[kinds[random.integers(len(kinds))]]
        got = _there_and_back(mixing.within_full_scale(sound), container, codec, min(strength, _SMALLEST))
        # a codec may overshoot where the sound was at full scale
        return mixing.within_full_scale(np.pad(got, (0, max(0, len(sound) - len(got))))[: len(sound)])

    return decoded


def _there_and_back(sound: Sound, container: str, codec: str, level: float) -> Sound:
    """Return a sound after a codec, as long as it was but for the codec's last frame."""
    import soundfile  # 10 ms, which a look at the options does without

    file = io.BytesIO()
    try:
        soundfile.write(file, sound, RATE_HZ, codec, format=container, compression_level=level)
    except (soundfile.LibsndfileError, ValueError) as fault:
        raise EmoError(
            f"this libsndfile can't encode {codec}: {fault}; take another kind, or pip install -U soundfile"
        ) from fault
    file.seek(0)
    samples: Sound = soundfile.read(file, dtype="float32")[0]
    return samples
