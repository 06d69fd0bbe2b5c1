"""The whole way through real bash pipes: lineage finds the data, gates hold, the same command gives the same bytes."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import Run

from emocli import store

TRAIN = "emo train --arch emotion-cnn --epochs 2 -p width=16 --threads 1"


def _rows(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces, their features, a model of them and its INT8 form, each from one command."""
    path = tmp_path_factory.mktemp("made")
    lines = f"""
        emo dataset synthetic -p count=700 -o faces.h5
        emo features faces.h5 -o features.h5
        {TRAIN} features.h5 -o model.onnx
        emo quantize model.onnx --max-drop 20 -o int8.onnx
    """
    subprocess.run(["bash", "-euc", lines], cwd=path, check=True, stdin=subprocess.DEVNULL, timeout=900)
    return path


def test_five_commands_in_one_line_need_no_file_name(shell: Run) -> None:
    line = f"""emo dataset synthetic -p count=350 | emo features | {TRAIN} |
        emo distill --arch emotion-cnn -p width=16 --epochs 1 --threads 1 |
        emo quantize --max-drop 100 | emo bench --seconds 0.2 --device host"""
    assert {row["precision"] for row in _rows(shell(line))} == {"fp32", "int8"}


def test_fer2013_goes_through_all_commands_and_learns_something(shell: Run, corpora: Path, tmp_path: Path) -> None:
    shell(f"python3 {corpora}/unpack.py . fer2013").check_returncode()
    lines = (tmp_path / "fer2013" / "fer2013.csv").read_text().splitlines(keepends=True)
    (tmp_path / "small.csv").write_text("".join([lines[0], *lines[1:1601], *lines[-400:]]))
    done = shell(
        """emo dataset fer2013 small.csv --as small | cat; emo features small |
        emo train --arch se-resnet -p width=16 --epochs 3 --batch 32 --augment light --threads 1 -o teacher.onnx
        emo distill teacher.onnx --arch emotion-cnn -p width=16 --epochs 1 --threads 1 -o student.onnx
        emo quantize student.onnx --max-drop 5 -o int8.onnx
        emo eval teacher.onnx --split validation; emo eval int8.onnx --split validation
        emo bench int8.onnx --seconds 0.2 --device host"""
    )
    teacher, int8, *bench = _rows(done)
    # seven classes by chance give 14 %, always "happy" gives 25 %
    assert teacher["accuracy"]["value"] > 0.25  # type: ignore[index]
    assert teacher["accuracy"]["n"] == 400  # type: ignore[index]
    assert 0 <= int8["ece"]["low"] <= int8["ece"]["high"] <= 1  # type: ignore[index]
    assert len(bench) == 2


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("emo dataset synthetic -p count=700 -o again.h5", "faces.h5"),
        ("emo features faces.h5 -o again.h5", "features.h5"),
        (f"{TRAIN} features.h5 -o again.h5", "model.onnx"),
        ("emo quantize model.onnx --max-drop 20 -o again.h5", "int8.onnx"),
    ],
)
def test_the_same_command_gives_the_same_bytes(folder: Path, line: str, name: str) -> None:
    (folder / "again.h5").unlink(missing_ok=True)
    env = {**os.environ, "EMO_COLD": "1"}  # a process of its own has other hashes than the one that it is compared with
    subprocess.run(["bash", "-euc", line], cwd=folder, check=True, stdin=subprocess.DEVNULL, timeout=900, env=env)
    assert (folder / "again.h5").read_bytes() == (folder / name).read_bytes()


def test_replay_prints_lines_that_make_the_same_artifact(folder: Path, shell: Run) -> None:
    lines = shell(f"emo replay {folder}/int8.onnx").stdout.decode()
    shell(f"{lines.strip()} > again.onnx").check_returncode()
    assert shell(f"cmp again.onnx {folder}/int8.onnx").returncode == 0


def test_headers_hold_no_path_time_or_host(folder: Path) -> None:
    for name in ("faces.h5", "features.h5", "model.onnx", "int8.onnx"):
        content = (folder / name).read_bytes()
        for secret in (str(folder).encode(), str(Path(__file__).parents[1]).encode(), store.home().name.encode()):
            assert secret not in content, (name, secret)


def test_an_accuracy_gate_that_fails_is_exit_3_and_leaves_no_file(folder: Path, shell: Run, tmp_path: Path) -> None:
    done = shell(f"emo quantize {folder}/model.onnx --max-drop -100 -o int8.onnx")
    assert done.returncode == 3
    assert b"--max-drop" in done.stderr
    assert not (tmp_path / "int8.onnx").exists()


def test_a_frame_rate_that_is_missed_is_exit_3(folder: Path, shell: Run) -> None:
    done = shell(f"emo bench {folder}/int8.onnx --seconds 0.2 --device host -p fps=1000000")
    assert done.returncode == 3 and b" images/s at p95 (" in done.stderr
    assert done.stdout.count(b"\n") == 2


def test_drawn_faces_are_the_same_by_name_and_imported(shell: Run) -> None:
    done = shell("cmp <(emo features synthetic --limit 300) <(emo dataset synthetic | emo features --limit 300)")
    assert done.returncode == 0, done.stderr.decode()


def test_off_the_device_a_bench_is_called_an_estimate(folder: Path, shell: Run) -> None:
    rows = _rows(shell(f"emo bench {folder}/int8.onnx --seconds 0.2 --device pi -p fps=1"))
    assert {row["status"] for row in rows} == {"estimated"}
    here = _rows(shell(f"emo bench {folder}/int8.onnx --seconds 0.2 --device host -p fps=1"))
    assert {row["status"] for row in here} == {"measured"}


