"""Where somebody speaks: real speech within silence and noise, nothing in what is no speech."""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED
from real_faces import network
from sound_made import tone

from emocli import registry
from emocli.detectors import _spans
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.sound import sound_files, sounds
from emocli.sound.sounds import Sound

DETECTORS = ("energy", "silero")
Spans = list[tuple[int, int]]
SILERO = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"


@pytest.fixture
def detect(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Sound], Spans]:
    """A detector by its name, networks in the store."""
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    if request.param == "silero":
        (tmp_path / "downloads").mkdir()
        shutil.copyfile(network("silero_vad.onnx"), tmp_path / "downloads" / SILERO)
    made: Callable[[Sound], Spans] = registry.load("detectors", request.param)()
    return made


@pytest.fixture(scope="module")
def speech() -> Sound:
    """A real sentence of 2.0 s without silence around it."""
    path = SHARED / "emodb" / "03a05Nd.flac"
    if not path.is_file():
        pytest.skip("no real speech beside the project (../shared/data)")
    return sounds.from_int16(sound_files.read(path).samples)


def _within(speech: Sound, seconds: float = 1.5, noise: float = 0.0005) -> Sound:
    """Return the speech with a quiet room before and after."""
    quiet = round(seconds * 16_000)
    room = np.random.default_rng(0).normal(0, noise, len(speech) + 2 * quiet)
    room[quiet : quiet + len(speech)] += speech
    return room.astype(np.float32)


@pytest.mark.parametrize("detect", DETECTORS, indirect=True)
def test_speech_is_found_between_silences(detect: Callable[[Sound], Spans], speech: Sound) -> None:
    spans = detect(_within(speech))
    assert spans[0][0] / 16_000 == pytest.approx(1.5, abs=0.25)
    assert spans[-1][1] / 16_000 == pytest.approx(1.5 + len(speech) / 16_000, abs=0.25)


@pytest.mark.parametrize("detect", DETECTORS, indirect=True)
def test_speech_is_found_in_steady_noise(detect: Callable[[Sound], Spans], speech: Sound) -> None:
    level = float(np.sqrt((speech**2).mean())) / 10 ** (10 / 20)  # 10 dB below
    spans = detect(_within(speech, noise=level))
    assert 1.2 < spans[0][0] / 16_000 < 2.2 and 2.2 < spans[-1][1] / 16_000 < 1.9 + len(speech) / 16_000


@pytest.mark.parametrize("detect", DETECTORS, indirect=True)
def test_two_sentences_are_two_spans_in_order_and_within_the_sound(
    detect: Callable[[Sound], Spans], speech: Sound
) -> None:
    spans = detect(np.concatenate([_within(speech, 2), _within(speech, 2)]))
    assert len(spans) >= 2 and spans == sorted(spans)
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(spans)]
    assert max(gaps) > 2 * 16_000 and min(gaps) >= 0


@pytest.mark.parametrize("detect", DETECTORS, indirect=True)
@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "click", "ten samples"])
def test_nobody_speaks_where_there_is_no_speech(detect: Callable[[Sound], Spans], kind: str) -> None:
    sound = {
        "silence": np.zeros(32_000, np.float32),
        "noise": np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32),
        "hum": tone(2.0, hz=100),
        "click": np.eye(1, 32_000, 16_000, dtype=np.float32)[0],
        "ten samples": np.zeros(10, np.float32),
    }[kind]
    assert detect(sound) == []


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ("0000", []),
        ("0110000", [(1, 3)]),
        ("0111", [(1, 4)]),
        ("0110", [(1, 4)]),  # not silent for long enough before the end
        ("0101", [(1, 4)]),  # a short pause does not end a span
        ("01100011000", [(1, 3), (6, 8)]),
        ("0100011000", [(5, 7)]),  # too short is dropped
        ("011/////11000", [(1, 10)]),  # between the two thresholds nothing begins and nothing ends
    ],
)
def test_scores_become_spans(scores: str, expected: Spans) -> None:
    values = [{"0": 0.0, "1": 1.0, "/": 0.5}[score] for score in scores]
    how = {"on": 0.6, "off": 0.4, "shortest": 1 / 16, "silence": 2 / 16, "margin": 0.0}
    found = _spans.spans(values, len(scores) * 1000, step=1000, **how)
    assert [(start / 1000, stop / 1000) for start, stop in found] == expected


def test_margins_stay_in_the_sound_and_share_a_gap() -> None:
    how = {"on": 1, "off": 1, "shortest": 0, "silence": 0.01, "margin": 1.0}
    assert _spans.spans([0, 1, 0, 0, 1, 0], 6000, step=1000, **how) == [(0, 3000), (3000, 6000)]


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("option", ["shortest", "silence", "margin"])
def test_durations_below_zero_are_refused(name: str, option: str) -> None:
    with pytest.raises(EmoError, match=f"{option}=-1.0 is no duration in speech; use 0 to 3600 seconds"):
        registry.load("detectors", name)(**{option: -1.0})


def test_auto_for_speech_is_energy_where_silero_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speech: Sound
) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    notes: list[str] = []
    found = extraction.detector("auto", note=notes.append, modality="speech")
    assert found(_within(speech)) == registry.load("detectors", "energy")()(_within(speech))
    assert len(notes) == 1 and "using energy instead of silero" in notes[0]


def test_silero_asked_for_by_name_that_cannot_be_had_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(EmoError, match=f"can't download .* put the file at .*{SILERO}"):
        extraction.detector("silero", modality="speech")


@pytest.mark.parametrize(("detector", "modality"), [("haar", "speech"), ("energy", "face")])
def test_a_detector_of_another_kind_is_refused(detector: str, modality: str) -> None:
    with pytest.raises(EmoError, match=f"{detector} is for .*, not for {modality}"):
        extraction.detector(detector, modality=modality)
