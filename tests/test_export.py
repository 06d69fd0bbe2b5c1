"""emo export: an INT8 model for programs without emo is as fast and right in plain ONNX Runtime as in the engine."""

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import Run
from quantizable_nets import pictures, plain_session, run

from emocli import onnx_file, shipped
from emocli.compress import temperature
from emocli.engines import _arranged, _plan
from emocli.engines.onnxruntime import load

FACES = ("fer2013-int8", "ferplus-int8")


def weights(name: str) -> Path:
    return shipped.FOLDER / f"{name}.onnx"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exported")


def export(emo: Run, name: str, folder: Path) -> onnx.ModelProto:
    path = folder / f"{name}.onnx"
    if not path.exists():
        done = emo("export", weights(name), "-o", path)
        assert done.returncode == 0, done.stderr
    return onnx_file.load(path)


def kernels(model: onnx.ModelProto, folder: Path) -> Counter[str]:
    """What plain ONNX Runtime makes of a model."""
    plain_session(model, save_as=str(folder / "optimized.onnx"))
    return Counter(node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node)


@pytest.mark.parametrize("name", FACES)
def test_plain_onnxruntime_gives_the_answers_of_the_engine(name: str, emo: Run, exported: Path) -> None:
    x = pictures(8)
    plain, engine = run(export(emo, name, exported), x), load(weights(name), threads=1).run(x)
    assert plain["logits"].std() > 0.1 and set(plain) == set(engine)
    assert all(np.array_equal(plain[output], engine[output]) for output in engine)


@pytest.mark.parametrize("name", FACES)
def test_each_convolution_is_one_of_integers_there_and_was_none(
    name: str, emo: Run, exported: Path, tmp_path: Path
) -> None:
    convolutions = sum(node.op_type == "Conv" for node in onnx_file.load(weights(name)).graph.node)
    stored, after = (kernels(model, tmp_path) for model in (onnx_file.load(weights(name)), export(emo, name, exported)))
    assert stored["QLinearConv"] == 0 < convolutions == after["QLinearConv"]


def test_a_voice_of_any_length_is_exported_too(emo: Run, exported: Path) -> None:
    model = export(emo, "ravdess-int8", exported)
    for frames in (40, 131):
        x = np.random.default_rng(frames).normal(-40, 15, (2, frames, 64)).astype(np.float32)
        engine = load(weights("ravdess-int8"), threads=1).run(x)
        assert np.array_equal(run(model, x)["logits"], engine["logits"])


def test_a_program_without_emo_reads_the_labels_from_the_file(emo: Run, exported: Path) -> None:
    export(emo, "fer2013-int8", exported)
    session = onnxruntime.InferenceSession(exported / "fer2013-int8.onnx", providers=["CPUExecutionProvider"])
    header = json.loads(session.get_modelmeta().custom_metadata_map["emo"])
    assert header["labels"] == list(onnx_file.read_header(weights("fer2013-int8")).labels)
    assert [step["command"] for step in header["steps"]][-1] == "export"


def test_the_program_in_the_readme_says_what_it_sees(
    emo: Run, exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export(emo, "ferplus-int8", exported)
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8").split("**Without emo", 1)[1]
    program = text.split("```python\n", 1)[1].split("```", 1)[0]
    monkeypatch.chdir(exported)
    x = pictures(8)
    exec(program.replace('"faces.onnx"', '"ferplus-int8.onnx"'), {"faces": x})
    known, engine = onnx_file.read_header(weights("ferplus-int8")).labels, load(weights("ferplus-int8"), threads=1)
    assert capsys.readouterr().out == f"{[known[place] for place in engine.run(x)['logits'].argmax(1)]}\n"


def test_commands_take_what_was_exported(shell: Run, tmp_path: Path) -> None:
    for place, picture in enumerate(pictures(3)):
        cv2.imwrite(str(tmp_path / f"{place}.png"), picture[0])
    predict = "emo predict *.png --detector none --json --model"
    done = shell(f"emo export fer2013-int8 -o mine.onnx; {predict} mine.onnx > 1; {predict} fer2013-int8 > 2; cat 1 2")
    assert done.returncode == 0, done.stderr
    mine, theirs = ([json.loads(line) for line in (tmp_path / name).read_text().splitlines()] for name in "12")
    assert len(mine) == 3 and mine == theirs


def test_its_temperature_can_still_be_set() -> None:
    model = _arranged.for_processor(onnx_file.load(weights("fer2013-int8")))
    x = pictures(8)
    cool = run(model, x)["logits"]
    temperature.divide(model.graph, 2.0, "model")
    assert np.allclose(run(model, x)["logits"], cool / 2, atol=1e-5)


def test_what_needs_no_change_or_is_a_plan_is_refused_in_a_line(emo: Run, exported: Path, tmp_path: Path) -> None:
    export(emo, "fer2013-int8", exported)
    again = emo("export", exported / "fer2013-int8.onnx", "-o", tmp_path / "again.onnx")
    plan = tmp_path / "plan.onnx"
    onnx_file.save(_plan.wrap(_plan.Plan(b"code", "10", "87"), onnx_file.load(weights("fer2013-int8"))), plan)
    of_plan = emo("export", plan, "-o", tmp_path / "again.onnx")
    for done, reason in ((again, b"runs in ONNX Runtime as it is"), (of_plan, b"is a TensorRT plan")):
        assert done.returncode == 1 and reason in done.stderr and done.stderr.count(b"\n") == 1
    assert not (tmp_path / "again.onnx").exists()


def test_no_plan_is_built_of_what_is_arranged_for_processors(emo: Run, exported: Path, tmp_path: Path) -> None:
    export(emo, "fer2013-int8", exported)
    done = emo("plan", exported / "fer2013-int8.onnx", "-o", tmp_path / "plan.onnx")
    assert done.returncode == 1 and b"before emo export" in done.stderr
    assert not (tmp_path / "plan.onnx").exists()


def test_a_graph_that_no_runtime_opens_is_not_delivered(emo: Run, tmp_path: Path) -> None:
    model = onnx_file.load(weights("fer2013-int8"))
    next(node for node in model.graph.node if node.op_type == "Conv").op_type = "Convolve"
    onnx_file.save(model, tmp_path / "damaged.onnx")
    done = emo("export", tmp_path / "damaged.onnx", "-o", tmp_path / "out.onnx")
    assert done.returncode == 1 and not (tmp_path / "out.onnx").exists()
    assert b"ONNX Runtime can't run" in done.stderr and done.stderr.count(b"\n") == 1
