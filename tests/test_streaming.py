"""A stream in pieces of any length gives the rows of the whole clip, each as soon as it is sure."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from speech_clips import made, real

from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.sound import streaming
from emocli.sound.framewise import Framewise

MADE = made()
EXACT: list[tuple[str, dict[str, Any]]] = [
    ("mfcc", {"top_db": 0.0}),
    ("logmel", {"top_db": 0.0}),
    ("chroma", {"tuning": "0"}),
    ("rms", {}),
    ("prosody", {"tracker": "yin"}),
    ("mfcc+chroma+rms", {"top_db": 0.0, "tuning": "0"}),
]


def _extractor(name: str, options: dict[str, Any]) -> Framewise:
    extract, _ = extraction.build(name, options)
    assert isinstance(extract, Framewise)
    return extract


def _streamed(extract: Framewise, clip: NDArray[np.float32], pieces: list[int]) -> NDArray[np.float32]:
    stream = streaming.Stream(extract)
    rows = [stream.push(piece) for piece in np.split(clip, np.cumsum(pieces))]
    return np.concatenate([each for each in (*rows, stream.finish()) if each is not None])


@pytest.mark.parametrize(("name", "options"), EXACT, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("step", [160, 512, 9000])
def test_a_stream_gives_the_rows_of_the_clip(name: str, options: dict[str, Any], step: int) -> None:
    extract = _extractor(name, options)
    for clip in (MADE["vowel"], MADE["tone among silence"], MADE["eight frames"], MADE["one sample"]):
        (whole,) = extract([clip])
        found = _streamed(extract, clip, [step] * (len(clip) // step))
        assert found.shape == whole.shape
        np.testing.assert_allclose(found, whole, rtol=1e-4, atol=1e-4)


def test_real_speech_streams_in_uneven_pieces() -> None:
    extract = _extractor(*EXACT[-1])
    pieces = np.random.default_rng(0).integers(0, 3000, 10).tolist()
    for clip in real():
        (whole,) = extract([clip])
        np.testing.assert_allclose(_streamed(extract, clip, pieces), whole, rtol=1e-4, atol=1e-4)


def test_a_row_comes_as_soon_as_it_is_sure() -> None:
    for name, options, frames_later in (("rms", {}, 0), ("mfcc", {"top_db": 0.0}, 4)):
        stream = streaming.Stream(_extractor(name, options))
        given = [
            len(rows) if (rows := stream.push(MADE["noise"][i : i + 512])) is not None else 0
            for i in range(0, 12_288, 512)
        ]
        # half a frame of 2048 past the middle of the frame, and what the deltas look ahead by
        assert sum(given) == 24 - 2 + 1 - frames_later
        assert given[-1] == 1


def test_a_stream_forgets_what_no_row_depends_on() -> None:
    stream = streaming.Stream(_extractor("mfcc", {"top_db": 0.0}))
    for _ in range(20):
        stream.push(MADE["noise"])
    assert sum(len(block.samples) for block in stream._blocks) <= 2 * 4 + 2 * streaming._BLOCK
    assert len(stream._samples) < 2048 + 512


@pytest.mark.parametrize(("name", "says"), [("mfcc", "top_db=0"), ("chroma", "tuning=0"), ("prosody", "tracker=yin")])
def test_what_needs_the_whole_clip_is_refused_with_the_option_that_helps(name: str, says: str) -> None:
    with pytest.raises(EmoError, match=says):
        streaming.Stream(_extractor(name, {}))
    with pytest.raises(EmoError, match=says):
        streaming.Stream(_extractor(f"rms+{name}", {}))


def test_an_empty_stream_and_one_with_nan_are_refused() -> None:
    stream = streaming.Stream(_extractor("rms", {}))
    with pytest.raises(EmoError, match="not numbers"):
        stream.push(np.full(100, np.nan, np.float32))
    with pytest.raises(EmoError, match="without samples"):
        stream.finish()
