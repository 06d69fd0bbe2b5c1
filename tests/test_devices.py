"""Devices: every record is complete, and what wasn't measured is not called measured."""

import inspect
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from scored import write_data
from small_model import write_model

from emocli import benchmark, cores, labels, onnx_file, pipes, registry, store
from emocli.benching import bench_row, comparison, estimation
from emocli.commands import live
from emocli.devices import _device
from emocli.engines.onnxruntime import load
from emocli.errors import EmoError

NAMES = registry.names("devices")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    entry = helper.make_tensor_value_info("face", TensorProto.UINT8, ["batch", 1, 8, 8])
    end = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 64])
    nodes = [
        helper.make_node("Cast", ["face"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["logits"], axis=1),
    ]
    graph = helper.make_graph(nodes, "tiny", [entry], [end])
    opsets = [helper.make_opsetid("", onnx_file.OPSET)]
    path = tmp_path / "model.onnx"
    onnx_file.save(helper.make_model(graph, opset_imports=opsets, ir_version=onnx_file.IR_VERSION), path)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_device_says_what_it_is_and_what_it_must_reach(name):
    device = registry.load("devices", name)()
    assert device.name == name
    assert device.title and device.cores > 0 and device.budget_fps > 0
    assert name == "host" or (device.reach and device.sources and device.boards)


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_rate_is_an_option(name):
    assert registry.load("devices", name)(fps=7.0).budget_fps == 7


def test_pi_is_the_slower_one_unless_asked():
    pi = registry.load("devices", "pi")
    assert (pi().title, pi(model=5).title) == ("Raspberry Pi 4 Model B", "Raspberry Pi 5")
    with pytest.raises(EmoError, match="only 4 and 5"):
        pi(model=3)


def test_a_board_is_known_by_its_device_tree(monkeypatch, tmp_path):
    tree = tmp_path / "model"
    tree.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    monkeypatch.setattr(_device, "_DEVICE_TREE", tree)
    here = {name for name in NAMES if registry.load("devices", name)().is_here()}
    assert here == {"host", "pi", "pi5"}
    for board, names in {
        b"Raspberry Pi Compute Module 4 Rev 1.1\0": {"pi", "pi4"},
        b"Raspberry Pi Compute Module 5 Rev 1.0\0": {"pi", "pi5"},
        b"NVIDIA Jetson Orin Nano Developer Kit\0": {"jetson-orin"},
        b"NVIDIA Jetson AGX Orin Developer Kit\0": set(),
        b"NVIDIA Jetson AGX Xavier\0": set(),
    }.items():
        tree.write_bytes(board)
        assert {name for name in NAMES if registry.load("devices", name)().is_here()} == {"host", *names}


def test_a_pi_wants_what_its_model_wants_and_no_device_wants_nothing():
    pi = registry.load("devices", "pi")
    assert (pi().budget_fps, pi(model=5).budget_fps, pi(model=5, fps=9.0).budget_fps) == (15, 30, 9)
    assert pi(model=5).budget_fps == registry.load("devices", "pi5")().budget_fps
    for name, fps in (("host", 0.0), ("pi", -1.0), ("jetson-orin", float("nan"))):
        with pytest.raises(EmoError, match="is no frame rate to reach"):
            registry.load("devices", name)(fps=fps)


def test_of_a_voice_windows_are_wanted_as_live_asks_about_them(emo, tmp_path):
    done = emo("bench", "ravdess-int8", "--seconds", 0.1, "--json")
    hop_seconds = inspect.signature(live.run).parameters["hop"].default
    assert json.loads(done.stdout.splitlines()[-1])["budget_fps"] == 1 / hop_seconds
    done = emo("bench", "ravdess-int8", "--seconds", 0.1, "-p", "fps=1e6")
    assert done.returncode == 3 and b" windows/s at p95 (" in done.stderr and b"miss the 1e+06 windows/s" in done.stderr


@pytest.mark.parametrize(
    ("name", "status"),
    [("host", "measured"), ("pi", "estimated"), ("pi5", "estimated"), ("jetson-orin", "unavailable")],
)
def test_only_what_ran_on_the_device_is_called_measured(model, name, status, monkeypatch, tmp_path):
    monkeypatch.setattr(_device, "_DEVICE_TREE", tmp_path / "absent")
    device = registry.load("devices", name)()
    record = bench_row.row(load(model), model, device, precision="fp32", seconds=0)
    assert record["status"] == status
    assert json.loads(json.dumps(record)) == record
    assert (record["p50_ms"] is None) == (status == "unavailable")
    # the tails of the times here say nothing about another machine
    assert (record["p95_ms"] is None) == (status != "measured")
    assert (record["within_budget"] is None) == (status == "unavailable")


def test_a_missed_frame_rate_is_not_within_budget(model):
    host = registry.load("devices", "host")
    assert bench_row.row(load(model), model, host(fps=0.001), precision="fp32", seconds=0)["within_budget"]
    assert not bench_row.row(load(model), model, host(fps=1e9), precision="fp32", seconds=0)["within_budget"]


def test_a_missed_frame_rate_is_told_by_the_times_that_decide_about_it():
    measured = {"input": "face", "batch": 2, "p50_ms": 50.0, "p95_ms": 80.0, "images_per_second": 40.0}
    assert bench_row.reached(measured) == "25.0 images/s at p95 (80 ms a run)"
    assert bench_row.reached({**measured, "p95_ms": None}) == "40.0 images/s at p50 (50 ms a run)"
    for name, counted in {"speech": "windows", "physio": "windows", "text": "texts"}.items():
        assert bench_row.unit({**measured, "input": name}) == counted


def compared(model: Path, data: Path | None = None, threads: int = 1) -> tuple[list[dict[str, object]], list[str]]:
    """The rows of `emo bench` and what was said."""
    notes: list[str] = []
    load = {"engine": "onnxruntime", "provider": "cpu", "threads": threads, "trust": False}
    host, source = registry.load("devices", "host")(), pipes.read(str(model), "model")
    rows = comparison.rows(source, data and str(data), host, load, batch=1, seconds=0, note=notes.append)
    return rows, notes


def test_a_student_of_an_int8_teacher_is_no_int8_form_of_what_that_was_made_from(tmp_path):
    fp32, student = write_model(tmp_path / "fp32.onnx"), write_model(tmp_path / "student.onnx", seed=1)
    digest = pipes.read(str(fp32), "model").digest
    store.copy(fp32, digest)
    quantized = {"command": "quantize", "name": "static", "input": digest}
    model, header = onnx_file.load(student), onnx_file.read_header(student)
    int8 = header.then(quantized, precision="int8")
    onnx_file.write_header(model, int8)
    onnx_file.save(model, tmp_path / "int8.onnx")
    onnx_file.write_header(model, replace(int8.then({"command": "distill", "name": "student"}), precision="fp32"))
    onnx_file.save(model, student)
    assert [row["precision"] for row in compared(tmp_path / "int8.onnx")[0]] == ["fp32", "int8"]
    assert [row["precision"] for row in compared(student)[0]] == ["fp32"]


def test_times_are_shown_where_there_is_nothing_to_score_and_that_is_said_once(tmp_path):
    model = write_model(tmp_path / "model.onnx")
    data = write_data(tmp_path / "test.h5", labels.SEVEN, parts=["test"] * 90)
    (row,), notes = compared(model, data)
    assert row["p50_ms"] > 0 and "accuracy" not in row
    hint = "name data that have one with --data"
    assert notes == [f"no accuracy: {data} has no validation part (it has test); {hint}"]
    (row,), notes = compared(model, write_data(tmp_path / "both.h5", labels.SEVEN))
    assert row["accuracy"]["n"] == 30 and row["split"] == "validation" and notes == []


def test_an_estimate_names_the_line_that_measures_what_it_estimates(model, monkeypatch, tmp_path):
    monkeypatch.setattr(_device, "_DEVICE_TREE", tmp_path / "absent")
    pi = registry.load("devices", "pi")()
    record = bench_row.row(load(model), model, pi, precision="fp32", seconds=0)
    assert record["threads"] == 4 and "measure with: ssh pi4 emo bench --device pi4 --threads 0 <" in record["how"]


def test_an_estimate_is_how_long_the_model_takes_beside_a_net_whose_time_there_is_known(model, monkeypatch):
    monkeypatch.setattr(estimation, "compare", lambda *nets, **how: {"ratio": 0.5})
    pi, engine = registry.load("devices", "pi")(), load(model)
    x = benchmark.sample_input(engine, 2)
    # four 3x3 convolutions with 64 channels at 24x24 pixels, two operations a weight, at 4.5e9 a second on each core
    net_ms = 2 * (16 + 3 * 64) * 64 * 9 * 24 * 24 / (4 * 4.5e9) * 1e3
    assert estimation.estimate(engine, x, pi, precision="fp32") == pytest.approx(0.5 * net_ms)


def test_other_threads_than_an_estimate_is_for_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(_device, "_DEVICE_TREE", tmp_path / "absent")
    source, pi4 = pipes.read(str(write_model(tmp_path / "model.onnx")), "model"), registry.load("devices", "pi4")()
    load, notes = {"engine": "onnxruntime", "provider": "auto", "trust": False}, {}
    for threads in (0, 1, 3, 4):
        notes[threads] = []
        comparison.rows(source, None, pi4, {**load, "threads": threads}, batch=1, seconds=0, note=notes[threads].append)
    told = "an estimate is for all 4 cores of Raspberry Pi 4 Model B, whatever --threads says"
    assert [threads for threads, said in notes.items() if told in said] == [3]


def test_one_thread_per_core_is_told_as_how_many_these_are(tmp_path, monkeypatch):
    monkeypatch.setattr(cores, "count", lambda: 3)
    (row,), _ = compared(write_model(tmp_path / "model.onnx"), threads=0)
    assert row["threads"] == 3


def test_an_engine_that_is_built_for_a_batch_is_built_for_the_one_that_is_timed():
    load = {"engine": "tensorrt", "provider": "auto", "threads": 1, "trust": False}
    assert comparison.engine_options(load, 64) == {"batch": 64, "threads": 1, "trust": False}
    assert comparison.engine_options(load, 1)["batch"] == registry.options("engines", "tensorrt")["batch"]
    assert "batch" not in comparison.engine_options({**load, "engine": "onnxruntime"}, 64)


@pytest.mark.parametrize("load", [{"engine": "tensorrt"}, {"provider": "cuda"}])
def test_times_of_a_gpu_are_not_scaled_to_a_device(monkeypatch, tmp_path, load):
    monkeypatch.setattr(_device, "_DEVICE_TREE", tmp_path / "absent")
    used = {"engine": "onnxruntime", "provider": "auto", "threads": 1, "trust": False}
    device = registry.load("devices", "pi")()
    source = pipes.read(str(write_model(tmp_path / "model.onnx")), "model")
    asked = []
    monkeypatch.setattr(comparison, "_engine", lambda source, load, batch: asked.append(load["provider"]))
    with pytest.raises(EmoError, match=r"is not here: it is estimated .* leave --engine and --provider out"):
        comparison.rows(source, None, device, used | load, batch=1, seconds=0, note=lambda text: None)
    with pytest.raises(AttributeError):  # no engine
        comparison.rows(source, None, device, used, batch=1, seconds=0, note=lambda text: None)
    assert asked == ["cpu"], "a GPU that there is would be auto"


def test_a_precision_without_a_published_figure_is_not_estimated(model, monkeypatch, tmp_path):
    monkeypatch.setattr(_device, "_DEVICE_TREE", tmp_path / "absent")
    engine = load(model)
    x = benchmark.sample_input(engine, 1)
    assert estimation.estimate(engine, x, registry.load("devices", "pi")(), precision="fp16") is None


def test_models_in_turns_are_timed_when_the_caches_are_theirs_again():
    made: list[str] = []
    taken = benchmark.times([lambda: made.append("first"), lambda: made.append("second")], 0, 5)
    assert taken.shape == (5, 2) and (taken > 0).all()
    # each twice a turn: what is timed follows a call of the same model
    assert made[-20:] == ["first", "first", "second", "second"] * 5
    made.clear()
    assert benchmark.times([lambda: made.append("alone")], 0, 5).shape == (5, 1)
    warmed_up = len(made) - 5
    made.clear()
    benchmark.times([lambda: made.append("alone")], 0, 6)
    assert len(made) - 6 == warmed_up


def test_a_summary_is_percentiles_in_milliseconds_and_images_a_second():
    found = benchmark.summary(np.linspace(0.001, 0.101, 101), 4)
    assert (found["p50_ms"], found["p95_ms"], found["p99_ms"]) == pytest.approx((51, 96, 100))
    assert found["images_per_second"] == pytest.approx(4 / 0.051, rel=1e-3)


def test_peak_memory_is_that_of_a_process_of_its_own(model):
    ballast = np.ones(200 << 20, dtype=np.uint8)
    peak = benchmark.peak_memory_bytes(model)
    assert 20 << 20 < peak < len(ballast)


def test_peak_memory_of_a_file_that_does_not_run_is_an_error_for_the_user(tmp_path):
    (tmp_path / "not.onnx").write_bytes(b"no model")
    with pytest.raises(EmoError, match="could not run"):
        benchmark.peak_memory_bytes(tmp_path / "not.onnx")


def test_modules_in_the_current_folder_are_not_taken_for_real_ones(model, tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("open('HIJACKED', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert benchmark.peak_memory_bytes(model) > 0
    assert not (tmp_path / "HIJACKED").exists()
