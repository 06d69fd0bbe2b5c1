"""A built wheel in a clean environment without torch: all but training works, and training says what to install."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import shipped_copy
from conftest import Run

from emocli import shipped

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel is built from, with the weights that ship, or small ones where this checkout has none."""
    place = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    weights = shipped_copy.copy_package(place)
    if shipped.names():
        shutil.copytree(shipped.FOLDER, weights, dirs_exist_ok=True)
    else:
        shipped_copy.make_weights(place, tmp_path_factory.mktemp("work"), "ferplus")
    return place


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    wheels = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, source]
    done = subprocess.run([*map(str, build)], capture_output=True, text=True, check=False)
    if done.returncode and "Could not find a version" in done.stderr:
        pytest.skip("no package index is reachable")
    assert done.returncode == 0, done.stderr
    (built,) = wheels.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it needs, no extras; skipped where no package index answers."""
    place = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", place / "env"], check=True)
    install = [place / "env" / "bin" / "pip", "install", "--quiet", "--no-compile", wheel]
    done = subprocess.run([*map(str, install)], capture_output=True, text=True, check=False)
    if done.returncode and "Could not find a version" in done.stderr:
        pytest.skip("no package index is reachable")
    assert done.returncode == 0, done.stderr
    return place / "env" / "bin"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and its features, made where torch is."""
    folder = tmp_path_factory.mktemp("model")
    line = """emo features synthetic --limit 100 -o f.h5
        emo train f.h5 --arch emotion-cnn -p width=8 --epochs 1 -o model.onnx"""
    subprocess.run(["bash", "-euc", line], cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return folder / "model.onnx"


def _run(clean: Path, line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{clean}:/usr/bin:/bin"}
    command = ["bash", "-euo", "pipefail", "-c", line]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def test_the_wheel_has_every_file_of_the_weights(source: Path, wheel: Path) -> None:
    weights = {str(file.relative_to(source)) for file in (source / "emocli" / "weights").iterdir()}
    assert len(weights) >= 4 and weights <= set(ZipFile(wheel).namelist())


def test_all_but_training_works_without_torch(clean: Path, model: Path, tmp_path: Path) -> None:
    face = ROOT / "examples" / "face.png"
    done = _run(
        clean,
        f"""! python -c 'import torch' 2>/dev/null
        emo dataset synthetic -p count=70 -o d.h5; emo features d.h5 -x lbp+hog | emo info
        emo dataset preview d.h5 -o d.png
        emo quantize {model} --data {model.parent}/f.h5 --max-drop 100 --min-speedup 0 -o int8.onnx
        emo eval int8.onnx --data {model.parent}/f.h5 --split test
        emo bench int8.onnx --seconds 0.2 --device host; emo predict {face} --model int8.onnx --detector none
        emo live --source {face} --model int8.onnx --detector haar
        emo predict {face} --detector none; emo bench ferplus-int8 --seconds 0.1; emo list weights ferplus
        emo list; emo doctor; emo replay int8.onnx; emo --help""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", ["emo train f.h5 -o x.onnx", "emo distill model.onnx -o x.onnx"])
def test_training_without_torch_names_the_line_that_adds_it(clean: Path, model: Path, line: str) -> None:
    done = _run(clean, line, model.parent)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("pip install 'emocli[train]'") and done.stderr.count("\n") == 1
    assert not (model.parent / "x.onnx").exists()


def test_tensorrt_without_the_library_names_the_line_that_adds_it(model: Path, shell: Run) -> None:
    done = shell(f"emo bench {model} --engine tensorrt")
    assert done.returncode == 1 and b"pip install 'emocli[tensorrt]'" in done.stderr
