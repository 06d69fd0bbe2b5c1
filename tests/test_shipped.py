"""The models that ship: found by name wherever a model is taken, listed from their figures, described by their card."""

import json
import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shipped_copy
import sound_made
import speech_clips
from shipped_copy import CARD, ROOT

from emocli import artifact, onnx_file, shipped, store
from emocli.errors import EmoError

FACE = ROOT / "examples" / "face.png"
LARGEST = 8_000_000
"""Bytes of all that ships, together."""

Emo = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package whose weights are a small `ferplus` and its INT8 form; beside it `made`, where they were made."""
    folder = tmp_path_factory.mktemp("package")
    shipped_copy.copy_package(folder)
    (folder / "made").mkdir()
    shipped_copy.make_weights(folder, folder / "made", "ferplus")
    return folder


@pytest.fixture
def emo(made: Path, tmp_path: Path) -> Emo:
    """Run a bash line, in a folder of its own, with the `emo` that has weights."""
    return lambda line: shipped_copy.run(made, line, tmp_path)


@pytest.fixture(scope="module")
def heard(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that ships a model of speech too, and a sound, hum.wav."""
    folder = tmp_path_factory.mktemp("heard")
    shutil.copytree(made / "emocli", folder / "emocli")
    clips = [sound_made.tone(0.5, hz=hz) for hz in (200, 230, 2000, 2300)]
    for number, clip in enumerate(clips * 5):
        sound_made.write(folder / "clips" / ("low" if number % 4 < 2 else "high") / f"{number}.wav", clip)
    sound_made.write(folder / "hum.wav", sound_made.tone(1.0, hz=210))
    line = """emo dataset audio-folder clips --split random --validation 0.2 --test 0 |
      emo features -x utterance | emo train --arch logistic -p c=1 --threads 1 -o emocli/weights/ravdess-int8.onnx"""
    done = shipped_copy.run(folder, line, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package without weights."""
    folder = tmp_path_factory.mktemp("bare")
    shipped_copy.copy_package(folder)
    return folder


def _rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_weights_are_listed_with_what_they_can_do(emo: Emo, made: Path) -> None:
    fp32, int8 = _rows(emo("emo list weights"))
    assert [fp32["name"], int8["name"]] == ["ferplus", "ferplus-int8"]
    assert (fp32["precision"], int8["precision"]) == ("fp32", "int8")
    assert (fp32["default"], int8["default"]) == (False, True)
    for row in (fp32, int8):
        assert row["bytes"] == (made / "emocli" / "weights" / f"{row['name']}.onnx").stat().st_size
        assert 0 <= row["accuracy"]["low"] <= row["accuracy"]["value"] <= row["accuracy"]["high"] <= 1
        assert row["accuracy"]["n"] == 70 and row["license"] == "none" and len(row["labels"]) == 7
    assert fp32["parameters"] == onnx_file.describe(made / "made" / "ferplus.onnx")["parameters"]


def test_the_list_of_everything_has_the_weights_too(emo: Emo) -> None:
    rows = [row for row in _rows(emo("emo list")) if row["folder"] == "weights"]
    assert [row["name"] for row in rows] == ["ferplus", "ferplus-int8"] and "7 emotions" in rows[0]["summary"]


def test_one_name_shows_the_card(emo: Emo, made: Path) -> None:
    (record,) = _rows(emo("emo list weights ferplus-int8"))
    assert record["text"] == (made / "emocli" / "weights" / "ferplus.md").read_text()
    assert record["precision"] == "int8" and record["minutes"] == 1.5
    assert "Recall by class" in emo("emo list weights ferplus --table").stdout


def test_a_name_that_is_not_there_is_answered_with_the_nearest(emo: Emo) -> None:
    done = emo("emo list weights ferplis")
    assert done.returncode == 1 and "did you mean ferplus?" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "emo info {}",
        "emo replay {}",
        "emo eval {} --data {data} --split validation",
        "emo bench {} --data {data} --seconds 0.1",
        f"emo predict {FACE} --model {{}} --detector none",
        f"emo live --source {FACE} --model {{}} --detector none",
    ],
)
def test_a_name_works_where_a_model_is_taken(emo: Emo, made: Path, line: str) -> None:
    named, file = (
        emo(line.format(model, data=made / "made" / "features.h5"))
        for model in ("ferplus", made / "emocli" / "weights" / "ferplus.onnx")
    )
    assert named.returncode == 0, named.stderr
    if " bench " not in line:  # which measures time
        assert named.stdout == file.stdout


def test_a_name_is_quantized_and_teaches(emo: Emo, made: Path) -> None:
    data = f"--data {made}/made/features.h5"
    assert "int8" in emo(f"emo quantize ferplus {data} --max-drop 100 --min-speedup 0 | emo info").stdout
    student = "--arch emotion-cnn -p width=8 --epochs 1 --threads 1"
    (record,) = _rows(emo(f"emo distill --teacher ferplus {data} {student} | emo info"))
    assert record["steps"][-1]["input"] == store.file_digest(made / "made" / "ferplus.onnx")


def test_a_file_of_that_name_comes_first_and_a_folder_does_not(emo: Emo, made: Path) -> None:
    (record,) = _rows(emo(f"cp {made}/made/ferplus-int8.onnx ferplus; emo info ferplus"))
    assert record["precision"] == "int8"
    (record,) = _rows(emo("rm ferplus; mkdir ferplus; emo info ferplus"))
    assert record["precision"] == "fp32"


def test_a_name_of_weights_is_no_name_of_data(emo: Emo) -> None:
    done = emo("emo eval ferplus --data ferplus-int8")
    assert done.returncode == 1 and "ferplus-int8 is neither a file nor a kept dataset" in done.stderr


def test_pictures_are_predicted_without_naming_a_model_and_it_is_said_which_is_used(emo: Emo) -> None:
    silent = emo(f"emo predict {FACE} --detector none")
    named = emo(f"emo predict {FACE} --detector none --model ferplus-int8")
    assert silent.stdout == named.stdout and len(_rows(silent)[0]["faces"]) == 1
    assert silent.stderr.count("\n") == 1 and "ferplus-int8" in silent.stderr
    assert named.stderr == ""


def test_pictures_and_sounds_go_to_the_model_of_their_kind_in_order(heard: Path, tmp_path: Path) -> None:
    line = f"emo predict {heard}/hum.wav {FACE} {heard}/hum.wav --threads 1"
    first, face, last = _rows(done := shipped_copy.run(heard, line, tmp_path))
    assert first["label"] == last["label"] and first["seconds"] == 1.0 and "faces" in face
    assert done.stderr.count("ravdess-int8, which ships") == done.stderr.count("ferplus-int8, which ships") == 1


def test_sounds_in_a_folder_are_heard_where_a_model_of_speech_ships(heard: Path, made: Path, tmp_path: Path) -> None:
    sound_made.write(tmp_path / "both" / "a.wav")
    shutil.copy(FACE, tmp_path / "both" / "b.png")
    rows = {
        folder: [Path(row["path"]).name for row in _rows(shipped_copy.run(folder, "emo predict both", tmp_path))]
        for folder in (heard, made)
    }
    assert rows == {heard: ["a.wav", "b.png"], made: ["b.png"]}
    done = shipped_copy.run(made, "emo predict both/a.wav", tmp_path)
    assert done.returncode == 1 and "none of speech ships" in done.stderr and done.stderr.count("\n") == 1


def test_live_needs_no_model_either(emo: Emo) -> None:
    done = emo(f"emo live --source {FACE} --detector none")
    assert len(_rows(done)[0]["faces"]) == 1 and "ferplus-int8" in done.stderr


def test_live_hears_a_sound_without_naming_a_model(heard: Path, tmp_path: Path) -> None:
    live, whole = (
        shipped_copy.run(heard, f"emo {line} {heard}/hum.wav", tmp_path)
        for line in ("live --detector none --source", "predict")
    )
    assert _rows(live)[-1]["label"] == _rows(whole)[0]["label"] and "ravdess-int8, which ships" in live.stderr


def test_bench_finds_the_fp32_form_that_ships_in_a_new_store(emo: Emo, tmp_path: Path) -> None:
    rows = _rows(emo(f"EMO_HOME={tmp_path}/new emo bench ferplus-int8 --seconds 0.1"))
    assert [row["precision"] for row in rows] == ["fp32", "int8"]


@pytest.mark.parametrize("line", [f"emo predict {FACE}", "emo live"])
def test_without_weights_the_user_is_asked_for_a_model(bare: Path, tmp_path: Path, line: str) -> None:
    done = shipped_copy.run(bare, line, tmp_path)
    assert done.returncode == 1 and "--model FILE" in done.stderr and done.stderr.count("\n") == 1


def test_without_weights_the_list_is_empty_and_says_why(bare: Path, tmp_path: Path) -> None:
    done = shipped_copy.run(bare, "emo list weights", tmp_path)
    assert (done.returncode, done.stdout) == (0, "") and "make weights" in done.stderr


def test_the_card_tells_what_the_artifacts_and_the_runs_say(made: Path) -> None:
    card = json.loads((made / "emocli" / "weights" / "ferplus.json").read_text())
    text = (made / "emocli" / "weights" / "ferplus.md").read_text()
    for name, model in card["models"].items():
        score = json.loads((made / "made" / f"{name}.json").read_text())
        assert {key: model[key] for key in ("accuracy", "uar", "per_class")} == {
            key: score[key] for key in ("accuracy", "uar", "per_class")
        }
        assert f"{model['bytes']:,}" in text and f"{100 * model['ece']['value']:.1f} %" in text
    assert "emo features --extractor pixels" in text and "emo quantize" in text
    weakest = min(score["per_class"], key=lambda label: float(score["per_class"][label]["recall"]["value"]))
    assert weakest in text.split("Weakest of `ferplus-int8`: ")[1]


def test_a_card_of_another_models_figures_is_refused(emo: Emo, made: Path) -> None:
    work = made / "made"
    done = emo(
        f"""python {CARD} x --fp32 {work}/ferplus.onnx --int8 {work}/ferplus-int8.onnx \\
        --scores {work}/ferplus-int8.json {work}/ferplus.json --bench {work}/bench.jsonl \\
        --seconds {work}/ferplus.seconds --folder ."""
    )
    assert done.returncode == 1 and "is not the model that was scored" in done.stderr


def test_a_card_knows_the_corpora_behind_a_model_that_ships_without_those_it_was_made_from() -> None:
    corpora = runpy.run_path(str(CARD))["_corpora"]
    teacher, begun = (store.file_digest(shipped.FOLDER / f"{name}.onnx") for name in ("fer2013-int8", "ravdess"))
    older = {"command": "train", "name": "student", "options": {"init": f"sha256:{0:064}"}}
    taught = {"command": "distill", "name": "student", "options": {"init": begun, "teacher": []}, "input": teacher}
    assert corpora(artifact.Header("model", ("a",), (older, taught))) == {"fer2013", "ferplus", "ravdess"}
    with pytest.raises(EmoError, match="no file with sha256:0000"):
        corpora(artifact.Header("model", ("a",), (older,)))


def test_what_ships_is_small() -> None:
    assert sum(file.stat().st_size for file in shipped.FOLDER.glob("*")) <= LARGEST


@pytest.mark.parametrize("name", sorted(file.stem for file in shipped.FOLDER.glob("*.json")))
def test_a_shipped_card_is_that_of_the_files_beside_it(name: str) -> None:
    card = json.loads((shipped.FOLDER / f"{name}.json").read_text())
    assert (shipped.FOLDER / f"{name}.md").read_text() == runpy.run_path(str(CARD))["text"](card)
    assert set(card["models"]) == {name, f"{name}-int8"}
    for model, facts in card["models"].items():
        file = shipped.FOLDER / f"{model}.onnx"
        header = artifact.expect(onnx_file.read_header(file), ("model",), model)
        assert (facts["sha256"], facts["bytes"]) == (store.file_digest(file), file.stat().st_size)
        assert (list(header.labels), header.precision) == (card["labels"], facts["precision"])
        assert header.license == card["license"]


@pytest.mark.parametrize("name", [name for name, card in shipped.figures().items() if card.get("modality") == "speech"])
def test_a_shipped_model_of_speech_hears_the_same_at_another_recording_level(name: str, tmp_path: Path) -> None:
    clips = speech_clips.acted()
    answers = []
    for level, gain in (("quiet", 1.0), ("loud", 8.0)):
        for number, clip in enumerate(clips):
            sound_made.write(tmp_path / level / f"{number:02d}.wav", np.clip(gain * clip, -1, 1))
        done = shipped_copy.run(ROOT, f"emo predict {level} --model {name}", tmp_path)
        answers.append([row["label"] for row in _rows(done)])
    same = np.mean([quiet == loud for quiet, loud in zip(*answers, strict=True)])
    assert same > 0.8, f"18 dB louder, only {same:.0%} of {len(clips)} answers are the same"


def test_every_shipped_model_has_figures() -> None:
    assert shipped.names() == sorted(shipped.figures())


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="not a checkout")
def test_git_keeps_the_weights_and_no_other_models() -> None:
    ignored = [
        subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0
        for path in ("emocli/weights/x.onnx", "x.onnx", "out/x.onnx")
    ]
    assert ignored == [False, True, True]
