"""Embeddings of networks: a model artifact sees what it was trained with, a timm backbone its own normalisation."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from emocli import onnx_file, registry, store
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.image.faces import FaceImage

RNG = np.random.default_rng(0)
IMAGES = [FaceImage(RNG.integers(0, 256, (16, 16), dtype=np.uint8)) for _ in range(5)]


def write_model(path: Path, *, embedding: bool = True, features: str = "pixels") -> Path:
    """Write a model whose embedding is the mean of each row of a 16 x 16 face."""
    face = helper.make_tensor_value_info("face", TensorProto.UINT8, ["batch", 1, 16, 16])
    outputs = {"logits": ["batch", 16]} | ({"embedding": ["batch", 16]} if embedding else {})
    nodes = [
        helper.make_node("Cast", ["face"], ["light"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["light", "axes"], ["means"], keepdims=0),
        helper.make_node("Identity", ["means"], ["logits"]),
        helper.make_node("Identity", ["means"], ["embedding"]),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 3])
    graph = helper.make_graph(nodes[: 2 + len(outputs)], "rows", [face], values, [axes])
    opset = helper.make_opsetid("", onnx_file.OPSET)
    model = helper.make_model(graph, ir_version=onnx_file.IR_VERSION, opset_imports=[opset])
    onnx.checker.check_model(model)
    step = {"command": "features", "name": features, "params": {"size": 16}, "detector": "none"}
    onnx_file.write_header(model, Header("model", tuple(f"{row}" for row in range(16)), (step,), "fp32"))
    onnx_file.save(model, path)
    return path


def test_a_model_artifact_gives_its_embedding(tmp_path: Path) -> None:
    extract = registry.load("features", "deep")(model=str(write_model(tmp_path / "rows.onnx")))
    vectors = extract(IMAGES)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, [image.pixels.mean(axis=1) for image in IMAGES], rtol=1e-6)
    assert np.allclose(vectors, np.concatenate([extract([image]) for image in IMAGES]), rtol=1e-6)


def test_a_model_file_is_recorded_by_its_content_and_kept(tmp_path: Path) -> None:
    path = write_model(tmp_path / "rows.onnx")
    extract, options = extraction.build("deep", {"model": str(path)})
    digest = store.file_digest(path)
    assert options["model"] == digest
    vectors = extract(IMAGES)
    path.unlink()
    again, same = extraction.build("deep", options)
    assert same == options and np.array_equal(again(IMAGES), vectors)


def test_features_are_under_the_terms_of_their_network_and_know_whom_it_learned_from(tmp_path: Path) -> None:
    path = write_model(tmp_path / "rows.onnx")
    model = onnx_file.load(path)
    header = onnx_file.header_of(model, "rows")
    taught = {"command": "train", "name": "mlp", "license": "research use", "people": {"ravdess": ["2", "1"]}}
    onnx_file.write_header(model, header.then(taught))
    onnx_file.save(model, path)
    for name, params in (("deep", {"model": str(path)}), ("lbp+deep", {"deep.model": str(path)})):
        step = extraction.start(name, params, "none")[1]
        assert step["license"] == "research use" and step["people"] == {"ravdess": ["1", "2"]}
    assert not {"license", "people"} & set(extraction.start("lbp", {}, "none")[1])


@pytest.mark.parametrize("model", ["", "absent.onnx", f"sha256:{1:064}", "timm/no_such_net"])
def test_a_network_that_cannot_be_had_is_one_line(model: str) -> None:
    if model.startswith("timm/"):
        pytest.importorskip("timm")
    with pytest.raises(EmoError) as refusal:
        registry.load("features", "deep")(model=model, pretrained=False)
    assert "\n" not in str(refusal.value)


def test_a_model_without_an_embedding_says_so(tmp_path: Path) -> None:
    extract = registry.load("features", "deep")(model=str(write_model(tmp_path / "rows.onnx", embedding=False)))
    with pytest.raises(EmoError, match="no embedding"):
        extract(IMAGES)


def test_a_model_of_voices_is_refused_and_one_that_ships_goes_by_its_name() -> None:
    with pytest.raises(EmoError, match="hears voices"):
        registry.load("features", "deep")(model="ravdess")
    assert registry.load("features", "deep")(model="fer2013-int8")(IMAGES).shape[0] == len(IMAGES)


def test_a_model_of_joined_extractors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="one extractor"):
        registry.load("features", "deep")(model=str(write_model(tmp_path / "rows.onnx", features="lbp+hog")))


def test_a_timm_backbone_embeds_rgb_crops_the_same_every_time() -> None:
    pytest.importorskip("timm")
    make = registry.load("features", "deep")
    options = {"model": "timm/test_resnet", "pretrained": False, "size": 32}
    first, again, other = (make(**options, seed=seed)(IMAGES) for seed in (0, 0, 1))
    assert first.ndim == 2 and len(first) == len(IMAGES) and first.dtype == np.float32
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.allclose(first, np.concatenate([make(**options)([image]) for image in IMAGES]), atol=1e-5)
