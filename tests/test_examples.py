"""Every script in examples/ runs as it stands, on drawn faces or on the real corpora where they are at hand."""

import ast
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import signals_made
from actors import CLIPS, write_actors
from conftest import Run

from emocli import download
from emocli.detectors import yunet

EXAMPLES = Path(__file__).parents[1] / "examples"


def _run(script: str, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(EXAMPLES / script), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, **env}, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folders of twenty pictures that differ in brightness."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for shade, label in ((30, "happy"), (120, "sad"), (200, "neutral")):
        (root / label).mkdir()
        for number in range(20):
            image = rng.integers(shade, shade + 40, (64, 64), dtype=np.uint8)
            cv2.imwrite(str(root / label / f"{number}.png"), image)
    return root


@pytest.fixture(scope="module")
def model(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What own_pictures.sh makes of them."""
    path = tmp_path_factory.mktemp("model") / "own.onnx"
    _run("own_pictures.sh", pictures, path, "--epochs", 1, DETECTOR="none")
    return path


def test_the_demo_goes_the_whole_way_and_shows_every_part_of_it() -> None:
    done = _run("demo.sh", EPOCHS="1", LIMIT="300")
    parts = ("teacher", "student", "how good", "how fast", "one picture")
    places = [done.stderr.index(f"== {part}") for part in parts]
    assert places == sorted(places) and "INT8 against FP32: validation accuracy" in done.stderr
    for shown in ("macro_f1", "p50_ms", "face.png"):
        assert shown in done.stdout


def test_own_pictures_become_a_model(model: Path) -> None:
    assert model.stat().st_size > 10_000


def test_own_texts_become_a_model(tmp_path: Path) -> None:
    rows = [
        f'"{word} {number}",{label}' for number in range(20) for word, label in (("lovely", "happy"), ("awful", "sad"))
    ]
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *rows, ""]))
    done = _run("own_texts.sh", tmp_path / "own.csv", tmp_path / "own.onnx", "--epochs", 1, "--threads", 1)
    assert json.loads(done.stdout)["split"] == "test" and (tmp_path / "own.onnx").stat().st_size > 100_000


def test_one_person_is_left_out_and_then_answered_window_by_window(tmp_path: Path) -> None:
    labels = ["Participant,HR,respr,Time(sec),Label"]
    for person in (2, 3, 4):
        signals_made.write(tmp_path / "Raw_data" / f"S{person:02d}", 400)
        labels += [f"{person},60,12,{signals_made.START + second},{int(second > 200)}" for second in range(401)]
    (tmp_path / "Processed_data").mkdir()
    (tmp_path / "Processed_data" / "Improved_All_Combined_hr_rsp_binary.csv").write_text("\n".join([*labels, ""]))
    done = _run("signals.sh", tmp_path, 3, QUIET="2")
    plain, enrolled, *rows = map(json.loads, done.stdout.splitlines())
    assert enrolled["enrolment"]["samples"] == {"no-stress": 2} and plain["accuracy"]["n"] > enrolled["accuracy"]["n"]
    assert [row["start"] for row in rows] == list(range(0, 341, 30)) and {"S03"} == {
        Path(row["path"]).name for row in rows
    }


def test_a_video_becomes_json_lines(model: Path, corpora: Path) -> None:
    done = _run("video.sh", model, corpora / "video" / "face_noface.mov", "--detector", "haar")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(row["faces"] for row in rows) and not all(row["faces"] for row in rows)


def test_pictures_are_sorted_by_label(model: Path, corpora: Path) -> None:
    done = _run("which_label.sh", model, corpora / "video" / "single_face.jpg")
    label, _, path = done.stdout.strip().partition("\t")
    assert label in ("happy", "sad", "neutral") and path.endswith("single_face.jpg")


def test_classical_features_are_joined_and_trained() -> None:
    assert "emo train --arch mlp" in _run("classical.sh", EPOCHS="1").stdout


def test_fer2013_goes_the_whole_way(corpora: Path, tmp_path: Path, shell: Run) -> None:
    csv = tmp_path / "fer2013" / "fer2013.csv"
    shell(f"python3 {corpora}/unpack.py {tmp_path} fer2013").check_returncode()
    lines = csv.read_text().splitlines(keepends=True)
    # a partial file is fine: 200 rows of each part
    csv.write_text("".join([*lines[:201], *lines[-200:]]))
    done = _run("fer2013.sh", csv, tmp_path / "int8.onnx", "--epochs", 1, EMO_HOME=str(tmp_path / "home"))
    assert {json.loads(line)["precision"] for line in done.stdout.splitlines()} >= {"fp32", "int8"}
    again = subprocess.run([EXAMPLES / "fer2013.sh", csv, tmp_path / "int8.onnx"], capture_output=True, text=True)
    assert again.returncode == 1 and "is there already; name another file" in again.stderr


def test_every_benchmark_finds_what_it_imports() -> None:
    for script in (EXAMPLES / "bench").glob("*.py"):
        tree = ast.parse(script.read_text())
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        for node in imports:
            if not (node.module or "").startswith("emocli"):
                continue
            module = importlib.import_module(str(node.module))
            for name in (alias.name for alias in node.names):
                assert hasattr(module, name) or importlib.util.find_spec(f"{node.module}.{name}"), f"{script}: {name}"


def test_the_bench_of_extractors_and_detectors_runs(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    place = download.place(yunet.SHA256)
    place.parent.mkdir(parents=True)
    shutil.copyfile(corpora / "models" / "face_detection_yunet_2023mar.onnx", place)
    script = EXAMPLES / "bench" / "features.py"
    code = f"import runpy; m = runpy.run_path({str(script)!r}); m['main'].__globals__.update(FACES=2, FEW=1, ROUNDS=1)"
    code += f"; m['main']([{str(corpora / 'video' / 'single_face.jpg')!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {json.loads(line)["what"].split()[0] for line in done.stdout.splitlines()} >= {"pixels", "lbp", "yunet"}


def test_folds_of_actors_are_scored_one_by_one_and_together(tmp_path: Path) -> None:
    small = ("--epochs", 1, "-p", "width=8", "-p", "stages=2")
    done = _run("speech.sh", write_actors(tmp_path / "r"), *small, FOLDS="1 2", EMO_HOME=str(tmp_path / "home"))
    first, second, whole, *_ = map(json.loads, done.stdout.splitlines())
    assert (first["accuracy"]["n"], second["accuracy"]["n"], whole["accuracy"]["n"]) == (CLIPS, CLIPS, 2 * CLIPS)
    assert whole["folds"] == 2 and whole["mean"]["uar"]["values"] == [first["uar"]["value"], second["uar"]["value"]]


def test_every_script_is_tested_and_can_be_run() -> None:
    here = Path(__file__).read_text()
    for script in EXAMPLES.glob("*.sh"):
        assert os.access(script, os.X_OK)
        assert script.name in here or script.name == "demo.sh", f"{script.name} has no test"
