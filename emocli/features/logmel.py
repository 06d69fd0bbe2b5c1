"""Log-mel spectrogram: power behind Slaney's mel filters in decibels, equal to librosa's.

Options:
    mels: mel filters
    fmin: where the lowest filter begins, in Hz
    fmax: where the highest ends, in Hz; 0 is half the sampling rate
    top_db: what is further below the loudest value of the clip is raised to there; 0 leaves it
    n_fft: samples of a frame, at 16 kHz
    hop: samples from one frame to the next
"""

from emocli.features import _mel
from emocli.sound.frames import Framing
from emocli.sound.framewise import Framewise

MODALITY = "speech"


def extractor(
    *, mels: int = 128, fmin: float = 0.0, fmax: float = 0.0, top_db: float = 80.0, n_fft: int = 2048, hop: int = 512
) -> Framewise:
    """Return the function from n sounds to n arrays (frames, mels) float32, in decibels."""
    framing = Framing(n_fft, hop)
    log_mel = _mel.log_mel(n_fft, mels=mels, fmin=fmin, fmax=fmax, top_db=top_db)
    return Framewise(framing, log_mel, whole=_mel.WHOLE if top_db else "")
