"""The gate: INT8 that is worse, or no faster, is refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
from conftest import write_features
from numpy.testing import assert_allclose
from onnx import helper, numpy_helper
from quantizable_nets import batches, cosine, exported, pictures, run
from scored import N, stripes, write_data
from small_model import write_model

from emocli import labels, onnx_file, pipes
from emocli.artifact import Header
from emocli.compress import static
from emocli.compress.gate import Verdict, judge
from emocli.compress.quantize import quantize
from emocli.data.hdf5_writer import Writer
from emocli.engines.onnxruntime import load
from emocli.errors import EmoError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx")


def test_a_model_is_judged_on_all_labelled_rows(model):
    engine = load(model)
    x = pictures(12)
    y = engine.run(x)["logits"].argmax(axis=1)
    y[:3] = (y[:3] + 1) % 7
    y[11] = -1
    found = judge(engine, engine, [(x[:8], y[:8]), (x[8:], y[8:])], seconds=0)
    assert (found.n, found.drop) == (11, 0)
    assert found.accuracy_fp32 == pytest.approx(8 / 11)
    assert found.speedup > 0


@pytest.mark.parametrize("batches", [[], [(pictures(2), np.array([-1, -1]))]])
def test_no_labelled_row_is_an_error_for_the_user(model, batches):
    with pytest.raises(EmoError, match="no labelled validation rows"):
        judge(load(model), load(model), batches)


@pytest.mark.parametrize(
    ("int8", "speedup", "least", "says"),
    [
        (0.650, 3.0, 1.0, ""),
        (0.655, 3.0, 1.0, ""),
        (0.640, 3.0, 1.0, ""),
        (0.639, 3.0, 1.0, "loses 1.10 points on 100"),
        (0.639, 3.0, 0.0, "loses 1.10 points on 100"),
        (0.650, 0.9, 1.0, "0.90 x as fast as FP32"),
        (0.650, 0.9, 0.0, ""),
        (0.650, 2.9, 3.0, "--min-speedup asks for more than 3"),
        (0.650, 2.9, float("nan"), "--min-speedup"),
    ],
)
def test_a_gate_fails_for_accuracy_and_for_speed(int8, speedup, least, says):
    verdict = Verdict(0.650, int8, 100, speedup)
    failure = verdict.failure(max_drop=1.0, min_speedup=least)
    assert says in failure and bool(failure) == bool(says)


def test_a_verdict_names_both_accuracies_with_their_intervals_n_and_the_gain():
    line = str(Verdict(0.65, 0.645, 3589, 3.1))
    assert all(fact in line for fact in ("65.00%", "64.50%", "n = 3589", "3.10 x"))
    few = str(Verdict(8 / 63, 0.0, 63, 3.1))
    assert "12.70% [6.6%, 23.1%] -> 0.00% [0.0%, 5.7%] (n = 63)" in few


def test_a_verdict_tells_what_is_not_int8_at_all():
    mostly = Verdict(0.65, 0.65, 100, 0.9, in_float=0.97)
    assert "97% of its weights stay FP32" in str(mostly) and "97% of its weights stay FP32" in mostly.failure()
    assert "stay FP32" not in str(Verdict(0.65, 0.65, 100, 3.0, in_float=0.02))
    weights = [
        numpy_helper.from_array(np.zeros(shape, kind)) for shape, kind in (((9, 9), np.int8), ((3, 9), np.float32))
    ]
    bias = numpy_helper.from_array(np.zeros(999, np.float32))
    graph = helper.make_graph([], "weights", [], [], initializer=[*weights, bias])
    assert static._in_float(helper.make_model(graph)) == 0.25


HOW = {"method": "minmax", "percentile": 99.99, "calibration": 32, "seed": 0, "exclude": []}


def quantized(model: Path, data: Path) -> static.gate.Verdict:
    """Do what `emo quantize model --data data` does, up to the gate."""
    source, features = pipes.read(str(model), "model"), pipes.read(str(data), "features")
    int8 = model.with_name("int8.onnx")
    static.write(source, features, int8, {"command": "quantize", "name": "static", "options": HOW})
    return static.judge(source, features, int8)


def test_the_order_of_the_datas_labels_does_not_matter(tmp_path):
    model = write_model(tmp_path / "model.onnx", varied=True)
    parts = ["train", "validation"] * (N // 2)
    data = write_data(tmp_path / "f.h5", labels.SEVEN[::-1], parts=parts)
    rows = np.arange(1, N, 2)
    answers = load(model).run(stripes()[rows])["logits"].argmax(axis=1)
    verdict = quantized(model, data)
    assert verdict.n == len(rows)
    assert verdict.accuracy_fp32 == pytest.approx((answers == 6 - rows % 7).mean())


def test_labels_that_the_model_does_not_know_are_refused_before_anything_runs(model, tmp_path):
    data = write_data(tmp_path / "f.h5", labels.EIGHT, parts=["train", "validation"] * (N // 2))
    with pytest.raises(EmoError, match=r"does not know \(contempt\).*name data with its labels"):
        quantized(model, data)


def test_features_of_another_shape_or_type_are_refused_in_one_line(model, tmp_path):
    write_features(tmp_path / "large.h5", classes=7, size=64)
    with pytest.raises(EmoError, match=r"model.onnx takes uint8 \(n, 1, 48, 48\), not uint8 \(1, 1, 64, 64\)"):
        quantized(model, tmp_path / "large.h5")
    writer = Writer(tmp_path / "floats.h5", count=7)
    writer.append(np.zeros((7, 5), np.float32))
    writer.finish(Header("features", labels.SEVEN, ()), np.arange(7), "label", np.array(["train"] * 7))
    with pytest.raises(EmoError, match=r"takes uint8 .*, not float32"):
        quantized(model, tmp_path / "floats.h5")


@pytest.mark.parametrize("flag", ["--max-drop", "--min-speedup"])
def test_a_gate_that_is_no_number_is_said_before_anything_is_made(emo, model, flag):
    done = emo("quantize", model, flag, "nan")
    assert (done.returncode, done.stdout) == (1, b"") and f"{flag} nan allows nothing" in done.stderr.decode()


def test_a_percentile_that_minmax_has_no_use_for_is_told(emo, tmp_path):
    done = emo("quantize", tmp_path / "none.onnx", "--method", "minmax", "--percentile", 99, "-o", tmp_path / "x.onnx")
    assert b"--percentile 99 changes nothing with --method minmax" in done.stderr


def test_int8_is_judged_as_its_file_has_it_too(model):
    engine = load(model)
    x = pictures(12)
    y = engine.run(x)["logits"].argmax(axis=1)

    def another(x):
        return -engine.run(x)["logits"]

    found = judge(engine, engine, [(x, y)], stored=another, seconds=0)
    assert found.accuracy_int8 == 1 and found.accuracy_stored == 0 and found.drop == 100
    assert "as TensorRT runs it" in str(found) and found.failure().startswith("INT8 as TensorRT runs it loses 100.00")
    assert "TensorRT" not in str(judge(engine, engine, [(x, y)], stored=lambda x: engine.run(x)["logits"], seconds=0))


def test_what_is_stored_ends_where_tensorrts_codes_do(tmp_path):
    # a ReLU's codes go to 255 in emo's engine, and a little beyond the range is no loss there
    int8 = quantize(exported("emotion_cnn"), batches, percentile=60)
    stored = static._as_stored(int8)(pictures(4))
    assert_allclose(stored, run(int8, pictures(4), optimize=False)["logits"], rtol=1e-5)
    onnx_file.write_header(int8, Header("model", labels.SEVEN, ({"command": "train", "name": "x"},), "int8"))
    onnx_file.save(int8, tmp_path / "int8.onnx")
    assert cosine(stored, load(tmp_path / "int8.onnx").run(pictures(4))["logits"]) < 0.999
