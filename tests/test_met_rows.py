"""A corpus that is divided anew: rows that the model learned from are counted, or said to be possible."""

from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from conftest import Run
from scored import score, stripes
from small_model import write_model

from emocli import onnx_file, pipes
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.scores import acquaintance, met_rows

EMOTIONS = ("happy", "sad", "angry")
Made = tuple[Path, Path]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for row, x in enumerate(stripes(60)):
        place = tmp_path / "pictures" / EMOTIONS[row % 3]
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{row}.png"), x[0])
    return tmp_path / "pictures"


@pytest.fixture
def made(pictures: Path, emo: Run, tmp_path: Path) -> Made:
    """Features of the pictures and a model that says it learned from them."""
    features, model = _divided(emo, pictures, tmp_path / "own.h5"), write_model(tmp_path / "m.onnx", names=EMOTIONS)
    header, net = onnx_file.read_header(model), onnx_file.load(model)
    source = pipes.read(str(features), "features")
    learned = {**header.steps[-1], "input": source.digest, "data": source.digest}
    onnx_file.write_header(net, replace(header, labels=source.header.labels, steps=(*source.header.steps, learned)))
    onnx_file.save(net, model)
    return features, model


def _divided(emo: Run, pictures: Path, path: Path, *options: object) -> Path:
    dataset = path.with_suffix(".dataset.h5")
    assert emo("dataset", "folder", pictures, *options, "-o", dataset).returncode == 0
    assert emo("features", dataset, "-o", path).returncode == 0
    return path


def _ids(path: Path, *parts: str) -> set[str]:
    with hdf5.open_data(path) as data:
        return {data.id[row] for part in parts for row in data.rows(part)}


@pytest.mark.parametrize("split", ["test", "train"])
def test_rows_that_the_model_knows_are_counted_aloud(
    split: str, made: Made, pictures: Path, emo: Run, tmp_path: Path
) -> None:
    other, notes = _divided(emo, pictures, tmp_path / "other.h5", "--seed", 1, "--test", 0.5), list[str]()
    record = score(made[1], other, notes, split=split)
    known = _ids(made[0], "train", "validation") & _ids(other, split)
    assert record["shared_rows"] == len(known) > 0
    assert any(f"it knows {len(known)} of the {record['accuracy']['n']} rows" in note for note in notes)  # type: ignore[index]


def test_what_the_teacher_knows_counts_on_the_students_own_data(
    made: Made, pictures: Path, emo: Run, tmp_path: Path
) -> None:
    other = _divided(emo, pictures, tmp_path / "other.h5", "--seed", 1, "--test", 0.5)
    train = ("distill", made[1], "--data", other, "--arch", "mlp", "--epochs", 1, "--threads", 1)
    assert emo(*train, "-o", tmp_path / "student.onnx").returncode == 0
    record = score(tmp_path / "student.onnx", other)
    assert record["shared_rows"] == len(_ids(made[0], "train", "validation") & _ids(other, "test")) > 0


def test_a_validation_part_that_other_folds_learned_from_is_known_as_features_and_as_the_dataset() -> None:
    features = {"command": "features", "name": "pixels", "input": "sha256:dataset"}
    trained = {"command": "train", "name": "mlp", "options": {"folds": 3}, "data": "sha256:features"}
    header = Header("model", EMOTIONS, (features, trained))
    known = [acquaintance.knows_validation(header, f"sha256:{name}") for name in ("features", "dataset", "other")]
    assert known == [True, True, False]
    once = Header("model", EMOTIONS, (features, {**trained, "options": {}}))
    assert not acquaintance.knows_validation(once, "sha256:features")


@pytest.mark.parametrize("options", [("--seed", 1), ("-p", "subject=([0-9]+)[.]")])
def test_where_the_models_features_are_gone_it_is_said_that_nobody_knows(
    options: tuple[object, ...], made: Made, pictures: Path, emo: Run, tmp_path: Path
) -> None:
    other, notes = _divided(emo, pictures, tmp_path / "other.h5", *options), list[str]()
    made[0].unlink()
    assert "shared_rows" not in score(made[1], other, notes)
    assert any("can't be told" in note for note in notes)


def test_the_same_files_are_divided_otherwise_by_what_decides_on_parts_alone() -> None:
    def step(seed: int = 0, content: str = "sha256:a", **params: str) -> dict[str, object]:
        return {"command": "dataset", "name": "ferplus", "params": params, "options": {"seed": seed}, "input": content}

    scored = step(public_test="only", labels="votes")
    assert met_rows._is_divided_otherwise(step(public_test="validation"), scored)
    assert not met_rows._is_divided_otherwise(step(public_test="test", labels="majority"), scored)
    assert met_rows._is_divided_otherwise(step(), step(seed=1))
    assert not met_rows._is_divided_otherwise(step(), step(seed=1, content="sha256:b"))
    assert not met_rows._is_divided_otherwise(step(content=""), step(seed=1, content=""))


def test_nothing_is_said_of_the_models_own_test_part(made: Made) -> None:
    notes: list[str] = []
    assert "shared_rows" not in score(made[1], made[0], notes) and notes == []
