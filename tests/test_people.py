"""Whom a model has learned from: of both parts, of its teachers and its beginning, by corpus."""

import json
from pathlib import Path

from conftest import Run
from scored import N, write_data

from emocli import labels, onnx_file
from emocli.artifact import Header
from emocli.compress.gate import Verdict
from emocli.data import hdf5, people
from emocli.scores import acquaintance

PARTS = ["train", "validation", "test"] * (N // 3)


def _taught(corpus: str, names: list[str]) -> Header:
    return Header("model", ("happy",), ({"command": "train", "name": "mlp", "people": {corpus: names}},))


def test_who_is_validated_with_counts_and_who_is_tested_does_not(tmp_path: Path) -> None:
    file = write_data(tmp_path / "x.h5", labels.SEVEN, groups=["a", "b", "c"] * (N // 3), parts=PARTS, corpus="savee")
    with hdf5.open_data(file) as data:
        assert people.learned(data, []) == {"savee": ["a", "b"]}


def test_whose_rows_were_left_out_was_not_learned_from(tmp_path: Path) -> None:
    file = write_data(tmp_path / "x.h5", labels.SEVEN, groups=["a", "b", "c"] * (N // 3), parts=PARTS, corpus="savee")
    with hdf5.open_data(file) as data:
        assert people.learned(data, [], data.rows("train")) == {"savee": ["b"]}
        assert people.learned(data, [], data.rows("train")[1:]) == {"savee": ["a", "b"]}


def test_whom_teachers_and_the_beginning_know_is_known(tmp_path: Path) -> None:
    file = write_data(tmp_path / "x.h5", labels.SEVEN, groups=["a", "b", "c"] * (N // 3), parts=PARTS, corpus="savee")
    others = [_taught("savee", ["c"]), _taught("tess", ["old", "young"])]
    with hdf5.open_data(file) as data:
        assert people.learned(data, others) == {"savee": ["a", "b", "c"], "tess": ["old", "young"]}


def test_of_its_own_data_a_model_has_heard_whom_both_parts_have_unless_they_were_dropped(tmp_path: Path) -> None:
    groups, parts = ["a", "a", "b"] * (N // 3), ["train", "validation", "validation"] * (N // 3)
    file = write_data(tmp_path / "x.h5", labels.SEVEN, groups=groups, parts=parts, corpus="savee")
    with hdf5.open_data(file) as data:
        step = {"command": "train", "name": "mlp", "data": data.digest, "people": people.learned(data, [])}
        assert people.heard(Header("model", labels.SEVEN, (*data.header.steps, step)), data) == 1
        step["options"] = {"drop_leaks": True}
        assert people.heard(Header("model", labels.SEVEN, (*data.header.steps, step)), data) == 0
        assert people.heard(_taught("savee", ["a", "b"]), data) == 2
        assert acquaintance.of_validation(_taught("savee", ["a", "b"]), data) == "2 of their people"
        assert acquaintance.of_validation(_taught("savee", ["c"]), data) == ""
    assert "(n = 9; the model has learned from them)" in str(Verdict(0.5, 0.5, 9, 2.0, met="them"))


def test_a_corpus_that_names_nobody_leaves_the_header_as_it_is(tmp_path: Path) -> None:
    with hdf5.open_data(write_data(tmp_path / "x.h5", labels.SEVEN, parts=PARTS)) as data:
        assert (
            people.learned(data, []) == {}
            and people.met(_taught("folder", ["a"]), data, "test", data.group) == frozenset()
        )


def test_training_writes_it_down_and_a_student_has_its_teachers(tmp_path: Path, shell: Run) -> None:
    groups = [f"{row % 9}" for row in range(N)]
    parts = [PARTS[int(group)] for group in groups]
    for name, there in (("t", groups), ("s", [f"s{group}" for group in groups])):
        write_data(tmp_path / f"{name}.h5", labels.SEVEN, groups=there, parts=parts, corpus="jaffe")
    small = "-p width=8 --epochs 1 --threads 1"
    done = shell(
        f"""cd {tmp_path}; emo train t.h5 --arch emotion-cnn {small} -o t.onnx
        emo distill t.onnx --data s.h5 --arch emotion-cnn {small} -o s.onnx
        emo calibrate s.onnx --temperature 1.5 -o own.onnx 2> own
        emo calibrate s.onnx --temperature 1.5 -o other.onnx --data t.h5 2> other
        emo quantize s.onnx --max-drop 100 --min-speedup 0 -o int8.onnx --data t.h5 2> quantized"""
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "learned from" not in (tmp_path / "own").read_text()
    assert all("has learned from 3 of their people" in (tmp_path / each).read_text() for each in ("other", "quantized"))
    teacher, student = (people.of(onnx_file.read_header(tmp_path / f"{name}.onnx")) for name in "ts")
    assert teacher == {"jaffe": {"0", "1", "3", "4", "6", "7"}}
    assert student == {"jaffe": teacher["jaffe"] | {f"s{name}" for name in teacher["jaffe"]}}


def test_drawn_people_are_others_with_every_seed_and_ones_own_with_every_folder() -> None:
    def corpus(name: str, seed: int, content: str) -> str:
        step = {"command": "dataset", "name": name, "params": {"seed": seed, "count": 60}, "input": content}
        return people._corpus(Header("dataset", ("happy",), (step,)))

    assert corpus("synthetic", 1, "a") == corpus("synthetic", 1, "a") != corpus("synthetic", 2, "a")
    assert corpus("folder", 1, "a") == corpus("folder", 2, "a") != corpus("folder", 1, "b")
    assert corpus("savee", 1, "a") == corpus("savee", 1, "b")


def test_every_score_of_validation_tells_whom_of_it_the_model_was_trained_on(tmp_path: Path, shell: Run) -> None:
    groups = [f"{row % 4}" if row % 4 else PARTS[row] for row in range(N)]
    write_data(tmp_path / "x.h5", labels.SEVEN, groups=groups, parts=PARTS, corpus="jaffe")
    small = "x.h5 --arch emotion-cnn -p width=8 --epochs 1 --threads 1"
    done = shell(
        f"""emo train {small} --scores train.jsonl -o m.onnx
        emo tune {small} --trials 1 --search lr=0.001,0.002 --json > tune.jsonl
        emo bench m.onnx --seconds 0 --json > bench.jsonl
        emo train {small} --drop-leaks --scores apart.jsonl -o n.onnx"""
    )
    assert done.returncode == 0, done.stderr.decode()
    # the validation part is known, as it chose the epoch, and of the train part who is in no other
    known = {name: people.of(onnx_file.read_header(tmp_path / f"{name}.onnx"))["jaffe"] for name in "mn"}
    validation = {groups[row] for row in range(N) if PARTS[row] == "validation"}
    assert known == {"m": {*groups} - {"test"}, "n": validation | {"train"}}
    told = {
        name: json.loads((tmp_path / f"{name}.jsonl").read_text().splitlines()[0]).get("shared_groups")
        for name in ("train", "tune", "bench", "apart")
    }
    shared = {"groups": 3, "rows": sum(row % 4 > 0 for row in range(N) if PARTS[row] == "validation")}
    # what chose the epoch is known to the model that is timed
    met = {"groups": 4, "rows": N // 3}
    assert told == {"train": shared, "tune": shared, "bench": met, "apart": None}
