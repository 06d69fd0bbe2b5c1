"""One teacher or several: what they say together, relations between embeddings, rows without labels, the header."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run, write_features
from small_model import write_model
from small_runs import CLASSES, QUICK, trained, written

from emocli import labels, onnx_file, pipes, replaying, teachers
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.engines.onnxruntime import load
from emocli.errors import EmoError
from emocli.training import losses, session, step, teaching
from emocli.training.recipe import Distillation
from emocli.training.teaching import Taught

STEP = {"command": "distill", "name": "emotion-cnn", "params": {"width": 8, "dropout": 0.0}}
PIXELS = Header("features", (), ({"command": "features", "name": "pixels", "params": {}},))
QUIET = session.How(resume=False, strict=False, drop_leaks=False, note=lambda text: None)


def says(logits: torch.Tensor, embedding: torch.Tensor | None = None) -> teaching.Model:
    """A model that says the same of whatever it is shown."""
    outputs = {"logits": logits.numpy(), **({} if embedding is None else {"embedding": embedding.numpy()})}
    return lambda x: outputs


def chance(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- what several say


def test_several_teachers_say_the_mean_of_their_softened_probabilities() -> None:
    logits = [3 * chance(5, 4, seed=seed) for seed in range(3)]
    taught = teaching.together([says(each) for each in logits], Distillation(temperature=2.0), PIXELS)(np.empty(0))
    wanted = torch.stack([(each / 2).softmax(1) for each in logits]).mean(0)
    assert torch.allclose((taught.logits / 2).softmax(1), wanted, atol=1e-6)
    assert taught.relations is None


def test_a_teacher_with_both_sides_of_a_picture_says_the_same_of_its_mirror_image() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 3), np.uint8)
    # one that looks at the left of a picture only
    teacher = teaching.together(
        [lambda x: {"logits": x[:, 0, :, 0].astype(np.float32)}], Distillation(teacher_flip=True), PIXELS
    )
    one, other = (teacher(x).logits for x in (pictures, np.ascontiguousarray(pictures[..., ::-1])))
    assert torch.allclose(one, other)
    with pytest.raises(EmoError, match="only pictures and logmel have views"):
        teacher(np.zeros((4, 9), np.float32))


def test_a_teacher_that_is_asked_in_several_views_says_their_mean() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 1, 48, 48), np.uint8)
    seen: list[np.ndarray] = []

    def ask(x: np.ndarray) -> dict[str, np.ndarray]:
        seen.extend(np.split(x, len(x) // 2))
        return {"logits": x[:, 0, :3, 5].astype(np.float32)}

    said = teaching.together([ask], Distillation(teacher_views=4), PIXELS)(pictures).logits
    assert len({each.tobytes() for each in seen}) == len(seen) == 4
    at = Distillation().temperature
    shares = [torch.from_numpy(each[:, 0, :3, 5].astype(np.float32) / at).softmax(1) for each in seen]
    torch.testing.assert_close((said / at).softmax(1), torch.stack(shares).mean(0), atol=1e-5, rtol=1e-4)


def test_one_teacher_is_heard_as_it_is() -> None:
    logits = chance(5, 4)
    assert torch.equal(teaching.together([says(logits)], Distillation(), PIXELS)(np.empty(0)).logits, logits)


def test_relations_are_distances_whatever_the_scale_the_width_and_the_turn_of_an_embedding() -> None:
    embedding = chance(6, 3)
    turned = 7 * embedding @ torch.linalg.qr(chance(5, 3, seed=1))[0].T
    relations = losses.relations(embedding)
    assert relations.shape == (15,) and relations.mean() == pytest.approx(1.0)
    assert float(relations[0] / relations[1]) == pytest.approx(
        float((embedding[0] - embedding[1]).norm() / (embedding[0] - embedding[2]).norm()), rel=1e-5
    )
    assert losses.relational(turned, relations) < 1e-10 < 1e-3 < losses.relational(chance(6, 5, seed=2), relations)


def test_relations_of_several_teachers_are_averaged_and_pull_the_student() -> None:
    soft = Distillation(relational=2.0)
    embeddings = [chance(6, width, seed=width) for width in (3, 8)]
    taught = teaching.together([says(chance(6, 3), each) for each in embeddings], soft, PIXELS)(np.empty(0))
    assert taught.relations is not None
    assert torch.allclose(taught.relations, sum(map(losses.relations, embeddings)) / 2)
    loss_of = step.criterion(None, QUICK, replace(soft, alpha=1.0))  # type: ignore[arg-type]
    logits, embedding = chance(6, 3), chance(6, 4, seed=9).requires_grad_()
    without, loss = loss_of(logits, logits, taught), loss_of(logits, logits, taught, embedding)
    wanted = 2 * losses.relational(embedding, taught.relations)
    assert torch.allclose(loss - without, wanted, rtol=1e-4)
    loss.backward()
    assert embedding.grad is not None and embedding.grad.abs().sum() > 0


def test_equal_embeddings_have_a_finite_slope() -> None:
    embedding = torch.ones(4, 3, requires_grad=True)
    losses.relational(embedding, torch.ones(6)).backward()
    assert embedding.grad is not None and torch.isfinite(embedding.grad).all()


def test_relations_of_a_teacher_without_an_embedding_are_refused() -> None:
    with pytest.raises(EmoError, match="no output named embedding; leave out --relational"):
        teaching.together([says(chance(2, 3))], Distillation(relational=1.0), PIXELS)(np.empty(0))


def brightness(soft: Distillation) -> Callable[[np.ndarray], Taught]:
    """Tells the three classes by the brightness that they were made with; its embedding is the brightness."""

    def run(x: np.ndarray) -> dict[str, np.ndarray]:
        mean = x.mean((1, 2, 3))[:, None]
        return {"logits": -np.abs(mean - np.array([30.0, 120.0, 210.0])) / 10, "embedding": mean}

    return teaching.together([run], soft, PIXELS)


def test_a_student_taught_relations_ends_with_relations_nearer_to_the_teachers(tmp_path: Path) -> None:
    y = np.arange(120) % CLASSES
    split = np.where(np.arange(120) < 80, "train", "validation")
    recipe = replace(QUICK, epochs=6, lr=5e-3, augment="none")

    def apart(relational: float) -> float:
        soft = Distillation(alpha=1.0, relational=relational)
        outcome = trained(data, recipe, teacher=brightness(soft), distillation=soft)
        x = data.x[:60]
        with torch.inference_mode():
            embedding = outcome.net.outputs(torch.from_numpy(x).float() / 255)[1]  # type: ignore[operator]
        return float(losses.relational(embedding, losses.relations(torch.from_numpy(x).float().mean((2, 3)))))

    with hdf5.open_data(written(tmp_path / "f.h5", y, split, bright=90 * y)) as data:
        assert apart(10.0) < 0.7 * apart(0.0)


# --- without labels


def unlabelled(path: Path) -> Path:
    """Rows to train on without any label, rows for validation with theirs."""
    y = np.arange(120) % CLASSES
    split = np.where(np.arange(120) < 80, "train", "validation")
    return written(path, np.where(split == "train", -1, y), split, bright=90 * y)


def test_with_alpha_1_a_student_learns_from_rows_without_any_label(tmp_path: Path) -> None:
    notes: list[str] = []
    recipe = replace(QUICK, epochs=10, lr=5e-3, augment="light")
    soft = Distillation(alpha=1.0)
    with hdf5.open_data(unlabelled(tmp_path / "f.h5")) as data:
        outcome = trained(data, recipe, teacher=brightness(soft), distillation=soft, note=notes.append)
    assert outcome.accuracy > 0.9
    assert not [note for note in notes if "left out" in note or "can't learn" in note]


@pytest.mark.parametrize(
    "other",
    [
        *({"focal": 2.0}, {"class_weights": "balanced"}, {"logit_adjustment": 1.0}),
        *({"center": 0.01}, {"oversample": True}),
    ],
)
def test_with_alpha_1_what_is_of_labels_is_refused(tmp_path: Path, other: dict[str, object]) -> None:
    soft = Distillation(alpha=1.0)
    with hdf5.open_data(unlabelled(tmp_path / "f.h5")) as data, pytest.raises(EmoError, match="no label is read"):
        trained(data, replace(QUICK, **other), teacher=brightness(soft), distillation=soft)  # type: ignore[arg-type]


def test_where_labels_count_too_rows_without_any_are_left_out(tmp_path: Path) -> None:
    soft = Distillation(alpha=0.9)
    with (
        hdf5.open_data(unlabelled(tmp_path / "f.h5")) as data,
        pytest.raises(EmoError, match="no row of the train part has a label"),
    ):
        trained(data, teacher=brightness(soft), distillation=soft)


# --- artifacts


@pytest.fixture
def features(tmp_path: Path) -> Path:
    write_features(tmp_path / "features.h5", classes=7, n=84)
    return tmp_path / "features.h5"


def taught(features: Path, path: Path, named: list[str], argument: str | None = None) -> Path:
    """Do what `emo distill` does, without a process for it."""
    sources, data = teachers.gather(argument, named, str(features))
    soft = Distillation()
    models = [load(source.path).run for source in sources]
    lesson = session.Lesson(sources, teaching.together(models, soft, data.header), soft)
    recipe = replace(QUICK, epochs=1, batch=16, lr=0.0)
    session.forget(session.write(data, path, STEP, recipe, QUIET, lesson))
    return path


def test_a_student_is_under_the_terms_of_what_it_looks_at_too(features: Path, tmp_path: Path) -> None:
    first = write_model(tmp_path / "first.onnx")
    model = onnx_file.load(first)
    header = onnx_file.header_of(model, "first")
    steps = tuple(step | ({"license": "votes MIT"} if step["command"] == "dataset" else {}) for step in header.steps)
    onnx_file.write_header(model, replace(header, steps=steps))
    onnx_file.save(model, first)
    student = onnx_file.read_header(taught(features, tmp_path / "a.onnx", [], argument=str(first)))
    assert student.license == "votes MIT; none"


def test_a_student_is_asked_about_what_it_looked_at_last(features: Path, tmp_path: Path) -> None:
    write_features(tmp_path / "found.h5", classes=7, n=84, detector="haar")
    model, seen = str(write_model(tmp_path / "first.onnx")), []
    for number, data in enumerate((tmp_path / "found.h5", features, features)):
        model = str(taught(data, tmp_path / f"{number}.onnx", [], argument=model))
        steps = onnx_file.read_header(Path(model)).steps
        seen.append([step["detector"] for step in steps if step["command"] == "features"])
    assert seen == [["none", "haar"], ["none", "haar", "none"], ["none", "haar", "none"]]


def test_the_header_continues_the_first_teacher_and_names_the_others_and_replay_finds_them(
    features: Path, tmp_path: Path
) -> None:
    first, second, third = (str(write_model(tmp_path / f"{seed}.onnx", seed=seed)) for seed in range(3))
    path = taught(features, tmp_path / "a.onnx", [second, third], argument=first)
    header = onnx_file.read_header(path)
    digests = [pipes.read(each, "model").digest for each in (first, second, third)]
    last = header.steps[-1]
    assert header.steps[:-1] == onnx_file.read_header(Path(first)).steps
    assert last["input"] == digests[0] and last["options"]["teacher"] == digests[1:] and last["license"] == "none"
    assert str(tmp_path) not in header.to_json()
    line = replaying.pipeline(header)
    assert f"--teacher {digests[1]} --teacher {digests[2]}" in line and f"# {digests[1]} is one more teacher" in line
    again = taught(features, tmp_path / "b.onnx", digests[1:], argument=first)
    assert again.read_bytes() == path.read_bytes()


def test_one_named_teacher_is_the_same_as_one_on_the_main_input(features: Path, tmp_path: Path) -> None:
    model = str(write_model(tmp_path / "model.onnx"))
    named = taught(features, tmp_path / "a.onnx", [model])
    given = taught(features, tmp_path / "b.onnx", [], argument=model)
    assert named.read_bytes() == given.read_bytes()
    assert "teacher" not in onnx_file.read_header(named).steps[-1]["options"]


def test_the_main_input_is_one_more_teacher_or_the_features_by_what_it_holds(features: Path, tmp_path: Path) -> None:
    first, second = (str(write_model(tmp_path / f"{seed}.onnx", seed=seed)) for seed in range(2))
    sources, data = teachers.gather(str(features), [first, second], None)
    assert [str(source.path) for source in sources] == [first, second] and data.path == features
    sources, _ = teachers.gather(first, [second], str(features))
    assert [str(source.path) for source in sources] == [first, second]


def test_where_both_are_named_a_pipe_is_not_waited_for_and_that_is_said(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, notes = str(write_model(tmp_path / "model.onnx")), []
    ends = os.pipe()  # nothing comes, and nobody closes it
    with open(ends[0]) as stdin, open(ends[1], "w"):
        monkeypatch.setattr(sys, "stdin", stdin)
        sources, _ = teachers.gather(None, [model], str(features), notes.append)
    assert len(sources) == 1 and len(notes) == 1 and "stdin is not read; with - it is the first teacher" in notes[0]
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        teachers.gather(None, [model], str(features), notes.append)
    assert len(notes) == 1


def test_teachers_of_other_labels_or_other_features_are_refused(features: Path, tmp_path: Path) -> None:
    good = str(write_model(tmp_path / "good.onnx"))
    eight = str(write_model(tmp_path / "eight.onnx", names=labels.EIGHT))
    with pytest.raises(EmoError, match=r"eight\.onnx and .* have different labels"):
        teachers.gather(None, [good, eight], str(features))
    model = onnx_file.load(Path(good))
    header = onnx_file.read_header(Path(good))
    wide = [{**each, "params": {"size": 64}} if each["command"] == "features" else each for each in header.steps]
    onnx_file.write_header(model, replace(header, steps=tuple(wide)))
    onnx_file.save(model, tmp_path / "wide.onnx")
    with pytest.raises(EmoError, match=r"wide\.onnx learned from other features than .* \(size 64 and 48\)"):
        teachers.gather(good, [str(tmp_path / "wide.onnx")], str(features))


def test_a_dataset_is_no_main_input_and_the_line_that_makes_features_is_told(tmp_path: Path) -> None:
    write_features(tmp_path / "dataset.h5", kind="dataset", classes=7)
    model = str(write_model(tmp_path / "model.onnx"))
    with pytest.raises(EmoError, match="holds a dataset, expected model or features; run: emo features"):
        teachers.gather(str(tmp_path / "dataset.h5"), [model], None)


def test_the_command_takes_teachers_from_both_places_and_tells_in_one_line_what_one_lacks(
    features: Path, tmp_path: Path, shell: Run
) -> None:
    first, second = (str(write_model(tmp_path / f"{seed}.onnx", seed=seed)) for seed in range(2))
    line = f"emo distill - --teacher {second} --data {features} --arch emotion-cnn -p width=8 --epochs 1 --threads 1"
    done = shell(f"{line} --alpha 1 < {first} > student.onnx")
    assert done.returncode == 0, done.stderr.decode()
    last = onnx_file.read_header(tmp_path / "student.onnx").steps[-1]
    named = [last["input"], *last["options"]["teacher"]]
    assert named == [pipes.read(each, "model").digest for each in (first, second)]
    done = shell(f"{line} --relational 1 -o none.onnx < {first}")
    assert done.returncode == 1 and not (tmp_path / "none.onnx").exists()
    assert done.stderr.decode().splitlines()[-1].startswith("emo: a teacher has no output named embedding")


def test_terms_that_several_models_bring_are_said_once() -> None:
    first = {"command": "dataset", "name": "folder", "license": "research use; never shipped"}
    taught = {"command": "distill", "name": "student", "license": "research use; never shipped; votes MIT"}
    assert Header("model", ("a", "b"), (first, taught)).license == "research use; never shipped; votes MIT"
    assert Header("model", ("a", "b"), ({"command": "dataset", "name": "folder"},)).license == ""
