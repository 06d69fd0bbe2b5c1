"""Vectors of clips: means of librosa's numbers, openSMILE's own, and the frames of any speech network in ONNX."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from speech_clips import Clip, made, real

from emocli import onnx_file, registry, store
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.features import _whisper

MADE = made()
WEIGHTS = np.random.default_rng(0).standard_normal((6, 1, 400)).astype(np.float32)


def _save(path: Path, nodes: list[onnx.NodeProto], entry: list[int | str], *, mask: bool = False) -> str:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, entry)]
    if mask:
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "samples"]))
    outputs = [helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["batch", "steps", "d"])]
    constants = [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(np.array([1]), "axis")]
    graph = helper.make_graph(nodes, "net", inputs, outputs, constants)
    opset = helper.make_opsetid("", onnx_file.OPSET)
    onnx_file.save(helper.make_model(graph, ir_version=onnx_file.IR_VERSION, opset_imports=[opset]), path)
    return str(path)


def _wave_net(path: Path, *, mask: bool = False) -> str:
    """A network that hears samples as wav2vec 2.0 does: a window of 400 every 320."""
    nodes = [
        helper.make_node("Unsqueeze", ["x", "axis"], ["wide"]),
        helper.make_node("Conv", ["wide", "w"], ["seen"], strides=[320]),
        helper.make_node("Transpose", ["seen"], ["frames"], perm=[0, 2, 1]),
    ]
    if mask:
        nodes[2].output[0] = "heard"
        nodes.append(helper.make_node("Cast", ["attention_mask"], ["count"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("ReduceMean", ["count"], ["one"], keepdims=0))
        nodes.append(helper.make_node("Mul", ["heard", "one"], ["frames"]))
    return _save(path, nodes, ["batch", "samples"], mask=mask)


def _spectrum_net(path: Path) -> str:
    """A network that takes log-mel as Whisper's encoder does: frames are means of two neighbours."""
    nodes = [
        helper.make_node("AveragePool", ["x"], ["pairs"], kernel_shape=[2], strides=[2]),
        helper.make_node("Transpose", ["pairs"], ["frames"], perm=[0, 2, 1]),
    ]
    return _save(path, nodes, ["batch", 80, 3000])


def _seen(clip: Clip) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(clip, 400)[::320]
    return windows @ WEIGHTS[:, 0].T


def _scaled(clip: Clip) -> Clip:
    return (clip - clip.mean()) / np.sqrt(clip.var() + 1e-7)


@pytest.mark.parametrize("mask", [False, True])
def test_a_network_that_hears_samples_gives_its_frames(tmp_path: Path, mask: bool) -> None:
    extract = registry.load("features", "ssl")(model=_wave_net(tmp_path / "net.onnx", mask=mask))
    clips = [MADE["noise"], MADE["vowel"][:7000]]
    for clip, rows in zip(clips, extract(clips), strict=True):
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, _seen(_scaled(clip)), rtol=1e-4, atol=1e-4)


def test_a_network_can_hear_the_sound_as_it_is_and_give_one_vector(tmp_path: Path) -> None:
    path = _wave_net(tmp_path / "net.onnx")
    vectors = registry.load("features", "ssl")(model=path, normalize=False, pool="mean")([MADE["noise"], MADE["vowel"]])
    assert vectors.shape == (2, 6)
    np.testing.assert_allclose(vectors[0], _seen(MADE["noise"]).mean(axis=0), rtol=1e-3, atol=1e-4)


def test_a_long_clip_is_heard_in_equal_parts_and_a_short_one_is_filled_up(tmp_path: Path) -> None:
    extract = registry.load("features", "ssl")(model=_wave_net(tmp_path / "net.onnx"), normalize=False, seconds=1.0)
    long, short = extract([MADE["noise"], MADE["one sample"]])
    halves = [_seen(part) for part in np.split(MADE["noise"], 2)]
    np.testing.assert_allclose(long, np.concatenate(halves), rtol=1e-4, atol=1e-4)
    assert short.shape == (1, 6)


def test_a_network_that_takes_log_mel_gets_whispers(tmp_path: Path) -> None:
    librosa = pytest.importorskip("librosa")
    clip = MADE["vowel"]
    # as openai/whisper computes it
    sound = np.pad(clip, (0, 480_000 - len(clip)))
    power = np.abs(librosa.stft(sound, n_fft=400, hop_length=160, pad_mode="reflect"))[:, :-1] ** 2
    powers = np.log10(np.maximum(librosa.filters.mel(sr=16_000, n_fft=400, n_mels=80) @ power, 1e-10))
    expected = (np.maximum(powers, powers.max() - 8) + 4) / 4
    np.testing.assert_allclose(_whisper.log_mel(clip, 80), expected, atol=1e-4)
    (rows,) = registry.load("features", "ssl")(model=_spectrum_net(tmp_path / "net.onnx"))([clip])
    assert rows.shape == (75, 80)
    np.testing.assert_allclose(rows, expected.reshape(80, 1500, 2).mean(axis=2).T[:75], atol=1e-4)