def test_a_dataset_goes_through_the_models_own_extractor(folder: Path, shell: Run) -> None:
    (direct,) = _rows(shell(f"emo eval {folder}/model.onnx --split test"))
    (through,) = _rows(shell(f"emo eval {folder}/model.onnx --split test --data {folder}/faces.h5"))
    assert direct["confusion"] == through["confusion"]


def test_the_confusion_matrix_becomes_a_picture(folder: Path, shell: Run, tmp_path: Path) -> None:
    shell(f"emo eval {folder}/model.onnx --split test --plot cm.png").check_returncode()
    assert (tmp_path / "cm.png").read_bytes().startswith(b"\x89PNG")


def test_a_part_that_is_not_there_is_named_with_those_that_are(shell: Run, folder: Path, tmp_path: Path) -> None:
    shell(f"emo features {folder}/faces.h5 --limit 20 -o f.h5").check_returncode()
    done = shell(f"emo eval {folder}/model.onnx --data f.h5 --split exam")
    assert done.returncode == 1 and b"train, validation, test or all" in done.stderr


def test_second_inputs_come_from_process_substitution(folder: Path, shell: Run) -> None:
    done = shell(f"emo eval {folder}/model.onnx --split test --data <(cat {folder}/features.h5)")
    assert _rows(done)[0]["split"] == "test"


def test_a_teacher_can_be_a_second_input(folder: Path, shell: Run) -> None:
    done = shell(
        f"""cat {folder}/features.h5 |
        emo distill --teacher {folder}/model.onnx --arch emotion-cnn -p width=16 --epochs 1 --threads 1 | emo info"""
    )
    assert [step["command"] for step in _rows(done)[0]["steps"]][-1] == "distill"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("emo train {}/model.onnx", "holds a model, expected features"),
        ("emo quantize {}/features.h5", "holds a features, expected model"),
        ("emo features {}/model.onnx", "holds a model, expected dataset"),
        ("emo quantize {}/int8.onnx", "is INT8 already"),
        ("emo train {}/features.h5 --device cuda", "no GPU that torch can use"),
    ],
)
def test_the_wrong_kind_is_one_line_and_no_output(
    folder: Path, shell: Run, tmp_path: Path, line: str, says: str
) -> None:
    done = shell(f"{line.format(folder)} -o out.h5")
    assert done.returncode == 1
    assert says in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    assert not (tmp_path / "out.h5").exists()


def test_a_killed_run_resumes_to_the_same_bytes(folder: Path, shell: Run, tmp_path: Path) -> None:
    line = f"emo train {folder}/features.h5 --arch emotion-cnn -p width=16 --epochs 3 --threads 1"
    shell(f"{line} -o whole.onnx").check_returncode()
    runs = store.folder("runs")
    with subprocess.Popen([*line.split(), "-o", "killed.onnx"], cwd=tmp_path, stderr=subprocess.DEVNULL) as killed:
        while not list(runs.glob("*.h5")):
            assert killed.poll() is None
        killed.kill()
    assert not (tmp_path / "killed.onnx").exists()
    done = shell(f"{line} --resume -o resumed.onnx; cmp whole.onnx resumed.onnx")
    assert done.returncode == 0 and b"continues after epoch" in done.stderr
    assert not list(runs.glob("*.h5"))


def test_a_finished_run_whose_reader_is_gone_is_delivered_by_resume(folder: Path, shell: Run, tmp_path: Path) -> None:
    line = f"emo train {folder}/features.h5 --arch mlp --epochs 1 --threads 1"
    assert shell(f"{line} | false").returncode
    done = shell(f"{line} --resume -o late.onnx")
    assert done.returncode == 0 and b"continues after epoch 1 of 1" in done.stderr
    assert (tmp_path / "late.onnx").exists() and not list(store.folder("runs").glob("*.h5"))


def test_a_nan_loss_stops_says_so_and_writes_nothing_without_a_good_epoch(
    folder: Path, shell: Run, tmp_path: Path
) -> None:
    done = shell(f"{TRAIN} {folder}/features.h5 --lr 1e30 --warmup 0 -o model.onnx")
    assert done.returncode == 1
    assert b"no finite number" in done.stderr
    assert not (tmp_path / "model.onnx").exists()


def test_pictures_are_predicted_and_unreadable_ones_are_reported(folder: Path, shell: Run, tmp_path: Path) -> None:
    (tmp_path / "junk.png").write_bytes(b"not a picture")
    face = Path(__file__).parents[1] / "examples" / "face.png"
    line = f"printf '%s\\n' {face} junk.png {face} | emo predict - --model {folder}/int8.onnx --detector none"
    assert shell(line).returncode == 1
    done = shell(f"{line} || true")
    good, bad, after = _rows(done)
    assert after == good
    assert len(good["faces"]) == 1 and "error" in bad  # type: ignore[arg-type]
    assert b"1 of the files could not be read" in done.stderr
    assert shell(f"emo predict junk.png --model {folder}/int8.onnx --detector none").returncode == 1


def test_a_camera_that_is_not_there_is_one_line(folder: Path, shell: Run) -> None:
    done = shell(f"emo live --camera 97 --model {folder}/int8.onnx --detector haar")
    assert done.returncode == 1 and done.stderr.decode().strip().count("\n") == 0
