"""Baselines from scikit-learn: the model file says what scikit-learn says, and goes through the same commands."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import Run
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from small_sequences import CLASSES, write_vectors

from emocli import architectures, labels, onnx_file, pipes
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.training import export, loop, rebuild, session
from emocli.training.loop import Outcome
from emocli.training.recipe import Recipe, Repetition

RECIPE = Recipe(threads=1, device="cpu")


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vectors(tmp_path_factory.mktemp("vectors") / "features.h5")


def fitted(features: Path, arch: str, recipe: Recipe = RECIPE, **options: str) -> Outcome:
    name, params = architectures.resolve(arch, options)
    with hdf5.open_data(features) as data:
        net = loop.make(name, data.shape, CLASSES, params, 0)
        return loop.train(net, data, recipe, progress=False)


def parts(features: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with hdf5.open_data(features) as data:
        train, validation = data.rows("train"), data.rows("validation")
        return data.take(train), data.targets()[train], data.take(validation)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_svm_gives_the_decision_values_of_scikit_learn(features: Path, kernel: str) -> None:
    x, y, others = parts(features)
    scaler = StandardScaler().fit(x)
    machines = [SVC(C=3.0, kernel=kernel, gamma=0.1).fit(scaler.transform(x), y == label) for label in range(CLASSES)]
    wanted = np.stack([machine.decision_function(scaler.transform(others)) for machine in machines], 1)
    net = fitted(features, "svm", c="3", gamma="0.1", kernel=kernel).net
    with torch.no_grad():
        assert np.allclose(net(torch.from_numpy(others)).numpy(), wanted, atol=1e-3)


def test_logistic_gives_the_probabilities_of_scikit_learn(features: Path) -> None:
    x, y, others = parts(features)
    scaler = StandardScaler().fit(x)
    wanted = (
        LogisticRegression(C=1.0, max_iter=2000).fit(scaler.transform(x), y).predict_proba(scaler.transform(others))
    )
    net = fitted(features, "logistic", c="1").net
    with torch.no_grad():
        assert np.allclose(net(torch.from_numpy(others)).softmax(1).numpy(), wanted, atol=1e-3)


@pytest.mark.parametrize("arch", ["svm", "logistic"])
def test_a_fitted_model_is_exported_and_rebuilt_as_large_as_its_data_made_it(
    features: Path, arch: str, tmp_path: Path
) -> None:
    net, (_, _, others) = fitted(features, arch).net, parts(features)
    model = export.to_onnx(net, (10,), input_name="speech")
    name, params = architectures.resolve(arch, {})
    step = {"command": "train", "name": name, "params": params, "input": "sha256:0"}
    onnx_file.write_header(model, Header("model", labels.SEVEN[:CLASSES], (step,), "fp32"))
    onnx_file.save(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = net(torch.from_numpy(others))
        again = rebuild.rebuild(tmp_path / "model.onnx")(torch.from_numpy(others))
    assert torch.allclose(again, wanted, atol=1e-4)
    assert np.allclose(session.run(["logits"], {"speech": others})[0], wanted.numpy(), atol=1e-4)


@pytest.mark.parametrize("arch", ["svm", "logistic"])
def test_without_c_what_is_best_on_validation_is_kept(features: Path, arch: str) -> None:
    chosen = fitted(features, arch)
    assert chosen.accuracy >= max(fitted(features, arch, c=str(c)).accuracy for c in (0.01, 100.0))


def test_balanced_classes_weigh_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = np.where(np.arange(200) % 10, 0, 1)
    writer = Writer(tmp_path / "rare.h5", modality="speech", count=200)
    writer.append((rng.normal(0, 1, (200, 4)) + y[:, None]).astype(np.float32))
    split = np.where(np.arange(200) < 150, "train", "validation")
    writer.finish(Header("features", ("often", "rare", "never"), ()), y, "label", split)
    said = []
    for weights in ("none", "balanced"):
        net = fitted(tmp_path / "rare.h5", "logistic", replace(RECIPE, class_weights=weights), c="1").net
        with torch.no_grad():
            said.append(net(torch.from_numpy(parts(tmp_path / "rare.h5")[2])).argmax(1).numpy())
    assert (said[0] == 1).sum() < (said[1] == 1).sum() and not (said[1] == 2).any()


def test_one_class_a_teacher_and_focal_weights_are_refused_in_one_line(features: Path, tmp_path: Path) -> None:
    writer = Writer(tmp_path / "one.h5", modality="speech", count=20)
    writer.append(np.zeros((20, 4), np.float32))
    split = np.where(np.arange(20) < 10, "train", "validation")
    writer.finish(Header("features", ("a", "b", "c"), ()), np.zeros(20, np.int64), "label", split)
    with pytest.raises(EmoError, match="one class only"):
        fitted(tmp_path / "one.h5", "svm")
    with pytest.raises(EmoError, match="none or balanced"):
        fitted(features, "svm", replace(RECIPE, class_weights="rising=2"))
    with hdf5.open_data(features) as data, pytest.raises(EmoError, match="can't listen to a teacher"):
        net = loop.make("svm", data.shape, CLASSES, architectures.resolve("svm", {})[1], 0)
        loop.train(net, data, RECIPE, teacher=lambda x: x[:, :CLASSES], progress=False)


@pytest.mark.parametrize(
    ("arch", "params", "repetition", "says"),
    [
        ("svm", {}, Repetition(seeds=2), "every seed gives the same model"),
        ("logistic", {}, Repetition(seeds=2), "every seed gives the same model"),
        ("logistic", {"choose": "subjects"}, Repetition(folds=2), "in every fold the same"),
    ],
)
def test_runs_that_would_be_the_same_are_refused(
    features: Path, tmp_path: Path, arch: str, params: dict[str, str], repetition: Repetition, says: str
) -> None:
    step = {"command": "train", "name": arch, "params": architectures.resolve(arch, params)[1]}
    how = session.How(False, False, False, lambda text: None, repetition)
    with pytest.raises(EmoError, match=says):
        session.write(pipes.read(str(features), "features"), tmp_path / "m.onnx", step, RECIPE, how)
    weights = [fitted(features, arch, replace(RECIPE, seed=seed), c="1").net.state_dict() for seed in (0, 1)]
    assert all(torch.equal(first, second) for first, second in zip(*(each.values() for each in weights), strict=True))


@pytest.mark.parametrize(
    ("arch", "params"), [("svm", {"c": -1.0}), ("svm", {"gamma": -1.0}), ("logistic", {"c": -1.0})]
)
def test_a_cost_below_0_is_one_line(arch: str, params: dict[str, float]) -> None:
    with pytest.raises(EmoError, match="below 0; 0 "):
        architectures.build(arch, (4,), 2, params)


def test_a_baseline_goes_through_train_and_eval(features: Path, shell: Run) -> None:
    done = shell(
        f"emo train {features} --arch svm --threads 1 -o svm.onnx\n"
        "emo eval svm.onnx --split validation --json --samples 50"
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "fitted at once" in done.stderr.decode() and '"uar"' in done.stdout.decode()


def write_speakers(path: Path, speakers: int = 6, *, copies: bool = False) -> Path:
    """Vectors of speakers whose own level hides the class unless others have been heard; one of them for validation.

    The copies are of the speakers who are trained with, and of no use: all are alike.
    """
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(speakers), 30)
    y = np.arange(len(group)) % CLASSES
    x = rng.normal(0, 1, (len(group), 12)) + 1.5 * np.eye(CLASSES, 12)[y] + rng.normal(0, 1, (speakers, 12))[group]
    rows = np.arange(len(group))
    if copies:
        rows = np.concatenate([rows, rows[group > 0]])
        x = np.concatenate([x, np.zeros((len(rows) - len(x), 12))])
    group, y = group[rows], y[rows]
    writer = Writer(path, modality="speech", count=len(rows))
    writer.append(x.astype(np.float32))
    split = np.where(group == 0, "validation", "train")
    names = [f"s{number}" if speakers > 1 else "" for number in group]
    original = rows if copies else None
    writer.finish(Header("features", labels.SEVEN[:CLASSES], ()), y, "label", split, names, original=original)
    return path


@pytest.mark.parametrize("arch", ["svm", "logistic"])
def test_with_subjects_each_is_left_out_once_and_in_the_end_all_are_fitted(arch: str, tmp_path: Path) -> None:
    features = write_speakers(tmp_path / "f.h5")
    outcome = fitted(features, arch, choose="subjects")
    assert outcome.n == 180 and 0.5 < outcome.accuracy < 1
    x, _, others = parts(features)
    everything = np.concatenate([x, others]).mean(0)
    scale = outcome.net.scale if arch == "svm" else outcome.net.features
    assert np.allclose(scale.mean.numpy(), everything, atol=1e-4)


def test_the_best_c_by_subject_is_that_of_scikit_learn(tmp_path: Path) -> None:
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline

    features = write_speakers(tmp_path / "f.h5")
    net = fitted(features, "logistic", choose="subjects").net
    with hdf5.open_data(features) as data:
        x, y, groups = data.take(np.arange(180)), data.targets(), data.group
    recalls = {}
    for cost in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0):
        pipe = make_pipeline(StandardScaler(), LogisticRegression(C=cost, max_iter=2000))
        said = cross_val_predict(pipe, x, y, groups=groups, cv=LeaveOneGroupOut())
        recalls[cost] = np.mean([(said[y == label] == label).mean() for label in range(CLASSES)])
    assert net.c == max(recalls, key=lambda cost: recalls[cost])


def test_subjects_that_are_too_few_or_a_word_that_is_none_are_one_line(features: Path) -> None:
    with pytest.raises(EmoError, match="use choose=validation"):
        fitted(features, "logistic", choose="subjects")
    with pytest.raises(EmoError, match="validation or subjects"):
        fitted(features, "svm", choose="actors")


@pytest.mark.parametrize("arch", ["svm", "logistic"])
def test_a_subject_without_whom_there_is_one_class_only_can_t_be_left_out(arch: str, tmp_path: Path) -> None:
    y = np.array([0, 0, 1] * 20)
    writer = Writer(tmp_path / "f.h5", modality="speech", count=len(y))
    writer.append(np.random.default_rng(0).normal(0, 1, (len(y), 4)).astype(np.float32))
    split = np.where(np.arange(len(y)) < 45, "train", "validation")
    names = ["ann", "bob", "eve"] * 20
    writer.finish(Header("features", labels.SEVEN[:CLASSES], ()), y, "label", split, names)
    with pytest.raises(EmoError, match="without eve there is one class only"):
        fitted(tmp_path / "f.h5", arch, choose="subjects")


def test_augmented_copies_are_learned_from_and_not_scored(tmp_path: Path) -> None:
    plain = fitted(write_speakers(tmp_path / "f.h5"), "logistic", choose="subjects", c=1.0)
    copied = write_speakers(tmp_path / "c.h5", copies=True)
    outcome = fitted(copied, "logistic", choose="subjects", c=1.0)
    assert outcome.n == plain.n == 180 and outcome.accuracy == pytest.approx(plain.accuracy, abs=0.05)
