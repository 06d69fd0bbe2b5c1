"""Models of texts: a line in, a row out, as they come."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from emocli import shipped

FACE = Path(__file__).parents[1] / "examples" / "face.png"
GLAD = ("what a lovely day", "I love this so much", "great, thank you!", "so happy for you", "good news, I love it")
GLUM = ("what a horrible day", "I miss her so much", "this hurts, I cry", "so sad about it", "bad news, I cry")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("texts")
    rows = [f'"{text}{end}",{label}' for end in ("", ".", "!", " :)") for label, texts in
            (("happy", GLAD), ("sad", GLUM)) for text in texts]  # fmt: skip
    (root / "own.csv").write_text("\n".join(["text,label", *rows, ""]))
    dataset = "emo dataset texts own.csv --split random --validation 0.2 --test 0 -o d.h5"
    train = "emo features d.h5 -x ngrams -p size=512 | emo train --arch logistic --threads 1 -o m.onnx"
    words = ["bash", "-euo", "pipefail", "-c", f"{dataset}; {train}"]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


def _rows(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_that_is_not_blank_has_a_row(root, tmp_path, emo):
    (tmp_path / "a.txt").write_text("I love it, wonderful\n\n  \nI cry, it hurts\r\nlovely 😀", encoding="utf-8-sig")
    done = emo("predict", tmp_path / "a.txt", "-m", root / "m.onnx")
    rows = _rows(done)
    assert done.returncode == 0 and [(row["line"], row["label"]) for row in rows] == [
        (1, "happy"), (4, "sad"), (5, "happy")]  # fmt: skip
    assert [row["text"] for row in rows] == ["I love it, wonderful", "I cry, it hurts", "lovely 😀"]
    assert {row["path"] for row in rows} == {str(tmp_path / "a.txt")}


def test_a_line_is_answered_before_the_next_one_comes(root):
    words = ["timeout", "120", "emo", "predict", "/dev/stdin", "-m", str(root / "m.onnx")]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=plain) as running:
        for text, label in (("wonderful, I love it", "happy"), ("terrible, I cry", "sad")):
            running.stdin.write(f"{text}\n")
            running.stdin.flush()
            row = json.loads(running.stdout.readline())
            assert (row["text"], row["label"]) == (text, label)
        running.stdin.close()
        assert running.wait(60) == 0


def test_a_folder_gives_its_txt_files(root, tmp_path, emo):
    for name, text in (("b.txt", "lovely"), ("a.txt", "horrible"), ("c.md", "no"), (".d.txt", "no")):
        (tmp_path / name).write_text(text)
    rows = _rows(emo("predict", tmp_path, "-m", root / "m.onnx"))
    assert [(Path(row["path"]).name, row["label"]) for row in rows] == [("a.txt", "sad"), ("b.txt", "happy")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has no text in it"),
        (b" \n\n", "has no text in it"),
        (b"lovely\n\xff\xfe\n", "line 2 is not UTF-8"),
        (b"a\0b\n", "line 1 is no text"),
        (b"x" * ((1 << 20) + 2), "line 1 is no text"),
    ],
    ids=["empty", "blank", "Latin-1", "binary", "an endless line"],
)
def test_what_is_no_text_is_a_row_that_says_why(root, tmp_path, emo, content, says):
    (tmp_path / "a.txt").write_bytes(content)
    done = emo("predict", tmp_path / "a.txt", "-m", root / "m.onnx")
    assert done.returncode == 1 and says in _rows(done)[-1]["error"]


def test_a_file_that_is_not_there_is_named_and_the_others_go_on(root, tmp_path, emo):
    (tmp_path / "a.txt").write_text("lovely")
    done = emo("predict", tmp_path / "gone.txt", tmp_path / "a.txt", "-m", root / "m.onnx")
    gone, there = _rows(done)
    assert "No such file" in gone["error"] and there["label"] == "happy" and done.returncode == 1


def test_rows_are_as_eval_scores_them(root, emo):
    scored = json.loads(emo("eval", root / "m.onnx", "--data", root / "d.h5", "--split", "all").stdout)
    assert scored["accuracy"]["n"] == 40 and scored["accuracy"]["value"] > 0.9


def test_lines_of_somebody_make_the_model_personal(root, tmp_path, emo):
    (tmp_path / "calm.txt").write_text("horrible, terrible\nI cry\n\nsad\n")
    done = emo("personalize", root / "m.onnx", "--sample", f"happy={tmp_path / 'calm.txt'}", "-o", tmp_path / "p.onnx")
    assert done.returncode == 0 and b"personal by 3 of happy" in done.stderr
    before, after = (_rows(emo("predict", tmp_path / "calm.txt", "-m", each))[0]["probabilities"]["happy"] for each in
                     (root / "m.onnx", tmp_path / "p.onnx"))  # fmt: skip
    assert after > before


def test_what_texts_do_not_have_is_refused_and_others_do_not_read(root, tmp_path, emo):
    (tmp_path / "a.txt").write_text("lovely")
    for option in (["--flip"], ["--views", "3"], ["--detector", "energy"]):
        done = emo("predict", tmp_path / "a.txt", "-m", root / "m.onnx", *option)
        assert done.returncode == 1 and b"in texts nothing is to be found" in done.stderr
    live = emo("live", "--source", tmp_path / "a.txt", "-m", root / "m.onnx")
    assert live.returncode == 1 and b"is a model of text, and live is for faces and voices" in live.stderr


def test_what_moves_a_cursor_reaches_no_terminal_and_is_not_lost(root, tmp_path, emo):
    text = "lovely \x1b[31m \x9b31m day 👩\u200d🚀"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    done = emo("predict", tmp_path / "a.txt", "-m", root / "m.onnx")
    assert _rows(done)[0]["text"] == text
    for shown in (done.stdout, emo("predict", tmp_path / "a.txt", "-m", root / "m.onnx", "--table").stdout):
        assert not set("\x1b\x9b") & set(shown.decode()) and "👩" in shown.decode()


def test_a_table_shows_the_text_beside_its_label(root, tmp_path, emo):
    (tmp_path / "a.txt").write_text("lovely\n")
    done = emo("predict", tmp_path / "a.txt", "-m", root / "m.onnx", "--table", env={**os.environ, "COLUMNS": "100"})
    assert b"lovely" in done.stdout and b"happy" in done.stdout and b"line" in done.stdout


SHIPS = "goemotions-int8" in shipped.names()


@pytest.mark.skipif(not SHIPS, reason="no model of texts ships with this copy")
def test_texts_that_are_named_need_no_model_and_go_beside_pictures(tmp_path, emo):
    (tmp_path / "diary.txt").write_text("What a wonderful day!\nMy dog died yesterday.\n")
    shutil.copy(FACE, tmp_path / "face.png")
    done = emo("predict", tmp_path / "diary.txt", tmp_path / "face.png")
    glad, sad, face = _rows(done)
    assert (glad["label"], sad["label"]) == ("happy", "sad") and len(face["faces"]) <= 1
    assert done.stderr.count(b"goemotions-int8, which ships") == 1
    named = emo("predict", tmp_path / "diary.txt", "-m", "goemotions-int8")
    assert _rows(named) == [glad, sad]


def test_texts_that_lie_beside_pictures_are_no_pictures_and_are_left_alone(tmp_path, emo):
    (tmp_path / "readme.txt").write_text("What a wonderful day!\n")
    shutil.copy(FACE, tmp_path / "face.png")
    assert [Path(row["path"]).name for row in _rows(emo("predict", tmp_path))] == ["face.png"]
