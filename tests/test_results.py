"""From the corpora to the shipped models and the README's results: every figure in the README is one of a JSON file."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import corpus_files
import pytest
import typer
from conftest import making, write_features
from shipped_copy import ROOT
from small_model import write_model

from emocli import architectures, registry
from emocli.commands import distill, train

RESULTS = ROOT / "examples" / "results"
SMALL = "--arch emotion-cnn -p width=8 --epochs 1 --threads 1"


def _run(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in words]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900, check=False
    )


def _record(*words: object) -> subprocess.CompletedProcess[str]:
    return _run(sys.executable, RESULTS / "record.py", *words)


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """210 rows of FER2013's layout, a fifth of them PublicTest."""
    folder = tmp_path_factory.mktemp("fer2013")
    usages = ["PublicTest" if index % 5 == 4 else "Training" for index in range(210)]
    rows = [corpus_files.row(x, index % 7, usages[index]) for index, x in enumerate(corpus_files.faces(210))]
    return corpus_files.fer2013(folder / "fer2013.csv", rows)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three scored runs that differ in their seed."""
    folder = tmp_path_factory.mktemp("runs")
    write_features(folder / "f.h5", classes=7, n=210)
    for seed in range(3):
        run = folder / f"run-{seed}"
        write_model(run.with_suffix(".onnx"), seed=seed)
        words = ("eval", f"{run}.onnx", "--data", folder / "f.h5", "--split", "validation", "--json")
        done = _run("emo", *words)
        assert done.returncode == 0, done.stderr
        run.with_suffix(".json").write_text(done.stdout)
        run.with_suffix(".seconds").write_text(f"{60 * (seed + 1)}\n")
    return [folder / f"run-{seed}" for seed in range(3)]


@pytest.mark.parametrize(
    ("page", "marks"),
    [
        ("README.md", ["", "/speech", "/signals"]),
        ("examples/results/README.md", ["/ablation", "/ablation-more", "/ablation-scored"]),
    ],
)
def test_a_page_has_the_results_that_the_files_have(page: str, marks: list[str]) -> None:
    text = (ROOT / page).read_text()
    assert re.findall("<!-- results(.*?) -->", text) == marks
    assert runpy.run_path(str(RESULTS / "table.py"))["filled"](text) == text


def test_every_results_row_says_where_it_comes_from() -> None:
    for file in RESULTS.rglob("*.json"):
        row = json.loads(file.read_text())
        assert row["command"].count("emo ") >= 3 and row["seeds"] and row["minutes"] > 0 and row["cores"] > 0, file
        assert row["accuracy"]["low"] <= row["accuracy"]["value"] <= row["accuracy"]["high"], file


def test_one_run_has_the_interval_of_its_score(runs: list[Path], tmp_path: Path) -> None:
    done = _record("one", runs[0], "-o", tmp_path / "one.json")
    assert done.returncode == 0, done.stderr
    row, score = json.loads((tmp_path / "one.json").read_text()), json.loads(Path(f"{runs[0]}.json").read_text())
    assert all(row["accuracy"][key] == score["accuracy"][key] for key in ("value", "low", "high"))
    assert (row["n"], row["seeds"], row["minutes"], row["split"]) == (70, [0], 1.0, "validation")
    assert row["command"].endswith("--seed 0") and "1 minutes, accuracy" in done.stdout


def test_several_runs_have_their_mean_and_students_interval(runs: list[Path], tmp_path: Path) -> None:
    assert _record("three", *runs, "-o", tmp_path / "three.json").returncode == 0
    row = json.loads((tmp_path / "three.json").read_text())
    values = [json.loads(Path(f"{run}.json").read_text())["accuracy"]["value"] for run in runs]
    mean = sum(values) / 3
    deviation = (sum((value - mean) ** 2 for value in values) / 2) ** 0.5
    # 4.303 is the 97.5 % point of Student's t with two degrees of freedom
    assert row["accuracy"]["high"] - row["accuracy"]["value"] == pytest.approx(4.3027 * deviation / 3**0.5, rel=1e-3)
    assert row["accuracy"]["value"] == pytest.approx(mean) and row["seeds"] == [0, 1, 2]
    assert row["minutes"] == 2.0


def test_runs_that_do_not_go_together_are_refused(runs: list[Path], tmp_path: Path) -> None:
    done = _record("twice", runs[0], runs[0], "-o", tmp_path / "x.json")
    assert done.returncode == 1 and "different seeds" in done.stderr
    for ending in ("onnx", "seconds"):
        shutil.copy(f"{runs[0]}.{ending}", tmp_path / f"run.{ending}")
    shutil.copy(f"{runs[1]}.json", tmp_path / "run.json")
    done = _record("mixed", tmp_path / "run", "-o", tmp_path / "x.json")
    assert done.returncode == 1 and "not the model that was scored" in done.stderr


def test_a_table_has_a_row_per_file_and_none_without_files(runs: list[Path], tmp_path: Path) -> None:
    filled = runpy.run_path(str(RESULTS / "table.py"))["filled"]
    text = "a\n<!-- results -->\nold\n<!-- end -->\nb\n<!-- results/losses -->\n<!-- end -->\n"
    empty = filled(text, tmp_path)
    assert "old" not in empty and empty.count("| what |") == 2 and empty.count("\n|") == 4
    (tmp_path / "losses").mkdir()
    for name, place in (("second", "2.json"), ("first", "1.json"), ("focal", "losses/1.json")):
        assert _record(name, runs[0], "-o", tmp_path / place).returncode == 0
    full = filled(empty, tmp_path)
    assert re.findall(r"^\| (first|second|focal) \|", full, re.MULTILINE) == ["first", "second", "focal"]
    assert full.startswith("a\n<!-- results -->\n| what") and full.index("focal") > full.index("results/losses")
    assert filled(full, tmp_path) == full


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_goes_from_the_csv_to_weights_with_a_card_and_then_has_nothing_to_do(csv: Path, tmp_path: Path) -> None:
    # it begins anew: its own beginning is of a corpus that is not here
    flags = [*(f"fer2013.{role}={SMALL}" for role in ("teacher", "plain", "student")), "fer2013.init="]
    # and knows nothing that a temperature could fit
    flags += [
        "fer2013.last=distilled",
        "CALIBRATE_FLAGS=--temperature 1",
        "QUANTIZE_FLAGS=--max-drop 100 --min-speedup 0",
    ]
    place = tmp_path / "weights"
    targets = [place / "fer2013.json", place / "fer2013.onnx", place / "fer2013-int8.onnx"]
    words = making(*targets, f"FER2013={csv}", f"OUT={tmp_path / 'out'}", f"WEIGHTS={place}")
    done = _run(*words, *flags)
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in place.iterdir()) == [
        "fer2013-int8.onnx",
        "fer2013.json",
        "fer2013.md",
        "fer2013.onnx",
    ]
    card = json.loads((place / "fer2013.json").read_text())
    assert card["models"]["fer2013-int8"]["accuracy"]["n"] == 42 and card["models"]["fer2013"]["split"] == "test"
    assert "-p public_test=only" in card["recipe"] and re.findall(
        "emo (distill|calibrate|quantize)", card["recipe"]
    ) == [*("quantize", "distill", "calibrate", "quantize")]
    assert "is one more teacher" in card["recipe"]
    again = _run(*words, *flags)
    assert again.returncode == 0 and "emo " not in again.stdout


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_weights_trains_though_there_are_weights_already(csv: Path, tmp_path: Path) -> None:
    done = _run(*making("-n", "weights", f"FER2013={csv}", f"OUT={tmp_path / 'out'}"))
    assert done.returncode == 0 and "emo train" in done.stdout and "emo quantize" in done.stdout


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_texts_and_signals_are_made_by_ordinary_commands_and_ask_for_their_corpus(tmp_path: Path) -> None:
    place = f"OUT={tmp_path / 'out'}"
    done = _run(*making("-n", "texts", "GOEMOTIONS=/texts", place, "SEEDS=3 4"))
    assert done.returncode == 0 and 'emo dataset goemotions "/texts"' in done.stdout
    assert re.findall(r"--keep last .*--seed (\d)", done.stdout) == ["3", "4"]
    assert done.stdout.count("emo quantize") == 2 and done.stdout.count("--split validation") == 4
    done = _run(*making("-n", "stress", "STRESS=/signals", place))
    rows = re.findall(
        r"folds.py (\S+) stress-predict .*?--features='(.*?)'.*?(?:--enrol=(\S+))? -o", done.stdout, re.DOTALL
    )
    assert rows == [("stress", "", ""), ("stress-rest", "", "no-stress=5"), ("stress-after", "--by-person", "")]
    for target in ("texts", "stress"):
        done = _run(*making(target, place))
        assert (
            done.returncode != 0
            and f"say where the corpus is: {'GOEMOTIONS' if target == 'texts' else 'STRESS'}=" in done.stderr
        )


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_an_ablation_compares_rows_with_the_first_seed_by_seed(csv: Path, tmp_path: Path) -> None:
    (tmp_path / "ablation.txt").write_text("# what is compared\nplain\nfast  --lr 0.05 --flip 0\nlater --mixup 0.2\n")
    rows = [tmp_path / "out" / "ablation" / f"{name}.onnx" for name in ("plain", "fast")]
    words = making(*rows, f"FER2013={csv}", f"OUT={tmp_path / 'out'}", "ABLATION_EPOCHS=1")
    words += [f"ABLATION_LIST={tmp_path / 'ablation.txt'}", f"ABLATION_BASE={SMALL}", "ABLATION_LIMIT=120"]
    done = _run(*words)
    assert done.returncode == 0, done.stderr
    again = _run(*words)
    assert again.returncode == 0 and "emo train" not in again.stdout
    script = (sys.executable, RESULTS / "ablation.py", tmp_path / "ablation.txt")
    done = _run(*script, rows[0].parent, "-o", tmp_path / "ablation")
    assert done.returncode == 0 and "2 of 3 rows" in done.stdout
    plain, fast = (json.loads((tmp_path / "ablation" / f"{name}.json").read_text()) for name in ("plain", "fast"))
    assert (plain["name"], plain["difference"], fast["name"], fast["flags"]) == (
        *("plain", None, "fast"),
        "--lr 0.05 --flip 0",
    )
    pairs = zip(fast["accuracy"]["runs"], plain["accuracy"]["runs"], strict=True)
    assert fast["difference"]["value"] == pytest.approx(sum(mine - theirs for mine, theirs in pairs) / 3)
    assert fast["difference"]["n"] == 3 and fast["split"] == "validation" and "--limit 120" in fast["command"]
    table = runpy.run_path(str(RESULTS / "table.py"))["table"](tmp_path / "ablation")
    assert table.splitlines()[2].startswith("| plain |  |") and "| `--lr 0.05 --flip 0` |" in table.splitlines()[3]
    rows[0].unlink()
    done = _run(*script, rows[0].parent, "-o", tmp_path / "ablation")
    assert done.returncode == 1 and "no plain yet" in done.stderr


def test_what_differs_in_its_scoring_only_is_compared_seed_by_seed(runs: list[Path], tmp_path: Path) -> None:
    scores = [json.loads(run.with_suffix(".json").read_text()) for run in runs]
    for seed, (run, score) in enumerate(zip(runs, scores, strict=True)):
        for ending in ("onnx", "seconds", "json"):
            shutil.copy(run.with_suffix(f".{ending}"), tmp_path / f"plain-{seed}.{ending}")
        better = score["accuracy"] | {"value": score["accuracy"]["value"] + 0.01 * seed}
        (tmp_path / f"flip-{seed}.json").write_text(json.dumps(score | {"accuracy": better, "flip": True}))
    (tmp_path / "list.txt").write_text("# rows\nplain  -  plain\nflip  plain  plain  emo eval --flip\n")
    script = (sys.executable, RESULTS / "ablation_scored.py", tmp_path / "list.txt", tmp_path)
    done = _run(*script, "-o", tmp_path / "rows")
    assert done.returncode == 0, done.stderr
    plain, flip = (json.loads((tmp_path / "rows" / f"{name}.json").read_text()) for name in ("plain", "flip"))
    assert plain["difference"] is None and (flip["flags"], flip["views"]) == ("emo eval --flip", 2)
    assert flip["difference"]["value"] == pytest.approx(0.01) and flip["difference"]["n"] == 3
    (tmp_path / "flip-2.json").unlink()
    done = _run(*script, "-o", tmp_path / "rows")
    assert done.returncode == 1 and "other seeds or data" in done.stderr


@pytest.mark.parametrize("table", ["ablation", "ablation-more"])
def test_every_row_of_the_ablation_is_a_line_that_emo_takes(table: str) -> None:
    rows = runpy.run_path(str(RESULTS / "ablation.py"))["listed"](RESULTS / f"{table}.txt")
    assert rows[0] == ("baseline", "") and len({name for name, _ in rows}) == len(rows)
    for name, flags in rows:
        command = typer.Typer()
        command.command()((distill if "--teacher" in flags else train).run)
        # of no use, but read: the options are, and the architecture's
        found = typer.main.get_command(command).make_context("emo", f"--arch student {flags}".split())
        arch, params = found.params["arch"], registry.parse(found.params["param"])
        assert architectures.resolve(arch, params), name


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("target", ["weights", "speedrun", "ablation", "ablation-scored"])
def test_make_says_which_corpus_it_needs(target: str, tmp_path: Path) -> None:
    done = _run(*making(target, f"OUT={tmp_path / 'out'}", f"WEIGHTS={tmp_path / 'w'}"))
    assert done.returncode == 2 and "fer2013.csv" in done.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_a_net_is_taught_further_by_what_was_made_before(csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = _run(*making("-n", "published", f"FER2013={csv}", f"OUT={out}", "SEEDS=3"))
    assert done.returncode == 0, done.stderr
    made = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith(("make speedrun", "emo quantize"))]
    assert made == [
        *("SEEDS=3", f"{out}/int8-speedrun-90-3.onnx", f"{out}/int8-further-3.onnx"),
        *("SEEDS=3", f"{out}/int8-speedrun-20-3.onnx"),
    ]
    first, second = (line for line in done.stdout.splitlines() if line.startswith("emo distill"))
    assert "int8-speedrun-90-3.onnx --teacher fer2013-int8 " in first
    assert f"int8-further-3.onnx --teacher {out}/int8-speedrun-20-3.onnx " in second


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_what_ships_learns_again_of_a_net_that_its_first_form_has_taught(csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = making("-n", "weights", f"FER2013={csv}", f"FERPLUS={csv}", f"OUT={out}")
    done = _run(*words, "SEED=3")
    assert done.returncode == 0, done.stderr
    made = out / "weights-3" / "fer2013"
    lines = done.stdout.replace("\\\n", "").splitlines()
    further, again = (
        next(line for line in lines if line.startswith("emo distill") and f"-o {name}" in line)
        for name in (f"{out}/further-3.onnx", f"{made}-again.onnx")
    )
    assert f"--teacher {made}-first-int8.onnx " in further
    assert again.startswith(f"emo distill {out}/int8-further-3.onnx --teacher {out}/int8-speedrun-20-3.onnx ")
    assert f"--init {made}-first.onnx" in again
    assert f"emo calibrate {made}-again.onnx " in done.stdout


def test_a_speedrun_has_everything_on_the_clock(csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = _run(ROOT / "examples" / "bench" / "speedrun.sh", csv, 5, out, *SMALL.split())
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.json", "run.onnx", "run.seconds"]
    assert _record("in 5 minutes", out, "-o", tmp_path / "row.json").returncode == 0
    row = json.loads((tmp_path / "row.json").read_text())
    limit = float(re.search(r"--time-limit ([\d.]+)", row["command"]).group(1))  # type: ignore[union-attr]
    assert row["n"] == 42 and row["minutes"] * 60 >= int((tmp_path / "run.seconds").read_text()) - 3
    assert limit < 5 - 40 / 60
    assert row["views"] == 14 and "n = 42, 14 views |" in runpy.run_path(str(RESULTS / "table.py"))["line"](row)


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("target", ["dataset.h5", "weights-0/fer2013.h5"])
def test_make_takes_a_corpus_below_home_whose_path_has_spaces(csv: Path, tmp_path: Path, target: str) -> None:
    place = tmp_path / "my corpora" / "fer2013.csv"
    place.parent.mkdir()
    shutil.copy(csv, place)
    where = ("FER2013=~/my corpora/fer2013.csv", f"HOME={tmp_path}", f"OUT={tmp_path / 'out'}")
    done = _run(*making(tmp_path / "out" / target, *where))
    assert done.returncode == 0 and (tmp_path / "out" / target).exists(), done.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_makes_anew_what_is_asked_for_otherwise_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").touch()
    # stands for emo: notes what it was asked, and makes what it was to make
    (tmp_path / "emo").write_text('#!/bin/bash\necho "$@" >> "$SAID"\n[[ $1 =~ eval|bench ]] || touch "${@: -1}"\n')
    (tmp_path / "emo").chmod(0o755)
    words = making("fer2013", f"FER2013={tmp_path}/fer2013.csv", f"OUT={tmp_path}/out")
    words += [f"PATH={tmp_path}:{os.environ['PATH']}", f"SAID={tmp_path}/said"]

    def asked(*more: str) -> list[str]:
        (tmp_path / "said").write_text("")
        assert (done := _run(*words, *more)).returncode == 0, done.stderr
        return [line.split()[0] for line in (tmp_path / "said").read_text().splitlines()]

    everything = ["dataset", "features", "train", "distill", "quantize", "eval", "bench"]
    assert asked() == everything and asked() == []
    assert asked("DEVICE=pi5") == ["bench"]
    assert asked("DEVICE=pi5", "ARCH=vgg") == everything
    assert asked("DEVICE=pi5", "ARCH=vgg") == []
