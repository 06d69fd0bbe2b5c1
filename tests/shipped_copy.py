"""A copy of the package with small weights of its own, made as `make weights` makes the real ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import write_features
from small_model import write_model

import emocli

ROOT = Path(__file__).parents[1]
CARD = ROOT / "examples" / "weights" / "card.py"


def copy_package(folder: Path) -> Path:
    """Copy the package without its weights into a folder; returns the place for others."""
    ignored = shutil.ignore_patterns("__pycache__", "weights")
    shutil.copytree(emocli.__path__[0], folder / "emocli", ignore=ignored)
    weights = folder / "emocli" / "weights"
    weights.mkdir()
    return weights


def run(folder: Path, line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a bash line in which `emo` is the copy in the folder."""
    functions = f'emo() {{ {sys.executable} -m emocli "$@"; }}; python() {{ {sys.executable} "$@"; }}; '
    env = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", functions + line],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=900,
        check=False,
    )


def make_weights(folder: Path, work: Path, name: str) -> None:
    """Put a small model, its INT8 form, card and figures under a name into the copy's weights."""
    write_model(work / f"{name}.onnx")
    write_features(work / "features.h5", classes=7, n=210)
    done = run(
        folder,
        f"""emo quantize {name}.onnx --data features.h5 --max-drop 100 --min-speedup 0 -o {name}-int8.onnx
        for model in {name} {name}-int8; do
          emo eval $model.onnx --data features.h5 --split validation --json > $model.json
        done
        emo bench {name}-int8.onnx --data features.h5 --seconds 0.1 --json > bench.jsonl
        echo 90 > {name}.seconds
        cp {name}.onnx {name}-int8.onnx {folder}/emocli/weights
        python {CARD} {name} --fp32 {name}.onnx --int8 {name}-int8.onnx --scores {name}.json {name}-int8.json \\
          --bench bench.jsonl --seconds {name}.seconds --folder {folder}/emocli/weights""",
        work,
    )
    assert done.returncode == 0, done.stderr
