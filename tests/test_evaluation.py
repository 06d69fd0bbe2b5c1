"""Scoring across corpora: labels that differ, several models and corpora at once, mirror images."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from scored import SYNONYMS, N, said, score, stripes, write_data, write_photos
from small_model import write_model

from emocli import labels, onnx_file, pipes
from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer
from emocli.datasets import ravdess, synthetic
from emocli.engines import onnxruntime
from emocli.errors import EmoError
from emocli.extracting import pieces
from emocli.scores import calibration, evaluation, label_map, pairing, scoring
from emocli.scores.pairing import Options
from emocli.scores.views import Views
from emocli.serving.prediction import predictor


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx", varied=True)


def test_labels_that_agree_give_the_record_there_always_was(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    record = score(model, write_data(tmp_path / "x.h5", labels.SEVEN), notes)
    figures = ["accuracy", "macro_f1", "uar", "roc_auc", "ece"]
    assert list(record) == ["model", "data", "split", *figures, "per_class", "confusion", "absent"]
    assert notes == []


def test_the_order_of_the_labels_does_not_matter(model: Path, tmp_path: Path) -> None:
    record = score(model, write_data(tmp_path / "x.h5", labels.SEVEN[::-1]))
    logits, rows = said(model)
    assert record["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == 6 - rows % 7).mean())
    assert "labels" not in record


def test_data_that_lack_a_class_are_scored_by_name_and_the_class_is_named(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    record = score(model, write_data(tmp_path / "x.h5", ("happy", "sad")), notes)
    assert record["only_in_model"] == ["angry", "disgust", "fear", "surprise", "neutral"]
    assert (record["labels"], record["left_out"], record["map"]) == (list(labels.SEVEN), {}, {})
    (note,) = notes
    assert "only the model has angry, disgust, fear, surprise, neutral" in note and "--restrict" in note


def test_a_class_that_only_the_data_have_is_left_out_and_counted(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    record = score(model, write_data(tmp_path / "x.h5", labels.EIGHT), notes)
    contempt = sum(row % 8 == 7 for row in range(N) if row % 3)
    assert record["left_out"] == {"contempt": contempt}
    assert record["accuracy"]["n"] == 60 - contempt
    assert f"contempt ({contempt} rows)" in notes[0]


def test_where_no_map_can_be_said_no_row_is_left_out(model: Path, tmp_path: Path) -> None:
    data = pipes.read(str(write_data(tmp_path / "x.h5", labels.EIGHT)), "features")
    with pytest.raises(EmoError, match=r"does not know \(contempt\)"):
        evaluation.answers(onnxruntime.load(model), onnx_file.read_header(model), data, "test", hint="")


def test_labels_that_differ_both_ways_are_asked_about(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError) as fault:
        score(model, write_data(tmp_path / "x.h5", SYNONYMS))
    text = str(fault.value)
    assert "does not know (anger, happiness, sadness, fearful, surprised, calm)" in text
    for line in ("anger=angry", "happiness=happy", "sadness=sad", "fearful=fear", "surprised=surprise", "calm=neutral"):
        assert f"--map {line}" in text
    assert "\n" not in text and "--map disgust" not in text


def test_a_map_says_what_counts_as_what(model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "x.h5", ("happiness", "sad", "contempt"))
    record = score(model, data, maps=("happiness=happy", "contempt="))
    logits, rows = said(model)
    kept = rows % 3 != 2
    right = logits.argmax(axis=1)[kept] == np.where(rows[kept] % 3 == 0, 3, 4)
    assert record["accuracy"]["value"] == pytest.approx(right.mean())
    assert record["map"] == {"happiness": "happy"}
    assert record["left_out"] == {"contempt": int((~kept).sum())}
    assert score(model, data, maps=("happiness=Joy", "contempt=")) == record
    merged = score(model, data, maps=("happiness=happy", "contempt=happy"))
    assert (merged["accuracy"]["n"], merged["left_out"]) == (60, {})


def test_auto_leaves_contempt_out_either_way(tmp_path: Path) -> None:
    # CK+48 has contempt and no neutral
    seven, eight = write_model(tmp_path / "7.onnx"), write_model(tmp_path / "8.onnx", names=labels.EIGHT)
    ckplus = write_data(tmp_path / "ck.h5", ("angry", "contempt", "disgust", "fear", "happy", "sad", "surprise"))
    with pytest.raises(EmoError, match="--map contempt="):
        score(seven, ckplus)
    found = score(seven, ckplus, maps=("auto",))
    assert list(found["left_out"]) == ["contempt"] and found["only_in_model"] == ["neutral"]
    known = score(eight, ckplus, maps=("auto",))
    assert known["left_out"] == {} and known["only_in_model"] == ["neutral"]
    with pytest.raises(EmoError, match="does not know"):
        score(seven, write_data(tmp_path / "x.h5", ("happy", "sarcasm")), maps=("auto",))


def test_auto_knows_the_names_that_corpora_of_speech_give(model: Path, tmp_path: Path) -> None:
    names = ("anger", "happiness", "fearful", "sadness", "boredom", "calm", "excited", "frustration")
    found = score(model, write_data(tmp_path / "x.h5", names), maps=("auto",))
    assert found["map"] == {
        "anger": "angry", "happiness": "happy", "fearful": "fear", "sadness": "sad", "calm": "neutral",
        "excited": "happy",
    }  # fmt: skip
    assert list(found["left_out"]) == ["boredom", "frustration"]
    assert found["accuracy"]["n"] + sum(found["left_out"].values()) == 60


def test_what_is_said_of_a_label_wins_over_auto(model: Path, tmp_path: Path) -> None:
    found = score(model, write_data(tmp_path / "x.h5", ("happy", "calm")), maps=("auto", "calm="))
    assert list(found["left_out"]) == ["calm"] and found["map"] == {}


def test_a_model_with_calm_hears_neutral_where_the_data_have_both(tmp_path: Path) -> None:
    eight = write_model(tmp_path / "8.onnx", names=ravdess.ORDER)
    found = score(eight, write_data(tmp_path / "x.h5", ("neutral", "anger", "boredom")), maps=("auto",))
    assert found["map"] == {"anger": "angry"} and "calm" in found["only_in_model"]
    # by another name too, though calm comes first in the alphabet
    assert score(eight, write_data(tmp_path / "y.h5", ("neu", "anger")), maps=("auto",))["map"]["neu"] == "neutral"


def test_restrict_chooses_among_the_shared_classes_only(model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "x.h5", ("happy", "sad"))
    logits, rows = said(model)
    free, restricted = score(model, data), score(model, data, restrict=True)
    assert free["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == 3 + rows % 2).mean())
    assert restricted["accuracy"]["value"] == pytest.approx((logits[:, 3:5].argmax(axis=1) == rows % 2).mean())
    assert restricted["labels"] == ["happy", "sad"] == list(restricted["per_class"])
    assert np.shape(restricted["confusion"]) == (2, 2)


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (["happiness"], "is not DATA=MODEL"),
        (["=happy"], "is not DATA=MODEL"),
        (["happiness=hapy"], "did you mean happy"),
        (["hapiness=happy"], "did you mean happiness"),
        (["happiness=happy", "happiness=sad"], "twice"),
        (["happiness=happy"], "does not know .contempt."),
        (["happiness=", "sad=", "contempt="], "nothing is left to score"),
    ],
)
def test_a_map_that_can_t_be_meant_is_one_line(model: Path, tmp_path: Path, maps: list[str], says: str) -> None:
    data = write_data(tmp_path / "x.h5", ("happiness", "sad", "contempt"))
    with pytest.raises(EmoError, match=says):
        score(model, data, maps=tuple(maps))


def test_the_same_map_may_be_said_again() -> None:
    assert label_map.parse(["a=b", "a=b", "c="]) == {"a": "b", "c": None}


def test_a_row_without_a_label_has_none_among_the_models() -> None:
    known = label_map.match(("b", "a", "x"), ("a", "b", "c"), {"x": None}, "data")
    assert known.places(np.array([-1, 0, 1, 2])).tolist() == [-1, 1, 0, -1]


def test_several_models_and_corpora_give_a_row_per_pair(tmp_path: Path, emo: Run) -> None:
    models = [write_model(tmp_path / f"{name}.onnx", varied=True, width=w) for name, w in (("a", 8), ("b", 4))]
    datas = [write_data(tmp_path / "x.h5", labels.SEVEN), write_data(tmp_path / "y.h5", labels.EIGHT)]
    flags = [word for data in datas for word in ("--data", data)]
    done = emo("eval", *models, *flags, "--samples", 20, "--metric", "uar", "--threads", 1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    names = [(row.pop("model_name"), row.pop("data_name")) for row in rows]
    assert names == [("a.onnx", "x.h5"), ("a.onnx", "y.h5"), ("b.onnx", "x.h5"), ("b.onnx", "y.h5")]
    assert rows == [score(model, data) for model in models for data in datas]
    shown = emo("eval", *models, *flags, "--samples", 20, "--metric", "uar", "--table").stdout.decode()
    assert "uar (test)" in shown and f"{rows[0]['uar']['value']:.4f}" in shown


def test_names_that_are_alike_are_told_apart(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    models = [write_model(tmp_path / "one/m.onnx"), write_model(tmp_path / "two/m.onnx", width=4)]
    data, options = write_data(tmp_path / "x.h5", labels.SEVEN), Options(samples=5)
    pairs = pairing.pairs([pipes.read(str(model), "model") for model in models], [str(data)], options)
    found = list(pairing.named(pairs, scoring.records(pairs, "onnxruntime", 1, options, print)))
    assert len({row["model_name"] for row in found}) == 2


def test_a_mistake_in_the_last_pair_is_found_before_the_first_runs(tmp_path: Path, model: Path, emo: Run) -> None:
    good, bad = write_data(tmp_path / "x.h5", labels.SEVEN), write_data(tmp_path / "y.h5", SYNONYMS)
    done = emo("eval", model, "--data", good, "--data", bad)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.count(b"\n") == 1 and b"y.h5 has labels the model does not know" in done.stderr
    assert b"one of each" in emo("eval", model, "--data", good, "--data", good, "--plot", tmp_path / "p.png").stderr


def test_data_can_be_a_kept_dataset_by_its_name(model: Path, tmp_path: Path, store_of_the_tests: Path) -> None:
    (store_of_the_tests / "datasets").mkdir(exist_ok=True)
    kept = write_data(store_of_the_tests / "datasets/mine.h5", labels.SEVEN, kind="dataset")
    assert score(model, Path("mine"))["confusion"] == score(model, kept)["confusion"]
    kept.unlink()
    with pytest.raises(EmoError, match="neither a file nor a kept dataset"):
        score(model, Path("mine"))


def test_a_dataset_whose_part_is_scattered_is_read_row_by_row(model: Path, tmp_path: Path) -> None:
    data, features = (write_data(tmp_path / f"{k}.h5", labels.SEVEN, kind=k) for k in ("dataset", "features"))
    assert score(model, data)["confusion"] == score(model, features)["confusion"]


def test_few_photos_are_decoded_at_once_and_the_answers_are_the_same(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pipes.read(str(write_photos(tmp_path / "d.h5")), "dataset")
    run = onnxruntime.load(model), onnx_file.read_header(model), source, "test"
    tracemalloc.start()
    found = evaluation.answers(*run, hint="")
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()
    monkeypatch.setattr(pieces, "MOST", 1 << 40)
    assert np.array_equal(evaluation.answers(*run, hint="").logits, found.logits) and len(found.y) == 24


def test_samples_without_a_face_are_counted_aloud(tmp_path: Path) -> None:
    haar, data = write_model(tmp_path / "h.onnx", detector="haar"), tmp_path / "d.h5"
    with pytest.raises(EmoError, match=r"no sample of .* has a face"):
        score(haar, write_data(data, labels.SEVEN, kind="dataset"))


def test_samples_without_a_face_among_others_are_left_out_and_counted(tmp_path: Path) -> None:
    model = write_model(tmp_path / "h.onnx", detector="haar", varied=True)
    # drawn faces, of which Haar's cascade finds some
    x, y = np.stack([sample.x for sample in synthetic.read((), count=14, size=96).samples]), np.arange(14) % 7
    writer = Writer(tmp_path / "d.h5", count=14)
    writer.append(x)
    header = Header("dataset", labels.SEVEN, ({"command": "dataset", "name": "folder"},))
    writer.finish(header, y, "label", np.array(["test"] * 14))
    predict = predictor(model, detector="haar", note=print)
    said = [(predict(np.repeat(each[0, :, :, None], 3, 2)), label) for each, label in zip(x, y, strict=True)]
    right = [labels.SEVEN[label] == faces[0]["label"] for faces, label in said if faces]
    record = score(model, tmp_path / "d.h5")
    assert 0 < len(right) < 14 and record["not_found"] == 14 - len(right)
    assert (record["accuracy"]["n"], record["accuracy"]["value"]) == (len(right), pytest.approx(np.mean(right)))


def test_a_part_that_is_not_there_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"no train part .it has validation, test."):
        score(model, write_data(tmp_path / "x.h5", labels.SEVEN), split="train")


@pytest.mark.parametrize("people", [("ann",), ("ann", "bob", "eve")])
def test_people_whom_the_model_has_met_in_training_are_counted_aloud(
    people: tuple[str, ...], model: Path, tmp_path: Path
) -> None:
    parts = ["train", "validation", "test"] * (N // 3)
    groups = [people[row % len(people)] for row in range(N)]
    notes: list[str] = []
    record = score(model, write_data(tmp_path / "x.h5", labels.SEVEN, groups=groups, parts=parts), notes)
    if len(people) == 1:
        assert record["shared_groups"] == {"groups": 1, "rows": N // 3}
        assert "has learned from 1 of the 1 subjects or speakers in the test part of" in notes[0]
    else:
        assert "shared_groups" not in record and notes == []


def _of(model: Path, corpus: str, names: dict[str, list[str]]) -> Path:
    """Make the model one of a corpus, whose header says that it has learned from these people."""
    header, net = onnx_file.read_header(model), onnx_file.load(model)
    dataset, *others, train = header.steps
    steps = ({**dataset, "name": corpus, "input": f"sha256:{7:064}"}, *others, {**train, "people": names})
    onnx_file.write_header(net, replace(header, steps=steps))
    onnx_file.save(net, model)
    return model


@pytest.mark.parametrize("split", ["test", "all"])
def test_people_whom_the_header_names_are_known_in_another_copy_and_fold_of_their_corpus(
    split: str, tmp_path: Path
) -> None:
    model = _of(write_model(tmp_path / "m.onnx"), "ravdess", {"ravdess": ["01", "02"]})
    data = write_data(tmp_path / "x.h5", labels.SEVEN, groups=["01", "03", "04"] * (N // 3), corpus="ravdess")
    assert score(model, data, split=split).get("shared_groups") == (
        {"groups": 1, "rows": N // 3} if split == "all" else None
    )
    other = write_data(tmp_path / "o.h5", labels.SEVEN, groups=["05", "01", "02"] * (N // 3), corpus="ravdess")
    assert score(model, other, split=split)["shared_groups"] == {"groups": 2, "rows": 2 * N // 3}


def test_names_in_folders_of_ones_own_are_other_people_s(tmp_path: Path) -> None:
    model = _of(write_model(tmp_path / "m.onnx"), "audio-folder", {f"audio-folder sha256:{7:064}": ["01"]})
    data = write_data(tmp_path / "x.h5", labels.SEVEN, groups=["01"] * N, corpus="audio-folder")
    assert "shared_groups" not in score(model, data)


def test_people_of_the_same_name_in_another_corpus_are_other_people(model: Path, tmp_path: Path) -> None:
    parts = ["train", "validation", "test"] * (N // 3)
    data = write_data(tmp_path / "x.h5", labels.SEVEN, groups=["01"] * N, parts=parts, corpus="another")
    assert "shared_groups" not in score(model, data)


def test_what_an_earlier_part_has_too_is_left_out_and_counted(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    who = ["anna" if row < 3 else str(row) for row in range(N)]
    data = write_data(tmp_path / "x.h5", labels.SEVEN, groups=who)
    record = score(model, data, notes, drop_leaks=True)
    logits, rows = said(model)
    unknown = rows > 2
    assert record["leaks_left_out"] == 2 and record["accuracy"]["n"] == 58
    assert record["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == rows % 7)[unknown].mean())
    assert any("leaves 2 rows of" in note for note in notes)
    assert "leaks_left_out" not in score(model, data)


def test_data_are_searched_for_leaks_once_however_many_models_are_scored(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    data = write_data(tmp_path / "x.h5", labels.SEVEN, groups=["anna" if row < 3 else str(row) for row in range(N)])
    models = [pipes.read(str(each), "model") for each in (model, write_model(tmp_path / "other.onnx"))]
    options = Options(samples=5, drop_leaks=True)
    records = list(
        scoring.records(pairing.pairs(models, [str(data)], options), "onnxruntime", 1, options, notes.append)
    )
    assert [record["leaks_left_out"] for record in records] == [2, 2]
    assert sum("leaves 2 rows of" in note for note in notes) == 1


def test_leaks_are_left_out_of_features_and_of_a_later_part_only(model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "x.h5", labels.SEVEN)
    for part in ("train", "all"):
        with pytest.raises(EmoError, match=f"{part} has none before it"):
            score(model, data, drop_leaks=True, split=part)
    with pytest.raises(EmoError, match="--drop-leaks compares features"):
        score(model, write_data(tmp_path / "d.h5", labels.SEVEN, kind="dataset"), drop_leaks=True)


def test_flip_averages_the_logits_of_a_face_and_its_mirror_image(model: Path, tmp_path: Path) -> None:
    record = score(model, write_data(tmp_path / "x.h5", labels.SEVEN), views=Views(flip=True))
    rows = np.array([row for row in range(N) if row % 3])
    x = stripes()[rows]
    engine = onnxruntime.load(model)
    logits = engine.run(x)["logits"] + engine.run(np.ascontiguousarray(x[..., ::-1]))["logits"]
    assert record["flip"] is True
    assert record["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == rows % 7).mean())
    assert record["confusion"] != score(model, tmp_path / "x.h5")["confusion"]


def test_a_temperature_is_fitted_on_the_views_that_are_scored(tmp_path: Path) -> None:
    model, data = write_model(tmp_path / "m.onnx", varied=True, seed=3), write_data(tmp_path / "x.h5", labels.SEVEN)
    rows, engine = np.arange(0, N, 3), onnxruntime.load(model)
    x = stripes()[rows]
    logits = engine.run(x)["logits"] + engine.run(np.ascontiguousarray(x[..., ::-1]))["logits"]
    record = score(model, data, views=Views(flip=True), temperature="fit")
    assert record["temperature"]["value"] == pytest.approx(calibration.fit_temperature(logits / 2, rows % 7), rel=1e-3)


def test_a_prediction_in_all_views_is_the_same_for_a_picture_and_its_mirror_image(model: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (48, 48, 3), np.uint8)
    predict = predictor(model, detector="none", seen=Views(7, flip=True), note=print)
    (face,), (mirrored,) = predict(pixels), predict(np.ascontiguousarray(pixels[:, ::-1]))
    assert face["probabilities"] == pytest.approx(mirrored["probabilities"], abs=1e-4)
    (plain,) = predictor(model, detector="none", note=print)(pixels)
    assert plain["probabilities"] != face["probabilities"]


def test_everything_at_once_is_one_json_object(model: Path, tmp_path: Path, emo: Run) -> None:
    names = [f"s{row // 30}" for row in range(N)]
    data = write_data(tmp_path / "x.h5", (*SYNONYMS[:6], "contempt"), groups=names)
    maps = ["anger=angry", "happiness=happy", "sadness=sad", "fearful=fear", "surprised=surprise", "contempt="]
    flags = [word for entry in maps for word in ("--map", entry)]
    more = ("--restrict", "--temperature", "fit", "--abstain", "--by-group", "--flip", "--views", 2, "--samples", 20)
    done = emo("eval", "--data", data, *flags, *more, stdin=model.read_bytes())
    record = json.loads(done.stdout)
    assert {"labels", "left_out", "temperature", "abstention", "groups", "flip", "views"} <= set(record)
    assert record["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise"]
    assert onnx_file.read_header(model).labels == labels.SEVEN
    table = emo("eval", model, "--data", data, *flags, *more, "--table")
    assert table.returncode == 0 and b"temperature.ece_before" in table.stdout


def test_a_plot_in_place_of_an_artifact_is_refused_before_anything_is_scored(
    tmp_path: Path, model: Path, emo: Run
) -> None:
    data = write_data(tmp_path / "x.h5", labels.SEVEN)
    before = data.read_bytes()
    done = emo("eval", model, "--data", data, "--plot", data, "--force")
    assert done.returncode == 1 and b"is HDF5, which the output is not" in done.stderr
    assert not done.stdout and data.read_bytes() == before


def test_a_plot_that_is_there_is_kept_and_refused_before_anything_is_scored(
    model: Path, tmp_path: Path, emo: Run
) -> None:
    data, old = write_data(tmp_path / "x.h5", labels.SEVEN), tmp_path / "old.png"
    old.write_bytes(b"mine")
    done = emo("eval", model, "--data", data, "--plot", tmp_path / "new.png", "--plot-abstain", old)
    assert done.returncode == 1
    assert b"replace it with --force" in done.stderr
    assert old.read_bytes() == b"mine"
    assert not (tmp_path / "new.png").exists()


def test_no_draws_make_no_interval_which_is_said_before_anything_runs(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="--samples 0 draws nothing"):
        score(model, write_data(tmp_path / "x.h5", labels.SEVEN), samples=0)
