"""A compiled net learns what the plain one learns, under the same names; without a compiler it is refused."""

import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch._inductor.config
from conftest import Run
from small_runs import QUICK

from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5_writer import Writer
from emocli.training import compiling, export, loop
from emocli.training.loop import Outcome

SHAPE = (6,)
QUICKLY = {"compile_threads": 1, "cpp_cache_precompile_headers": False, "cpp.vec_isa_ok": False}
"""Workers, headers for many kernels and trials of each instruction set take longer than the few kernels here."""


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 rows to train on and 24 for validation, in three classes: vectors, as their net compiles quickest."""
    path, y = tmp_path_factory.mktemp("data") / "vectors.h5", np.arange(72) % 3
    writer = Writer(path, count=len(y))
    noise = np.random.default_rng(0).standard_normal((len(y), *SHAPE))
    writer.append((noise + 3 * np.eye(3, *SHAPE)[y]).astype(np.float32))
    split = np.where(np.arange(len(y)) < 48, "train", "validation")
    writer.finish(Header("features", ("a", "b", "c"), ({"command": "features", "name": "lbp"},)), y, "label", split)
    return path


def learned(path: Path, **options: bool) -> Outcome:
    net = loop.make("mlp", SHAPE, 3, {"width": 8, "layers": 1, "dropout": 0.0}, 0)
    with hdf5.open_data(path) as data:
        recipe = replace(QUICK, epochs=2, optimizer="sgd", lr=0.05, precision="fp32", **options)  # type: ignore[arg-type]
        return loop.train(net, data, recipe, progress=False)


def test_a_compiled_net_learns_the_same_and_exports_under_the_same_names(
    vectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    with torch._inductor.config.patch(QUICKLY):
        plain, compiled = learned(vectors), learned(vectors, compile=True)
    assert list(tmp_path.rglob("*.cpp"))  # something was compiled
    mine, theirs = compiled.net.state_dict(), plain.net.state_dict()
    assert list(mine) == list(theirs)
    assert all(torch.allclose(mine[name], theirs[name], atol=1e-4) for name in mine)
    names = [
        [tensor.name for tensor in export.to_onnx(outcome.net, SHAPE, input_name="x").graph.initializer]
        for outcome in (plain, compiled)
    ]
    assert names[0] == names[1]


def test_torch_has_nothing_to_say_of_a_machine_with_a_compiler_for_gpus_and_none_of_these() -> None:
    compiling.compiled(SimpleNamespace(outputs=lambda x: (x, x)), torch.device("cpu"))
    assert not logging.getLogger("torch.utils.cpp_extension").isEnabledFor(logging.WARNING)


def test_without_a_compiler_it_is_refused_and_nothing_is_written(vectors: Path, shell: Run, tmp_path: Path) -> None:
    # read when torch is loaded
    compiler = "EMO_COLD=1 CXX=/nowhere"
    done = shell(f"{compiler} emo train {vectors} --arch mlp --epochs 1 --compile --threads 1 -o model.onnx")
    assert done.returncode == 1 and not (tmp_path / "model.onnx").exists()
    last = done.stderr.decode().splitlines()[-1]
    assert last == "emo: --compile needs a C++ compiler and finds none; install g++, or leave it out"
