"""A sound in, the emotion in the voice out: the one path of `emo predict` and `emo live`: they can't disagree."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from emocli import onnx_file, registry
from emocli.artifact import Header, expect
from emocli.data import padding
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.extracting.joining import Extractor
from emocli.scores import views
from emocli.scores.metrics import softmax
from emocli.scores.views import PLAIN, Views
from emocli.serving.carrying import Carrier
from emocli.serving.verdicts import verdict
from emocli.sound import sound_files, sounds
from emocli.sound.framewise import Framewise
from emocli.sound.sounds import Sound
from emocli.telling import Note

Spans = Sequence[tuple[int, int]]
"""Where somebody speaks, [start, stop) in samples, in order."""

_NOBODY = "nobody speaks in it, as far as the model's detector can tell; --detector none hears it all the same"
_SENSES = {"face": "faces", "physio": "signals", "text": "texts"}
RECORDED = "recorded"
"""The detector that a model's header names, none where it names none."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A model with its own extractor and a detector. The halves may run in two threads, each in one only."""

    provider: str
    """What really runs the model, as its engine states it."""
    find_speech: Callable[[Sound], Spans]
    cuts: bool
    """Whether `answer` hears only what lies between the first word and the last."""
    follow: Callable[[float], Carrier] | None
    """Makes what follows a sound in pieces, answering about so many seconds; None for a model that can't."""
    say: Callable[[NDArray[np.floating[Any]]], dict[str, Any]]
    """Logits (classes,) to label and probabilities."""
    answer: Callable[[Sound, Spans], NDArray[Any]]
    """A sound and its spans, at least one, to logits (classes,)."""

    def classify(self, sound: Sound, spans: Spans) -> dict[str, Any]:
        """Return label and probabilities of what is heard in a sound with these spans, at least one."""
        return self.say(self.answer(sound, spans))

    def __call__(self, sound: Sound) -> dict[str, Any] | None:
        """Return what is heard in (samples,) float32 at 16 kHz; None where nobody speaks."""
        spans = self.find_speech(sound)
        return self.classify(sound, spans) if spans else None


def listener(
    model: Path,
    *,
    detector: str = RECORDED,
    engine: str,
    threads: int,
    seen: Views = PLAIN,
    carry: bool = False,
    note: Note,
) -> Listener:
    """Open a model for sounds; features come from its header. Raises EmoError for one of anything else.

    A model of clips that were cut to what is spoken gets sounds cut so, by the detector of its header, or by `detector`
    where that names another. One of whole clips gets whole sounds, and a `detector` only tells which to leave out. With
    "none" all are heard, uncut. The logits are the mean over the views that are `seen`. With `carry` a model that can,
    and is asked for one view, is made ready to `follow` a sound.
    """
    header = expect(onnx_file.read_header(model), ("model",), str(model))
    if (kind := extraction.modality(header)) != "speech":
        raise EmoError(
            f"{model} is a model of {_SENSES[kind]}, not of voices; make one: emo features CLIPS | emo train"
        )
    seen.expect_voice(header)
    recorded = (header.step("features") or {}).get("detector", "none")
    cuts = "none" not in (recorded, detector)
    extract = extraction.from_header(header)
    frames = _causal_frames(header, extract, engine, note) if carry and seen == PLAIN else 0
    given = {"threads": threads} | ({"carry": True} if frames else {})
    running = registry.load("engines", engine)(model, **registry.resolve("engines", engine, given))

    def say(logits: NDArray[np.floating[Any]]) -> dict[str, Any]:
        return verdict(softmax(logits[None].astype(np.float64))[0], header.labels)

    def answer(sound: Sound, spans: Spans) -> NDArray[Any]:
        features = extract([extraction.spoken(sound, spans) if cuts else sound])
        if frames:
            running.begin()
        logits: NDArray[Any] = views.logits(running, padding.batch(features), header, seen)[0]
        return logits

    def follow(seconds: float) -> Carrier:
        return Carrier(running, cast(Framewise, extract), frames, seconds)

    detect = _detector(header, recorded, detector, note)
    return Listener(running.provider, detect, cuts, follow if frames else None, say, answer)


def finder_of_files(asked: str) -> str:
    """Return the detector for sounds in files: auto is the one that the model's header names."""
    return RECORDED if asked == "auto" else asked


def predictions(listen: Listener, paths: Iterable[Path], counts: Counter[str], note: Note) -> Iterator[dict[str, Any]]:
    """Yield {"path", "seconds", "label", …} for each file, {"path", "error"} for one that gives nothing.

    `counts` is kept up to date: sounds, unreadable; `note` hears what is odd about a file. Memory does not grow with
    their number.
    """
    for path in paths:
        try:
            recording = sound_files.read(path)
            sound = sounds.from_int16(recording.samples)
            heard = listen(sound) or {"error": _NOBODY}
        except EmoError as fault:
            counts["unreadable"] += 1
            yield {"path": str(path), "error": str(fault)}
            continue
        for remark in recording.remarks:
            note(f"{path}: {remark}")
        counts["sounds"] += 1
        yield {"path": str(path), "seconds": round(len(sound) / sounds.RATE_HZ, 2), **heard}


def _detector(header: Header, recorded: str, asked: str, note: Note) -> Callable[[Sound], Spans]:
    """Return what finds speech: what is asked for, or what the header names."""
    name, params = asked, {}
    if asked == RECORDED or (asked == "auto" and recorded != "none"):
        name, params = recorded, (header.step("features") or {}).get("detector_params", {})
    return _whole if name == "none" else extraction.detector(name, params, note=note, modality="speech")


def _causal_frames(header: Header, extract: Extractor, engine: str, note: Note) -> int:
    """Return how many frames a model takes as one that can go on from its state; 0 for one that can't here."""
    causal = header.extra.get("causal", {})
    frames = causal.get("frames", 0) if isinstance(causal, dict) else 0
    if not isinstance(frames, int) or frames < 1 or "carry" not in registry.options("engines", engine):
        return 0
    if why := extract.whole if isinstance(extract, Framewise) else "its features are of whole clips":
        note(f"the model could go on from its state, but {why}; each window is heard anew")
        return 0
    return frames


def _whole(sound: Sound) -> Spans:
    return [(0, len(sound))]
