"""A model that keeps its state: a clip in pieces gets the logits of the whole, from the one file there is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emocli import onnx_file
from emocli.artifact import Header
from emocli.compress.quantize import quantize
from emocli.data import padding
from emocli.engines.onnxruntime import load
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.live import windows
from emocli.live.hearing import Following
from emocli.live.windows import Window
from emocli.serving.carrying import Carrier
from emocli.serving.listening import Listener, listener
from emocli.sound.framewise import Framewise
from emocli.sound.sounds import RATE_HZ, Sound

torch = pytest.importorskip("torch")
BANDS, STRIDE = 16, 3
OPTIONS = {"mels": BANDS, "n_fft": 512, "hop": 256, "top_db": 0.0}
LONG = 1e6


def written(path: Path, arch: str = "lstm", options: dict[str, float] = OPTIONS, detector: str = "energy") -> Path:
    """A model with weights of chance."""
    from emocli import architectures
    from emocli.training import export

    torch.manual_seed(0)
    params = {"width": 24, "stride": STRIDE} if arch == "lstm" else {}
    net = architectures.build(arch, (-1, BANDS), 3, params).eval()
    # decibels are not about 0
    net.features.standardize.norm.running_mean.fill_(-40)
    net.features.standardize.norm.running_var.fill_(400)
    step = {"command": "features", "name": "logmel", "params": options, "detector": detector}
    train = {"command": "train", "name": arch, "params": params}
    header = Header("model", ("a", "b", "c"), (step, train), "fp32", export.abilities(net, {"causal": {"frames": 99}}))
    model = export.to_onnx(net, (-1, BANDS), input_name="speech")
    onnx_file.write_header(model, header)
    onnx_file.save(model, path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("lstm") / "lstm.onnx")


@pytest.fixture(scope="module")
def extract() -> Framewise:
    found, _ = extraction.build("logmel", OPTIONS)
    assert isinstance(found, Framewise)
    return found


def noise(seconds: float = 1.0, seed: int = 0) -> Sound:
    """Noise that grows, so that the logits of its parts differ."""
    samples = round(seconds * RATE_HZ)
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(samples) * np.linspace(1e-3, 0.3, samples)).astype(np.float32)


def whole(model: Path, extract: Framewise, sound: Sound) -> np.ndarray:
    return load(model).run(padding.batch(extract([sound])))["logits"][0]


@pytest.mark.parametrize("piece", [100, 256, 1000, 5000, 99_999])
def test_pieces_of_a_sound_get_the_logits_of_the_whole(model: Path, extract: Framewise, piece: int) -> None:
    carrier = Carrier(load(model, carry=True), extract, STRIDE, LONG)
    for seed in (0, 1):  # the second begins with nothing of the first
        sound = noise(0.9, seed)
        carrier.begin()
        for start in range(0, len(sound), piece):
            carrier.push(sound[start : start + piece])
        carrier.finish()
        np.testing.assert_allclose(carrier.logits(), whole(model, extract, sound), atol=1e-5)


def test_without_its_state_a_piece_is_another_clip(model: Path, extract: Framewise) -> None:
    (rows,) = extract([noise()])
    half = len(rows) // 2 // STRIDE * STRIDE
    carrying, plain = load(model, carry=True), load(model)
    carrying.run(rows[None, :half])
    second = carrying.run(rows[None, half:])
    assert np.abs(second["logits"] - plain.run(rows[None, half:])["logits"]).max() > 1e-3
    assert set(second) == {"logits", "embedding"}


def test_where_a_sound_goes_on_the_answer_is_about_its_last_seconds(model: Path, extract: Framewise) -> None:
    limited, rest = (Carrier(load(model, carry=True), extract, STRIDE, seconds) for seconds in (0.5, LONG))
    sound = noise(2.0)
    for start in range(0, len(sound), 1600):
        limited.push(sound[start : start + 1600])
        rest.push(sound[start : start + 1600])
    logits, all_of_it = limited.logits(), rest.logits()
    assert logits is not None and all_of_it is not None
    assert np.abs(logits - all_of_it).max() > 1e-3
    assert len(limited._pieces) <= 6 < len(rest._pieces)


def test_a_long_first_piece_is_forgotten_a_little_at_a_time(model: Path, extract: Framewise) -> None:
    carrier = Carrier(load(model, carry=True), extract, STRIDE, 1.0)
    a_second = RATE_HZ / extract.framing.hop / STRIDE
    carrier.push(noise(4.0))
    for start in range(0, 3 * RATE_HZ, 1600):
        carrier.push(noise(3.0, seed=1)[start : start + 1600])
        assert a_second - 1 <= carrier._groups <= 1.5 * a_second + 1


def test_too_little_to_hear_is_no_answer(model: Path, extract: Framewise) -> None:
    carrier = Carrier(load(model, carry=True), extract, STRIDE, LONG)
    assert carrier.logits() is None
    carrier.push(noise()[:200])
    assert carrier.logits() is None


def test_the_file_is_the_plain_graph_and_its_header_says_what_can_be_carried(model: Path) -> None:
    proto = onnx_file.load(model)
    assert [entry.name for entry in proto.graph.input] == ["speech"]
    assert onnx_file.header_of(proto, "model").extra == {"causal": {"frames": STRIDE}}


def test_a_net_that_looks_ahead_says_nothing_and_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "bilstm.onnx", "bilstm-attention")
    assert onnx_file.read_header(path).extra == {}
    with pytest.raises(EmoError, match="can't go on from its state"):
        load(path, carry=True)


def test_a_quantized_model_carries_its_state_too(model: Path, extract: Framewise, tmp_path: Path) -> None:
    proto = onnx_file.load(model)
    header = onnx_file.header_of(proto, "model")
    int8 = quantize(proto, lambda: iter([padding.batch(extract([noise(), noise(0.5, 1)]))]))
    onnx_file.write_header(int8, header)
    onnx_file.save(int8, tmp_path / "int8.onnx")
    carrier = Carrier(load(tmp_path / "int8.onnx", carry=True), extract, STRIDE, LONG)
    carrier.push(noise())
    carrier.finish()
    np.testing.assert_allclose(carrier.logits(), whole(tmp_path / "int8.onnx", extract, noise()), atol=0.05)


def _listener(model: Path, notes: list[str]) -> Listener:
    return listener(model, engine="onnxruntime", threads=1, carry=True, note=notes.append)


def test_features_of_whole_clips_can_t_be_followed_and_it_says_why(tmp_path: Path) -> None:
    notes: list[str] = []
    path = written(tmp_path / "m.onnx", options={**OPTIONS, "top_db": 80.0})
    assert _listener(path, notes).follow is None
    assert len(notes) == 1 and "top_db=0" in notes[0]
    model, header = onnx_file.load(written(path)), onnx_file.read_header(path)
    (features, *rest) = header.steps
    onnx_file.write_header(model, replace(header, steps=({**features, "options": {"length": 3.0}}, *rest)))
    onnx_file.save(model, path)
    assert _listener(path, notes).follow is None
    assert len(notes) == 2 and "its features are of whole clips" in notes[1]


def test_a_listener_that_can_follow_answers_a_clip_as_before(model: Path) -> None:
    plain = listener(model, engine="onnxruntime", threads=1, note=print)
    following = _listener(model, [])
    assert plain.follow is None and following.follow is not None
    sound, spans = noise(), [(1600, 14_000)]
    assert following.classify(sound, spans) == plain.classify(sound, spans) == following.classify(sound, spans)


def _windows(sound: Sound) -> list[Window]:
    return list(windows.cut((sound for _ in range(1)), 1.0, 0.25))


def _spoken(window: Window, first: int, last: int) -> list[tuple[int, int]]:
    """The span of a window in which somebody speaks from sample `first` of the sound to `last`."""
    begin = round(window.start * RATE_HZ)
    span = max(first - begin, 0), min(last - begin, len(window.samples))
    return [span] if span[0] < span[1] else []


@pytest.mark.parametrize("dropped", [(), (3,), (2, 3, 5)])
def test_windows_are_followed_from_the_first_word_whichever_are_dropped(
    model: Path, extract: Framewise, dropped: tuple[int, ...]
) -> None:
    sound, first, last = noise(2.0), 3000, 20_000
    listen = _listener(model, [])
    following = Following(listen, 10.0)
    given = [one for one in _windows(sound) if one.index not in dropped]
    answers = [following.classify(one, _spoken(one, first, last)) for one in given]
    direct = Carrier(load(model, carry=True), extract, STRIDE, 10.0)
    direct.push(sound[first:last])
    logits = direct.logits()
    assert logits is not None and answers[-1] is not None
    assert answers[-1]["probabilities"] == pytest.approx(listen.say(logits)["probabilities"], abs=2e-5)


def test_after_a_gap_longer_than_a_window_a_voice_is_followed_anew(model: Path) -> None:
    # up to 1 s, then from 1.25 s on
    windows_left = [one for one in _windows(noise(2.5)) if not 4 <= one.index <= 7]
    listen = _listener(model, [])
    following, anew = Following(listen, 10.0), Following(listen, 10.0)
    answers = [following.classify(one, _spoken(one, 0, 40_000)) for one in windows_left]
    assert answers[4:] == [anew.classify(one, _spoken(one, 0, 40_000)) for one in windows_left[4:]] and answers[-1]


def test_after_a_window_of_silence_another_voice_begins(model: Path) -> None:
    sound = noise(1.0)
    twice = np.concatenate([sound, np.zeros(RATE_HZ, np.float32), sound])
    following = Following(_listener(model, []), 10.0)
    voices = [(0, RATE_HZ), (2 * RATE_HZ, 3 * RATE_HZ)]
    answers = {}
    for one in _windows(twice):
        spans = [span for voice in voices for span in _spoken(one, *voice)]
        answers[one.end] = following.classify(one, spans)
    assert answers[2.0] is None
    assert answers[3.0] == answers[1.0] is not None