def test_a_network_is_recorded_by_its_content_and_kept(tmp_path: Path) -> None:
    path = Path(_wave_net(tmp_path / "net.onnx"))
    extract, options = extraction.build("ssl", {"model": str(path)})
    assert options["model"] == store.file_digest(path)
    (rows,) = extract([MADE["noise"]])
    path.unlink()
    again, _ = extraction.build("ssl", options)
    assert np.array_equal(again([MADE["noise"]])[0], rows)


def test_a_file_that_is_no_such_network_is_refused_in_one_line(tmp_path: Path) -> None:
    make, net = registry.load("features", "ssl"), _wave_net(tmp_path / "net.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    flat = _save(tmp_path / "flat.onnx", [helper.make_node("Unsqueeze", ["x", "axis"], ["frames"])], ["batch"])
    for options in (
        {"model": ""},
        {"model": "absent.onnx"},
        {"model": str(tmp_path / "text.onnx")},
        {"model": flat},
        {"model": net, "output": "absent"},
        {"model": net, "pool": "max"},
        {"model": net, "seconds": 0.0},
    ):
        with pytest.raises(EmoError) as refusal:
            make(**options)
        assert "\n" not in str(refusal.value)


def _unfit(path: Path, what: str) -> str:
    """A network that has two or three axes in and three out, and hears no sound of ours."""
    model = onnx.load_model(_spectrum_net(path) if "mel" in what else _wave_net(path))
    entry = model.graph.input[0].type.tensor_type
    if "type" in what:
        entry.elem_type = TensorProto.DOUBLE
        model.graph.node[0].input[0] = "heard"
        model.graph.node.insert(0, helper.make_node("Cast", ["x"], ["heard"], to=TensorProto.FLOAT))
    elif "mel" in what:
        entry.shape.dim[1].dim_param = "mels"
    else:
        entry.shape.dim[1].dim_value = 16_000
    onnx_file.save(model, path)
    return str(path)


@pytest.mark.parametrize("what", ["fixed samples", "another type", "free mel axis"])
def test_a_network_that_hears_no_sound_of_any_length_is_refused(what: str, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"no network that ssl knows.*any number or .*of a fixed number"):
        registry.load("features", "ssl")(model=_unfit(tmp_path / "net.onnx", what))


def test_a_network_that_fails_on_a_clip_is_one_clear_error(tmp_path: Path) -> None:
    model = onnx.load_model(_spectrum_net(tmp_path / "net.onnx"))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 1000
    onnx_file.save(model, tmp_path / "net.onnx")
    extract = registry.load("features", "ssl")(model=str(tmp_path / "net.onnx"))
    with pytest.raises(EmoError, match="can't hear 80 x 3000 numbers") as refusal:
        extract([MADE["vowel"]])
    assert "\n" not in str(refusal.value)


def test_an_utterance_is_the_means_of_librosas_numbers() -> None:
    librosa = pytest.importorskip("librosa")
    clips = [MADE["vowel"], *real()]
    vectors = registry.load("features", "utterance")()(clips)
    assert vectors.shape == (4, 26) and vectors.dtype == np.float32
    for clip, vector in zip(clips, vectors, strict=True):
        parts = [
            librosa.feature.mfcc(y=clip, sr=16_000, n_mfcc=13),
            librosa.feature.chroma_stft(y=clip, sr=16_000),
            librosa.feature.rms(y=clip),
        ]
        np.testing.assert_allclose(vector, np.concatenate([part.mean(axis=1) for part in parts]), rtol=1e-4, atol=1e-4)


def test_egemaps_are_opensmiles_and_its_licence_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    opensmile = pytest.importorskip("opensmile")
    clips = [MADE["vowel"], MADE["noise"]]
    vectors = registry.load("features", "egemaps")()(clips)
    assert "non-commercial" in capsys.readouterr().err
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    assert vectors.shape == (2, 88) and vectors.dtype == np.float32
    for clip, vector in zip(clips, vectors, strict=True):
        np.testing.assert_allclose(vector, smile.process_signal(clip, 16_000).to_numpy()[0], rtol=1e-6)
    (frames,) = registry.load("features", "egemaps")(level="frames")(clips[:1])
    assert frames.shape[1] == 25


def test_egemaps_of_a_clip_that_is_too_short_are_those_of_silence_after_it() -> None:
    pytest.importorskip("opensmile")
    extract, short = registry.load("features", "egemaps")(), MADE["shorter than a frame"]
    assert np.isfinite(extract([short])).all()
    assert np.array_equal(extract([short]), extract([np.pad(short, (0, 1600 - len(short)))]))
    with pytest.raises(EmoError, match="level"):
        registry.load("features", "egemaps")(level="word")
