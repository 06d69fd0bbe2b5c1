"""Frames of a speech network in an ONNX file of yours: wav2vec 2.0, HuBERT, WavLM, or the encoder of Whisper.

A network that takes (batch, samples) hears the sound itself, one that takes (batch, mel filters, 3000) Whisper's
log-mel spectrum; the output is (batch, frames, d). The terms of the network are its authors', and none is shipped.

Options:
    model: the ONNX file, or its sha256:… in the store
    output: which of its outputs; empty is the first that has frames
    pool: frames, or mean for one vector a clip
    normalize: scale each clip to mean 0 and variance 1, where a network hears the sound itself; not all are trained so
    seconds: longer clips are cut into equal parts below this
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from emocli import onnx_session, store
from emocli.errors import EmoError
from emocli.features import _whisper
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"

# what the first layers of wav2vec 2.0 and its kin see at once
_LEAST_SAMPLES = 400
_MASK = "attention_mask"
# as transformers has it
_LEAST_VARIANCE = 1e-7


def extractor(
    *, model: str = "", output: str = "", pool: str = "frames", normalize: bool = True, seconds: float = 30.0
) -> Callable[[Sequence[Sound]], NDArray[np.float32] | list[NDArray[np.float32]]]:
    """Return the function from n sounds to n arrays (frames, d) float32, or (n, d); raises EmoError for other files."""
    if pool not in ("frames", "mean"):
        raise EmoError(f"ssl has no pool {pool!r}; choose frames or mean")
    if not 1 <= seconds <= 30:
        raise EmoError(f"seconds={seconds} is no length of a piece; use 1 to 30")
    embed = _network(model, output, normalize)

    def extract(sounds: Sequence[Sound]) -> NDArray[np.float32] | list[NDArray[np.float32]]:
        found = [embed(sound, round(seconds * RATE_HZ)) for sound in sounds]
        return found if pool == "frames" else np.stack([each.mean(axis=0) for each in found])

    return extract


def _network(model: str, output: str, normalize: bool) -> Callable[[Sound, int], NDArray[np.float32]]:
    """Return the function from a sound and the samples that a part of it may have to (frames, d)."""
    if not model:
        raise EmoError("ssl needs a network: -p model=FILE, an ONNX export of wav2vec 2.0, HuBERT, WavLM or Whisper")
    path = store.named(model)
    if not path.is_file():
        raise EmoError(f"ssl finds no file {path}; check the name of -p model=…")
    session = _session(path)
    entry, *others = session.get_inputs()
    names = [each.name for each in session.get_outputs() if len(each.shape) == 3 and output in ("", each.name)]
    if [each.name for each in others] not in ([], [_MASK]) or not _hears(entry) or not names:
        wanted = (
            "float32 (batch, samples) of any number or (batch, mel filters of a fixed number, 3000) as its one input, "
            f"frames as {output or 'an output'}"
        )
        raise EmoError(f"{path} is no network that ssl knows ({wanted}); export the encoder alone")

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        mask = {_MASK: np.ones((1, x.shape[-1]), np.int64)} if others else {}
        try:
            rows: NDArray[np.float32] = session.run(names[:1], {entry.name: x[None], **mask})[0][0]
        except Exception as fault:
            # ONNX Runtime has an error class per cause
            why = str(fault).strip().splitlines()[-1]
            raise EmoError(
                f"{path} can't hear {' x '.join(map(str, x.shape))} numbers ({why}); export it anew"
            ) from fault
        return rows.astype(np.float32, copy=False)

    def of_samples(sound: Sound, longest: int) -> NDArray[np.float32]:
        scaled = (sound - sound.mean()) / np.sqrt(sound.var() + _LEAST_VARIANCE) if normalize else sound
        padded = np.pad(scaled, (0, max(0, _LEAST_SAMPLES - len(sound))))
        return np.concatenate([run(part) for part in _parts(padded, longest)])

    def of_spectrum(sound: Sound, longest: int) -> NDArray[np.float32]:
        parts = _parts(sound, longest)
        # what follows a part is silence, not heard
        found = [run(_whisper.log_mel(part, entry.shape[1]))[: -(-len(part) // _whisper.STEP)] for part in parts]
        return np.concatenate(found)

    return of_samples if len(entry.shape) == 2 else of_spectrum


def _hears(entry: onnxruntime.NodeArg) -> bool:
    """Tell whether a network's input is for sounds of any length, or for log-mel of a known number of filters."""
    known = [isinstance(axis, int) for axis in entry.shape]
    return entry.type == "tensor(float)" and (known[1:] == [False] or (len(known) == 3 and known[1]))


def _parts(sound: Sound, longest: int) -> list[Sound]:
    return np.array_split(sound, -(-len(sound) // longest))


def _session(path: Path) -> onnxruntime.InferenceSession:
    try:
        return onnx_session.opened(str(path))
    except Exception as fault:
        # ONNX Runtime has an error class per cause
        raise EmoError(
            f"{path} is no whole ONNX file that ONNX Runtime can run; export it again as one file"
        ) from fault
