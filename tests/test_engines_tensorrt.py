"""TensorRT plans: the container, whose plan is run, and what is said where TensorRT is missing."""

import importlib.util
from pathlib import Path

import onnx
import pytest
from small_model import write_model

from emocli import onnx_file, pipes
from emocli.compress import plan
from emocli.engines import _plan, onnxruntime, tensorrt
from emocli.errors import EmoError

PLAN = _plan.Plan(b"\x00machine\xff code", "10.16.0.72", "87")
MISSING = importlib.util.find_spec("tensorrt") is None


@pytest.fixture
def container(tmp_path: Path) -> Path:
    path = tmp_path / "plan.onnx"
    onnx_file.save(_plan.wrap(PLAN, onnx_file.load(write_model(tmp_path / "model.onnx"))), path)
    return path


def test_a_plan_comes_out_of_its_container_as_it_went_in(container):
    assert _plan.unwrap(onnx_file.load(container), "plan") == PLAN


def test_the_container_is_onnx_with_the_models_header_inputs_and_outputs(container, tmp_path):
    plan, model = onnx_file.load(container), onnx_file.load(tmp_path / "model.onnx")
    onnx.checker.check_model(plan)
    assert onnx_file.read_header(container) == onnx_file.read_header(tmp_path / "model.onnx")
    assert (plan.graph.input, plan.graph.output) == (model.graph.input, model.graph.output)


def test_the_node_is_the_one_onnxruntimes_provider_reads(container):
    (node,) = onnx_file.load(container).graph.node
    assert (node.op_type, node.domain) == ("EPContext", "com.microsoft")
    values = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    assert values == {
        "main_context": 1,
        "embed_mode": 1,
        "ep_cache_context": PLAN.code,
        "ep_sdk_version": b"10.16.0.72",
        "hardware_architecture": b"87",
        "source": b"TensorrtExecutionProvider",
    }


def test_the_bare_plan_comes_out_of_its_container(container, emo):
    done = emo("plan", container, "--raw")
    assert (done.returncode, done.stdout, done.stderr) == (0, PLAN.code, b"")


def test_a_plan_is_not_built_of_a_plan(container, emo, tmp_path):
    done = emo("plan", container, "-o", tmp_path / "again.onnx")
    assert done.returncode == 1 and b"is a plan already" in done.stderr
    assert not (tmp_path / "again.onnx").exists()


@pytest.mark.skipif(not MISSING, reason="TensorRT is installed here")
def test_without_tensorrt_a_plan_is_not_built_and_the_pip_line_is_named(tmp_path, emo):
    done = emo("plan", write_model(tmp_path / "model.onnx"), "-o", tmp_path / "plan.onnx")
    assert done.returncode == 1 and b"pip install" in done.stderr
    assert not (tmp_path / "plan.onnx").exists()


def test_a_plan_is_known_by_itself_not_by_its_header(container):
    proto = onnx_file.load(container)
    del proto.metadata_props[:]
    assert _plan.unwrap(proto, "plan").digest == PLAN.digest


def test_a_plan_somebody_else_built_is_not_loaded(container, tmp_path, monkeypatch):
    monkeypatch.setenv("EMO_HOME", str(tmp_path / "home"))
    with pytest.raises(EmoError, match=r"machine code that was not built here.*--trust"):
        tensorrt.load(container)


@pytest.mark.skipif(not MISSING, reason="TensorRT is here")
@pytest.mark.parametrize("how", ["built here", "trusted", "model"])
def test_without_tensorrt_the_pip_line_is_said(container, tmp_path, monkeypatch, how):
    monkeypatch.setenv("EMO_HOME", str(tmp_path / "home"))
    if how == "built here":
        _plan.remember(PLAN)
        _plan.remember(PLAN)
        assert (tmp_path / "home" / "plans" / "built").read_text().split() == [PLAN.digest]
    file = tmp_path / "model.onnx" if how == "model" else container
    with pytest.raises(EmoError, match=r"pip install 'emocli\[tensorrt\]'"):
        tensorrt.load(file, trust=how == "trusted")
    # what was trusted once is not asked about again
    assert _plan.is_mine(PLAN) == (how != "model")


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (_plan.Plan(b"x", "10.16.0", "90"), "compute capability 90, this GPU has 87"),
        (_plan.Plan(b"x", "10.3.0", "87"), r"built with TensorRT 10\.3\.0, this is 10\.16"),
    ],
)
def test_a_plan_for_another_gpu_or_tensorrt_is_refused(plan, says):
    with pytest.raises(EmoError, match=says):
        tensorrt._check_place(plan, "10.16.0.72", "87", Path("plan.onnx"))
    tensorrt._check_place(PLAN, "10.16.1", "87", Path("plan.onnx"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"embed_mode": 0}, "in another file"),
        ({"ep_cache_context": b""}, "in another file"),
        ({"source": b"QNNExecutionProvider"}, "compiled for QNN"),
        ({"hardware_architecture": b""}, "does not say for which TensorRT and GPU"),
        ({"ep_sdk_version": b""}, "does not say for which TensorRT and GPU"),
    ],
)
def test_what_is_no_embedded_tensorrt_plan_is_refused(container, change, says):
    proto = onnx_file.load(container)
    kept = [item for item in proto.graph.node[0].attribute if item.name not in change]
    new = [onnx.helper.make_attribute(name, value) for name, value in change.items()]
    del proto.graph.node[0].attribute[:]
    proto.graph.node[0].attribute.extend([*kept, *new])
    with pytest.raises(EmoError, match=says):
        _plan.unwrap(proto, "plan.onnx")


def test_a_model_without_a_plan_is_refused(tmp_path):
    with pytest.raises(EmoError, match="not a TensorRT plan"):
        _plan.unwrap(onnx_file.load(write_model(tmp_path / "model.onnx")), "model.onnx")


def test_the_onnxruntime_engine_says_which_engine_runs_a_plan(container):
    with pytest.raises(EmoError, match="tensorrt engine"):
        onnxruntime.load(container)


@pytest.mark.parametrize("change", [{"source": 5}, {"ep_cache_context": 5}])
def test_attributes_of_another_kind_are_no_plan(container, change):
    proto = onnx_file.load(container)
    kept = [item for item in proto.graph.node[0].attribute if item.name not in change]
    del proto.graph.node[0].attribute[:]
    proto.graph.node[0].attribute.extend([*kept, *(onnx.helper.make_attribute(*item) for item in change.items())])
    if "source" in change:
        assert _plan.unwrap(proto, "plan.onnx").code
    else:
        with pytest.raises(EmoError, match="in another file"):
            _plan.unwrap(proto, "plan.onnx")


def test_a_student_of_a_model_for_processors_is_none_itself(tmp_path):
    model = onnx_file.load(write_model(tmp_path / "model.onnx"))
    header = onnx_file.read_header(tmp_path / "model.onnx").then({"command": "export"})
    step = {"command": "plan", "options": {"batch": 1}}
    for after, says in (((), "arranged for processors"), (({"command": "distill", "name": "student"},), "tensorrt")):
        for each in after:
            header = header.then(each)
        onnx_file.write_header(model, header)
        onnx_file.save(model, tmp_path / "model.onnx")
        with pytest.raises(EmoError, match=says):
            plan.write(pipes.read(str(tmp_path / "model.onnx"), "model"), tmp_path / "p.plan", step, raw=False)
