"""The benchmarks run: what they measure is theirs, that they still fit the code is a test's."""

import ast
import importlib.util
import json
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from small_model import write_model

BENCHES = Path(__file__).parents[1] / "examples" / "bench"


def bench(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCHES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPTS = sorted({path.stem for path in BENCHES.glob("*.py")} - {"usage", "training"})


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_called_in_another_way_says_how_it_is_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = ast.get_docstring(ast.parse((BENCHES / f"{name}.py").read_text()))
    monkeypatch.setattr(sys, "argv", [name, *["word"] * 9, "--nonsense"])
    with pytest.raises(SystemExit, match=rf"^usage: python examples/bench/{name}.py"):
        bench("usage").words(text)
    assert "main(*words(__doc__))" in (said := (BENCHES / f"{name}.py").read_text()) or "main(words(__doc__))" in said


def test_live_is_measured_in_a_pipeline_and_one_frame_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = bench("live")
    monkeypatch.setattr(live, "FRAMES", 4)
    monkeypatch.setattr(live, "ROUNDS", 1)
    monkeypatch.setattr(live, "predictor", partial(live.predictor, detector="none"))
    found = live.medians(live.noise, write_model(tmp_path / "m.onnx"), 1)
    assert found["fps"] > 0 and found["sequential_fps"] > 0 and found["camera_p50_ms"] > 0


def test_a_peer_that_does_not_load_is_left_out_of_the_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for peer in ("librosa", "torch"):  # which take seconds, and are not called
        monkeypatch.setitem(sys.modules, peer, ModuleType(peer))
    monkeypatch.syspath_prepend(BENCHES)
    speech = bench("speech")
    (tmp_path / "torchaudio.py").write_text("raise OSError('built for another torch')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchaudio", raising=False)
    compared: list[str] = []
    monkeypatch.setattr(speech, "compare", lambda what, *_, **__: compared.append(what))
    speech.bench_others([])
    assert "prosody" in compared and "mfcc, deltas" not in compared
    assert "torchaudio can't be loaded (built for another torch)" in capsys.readouterr().err


def test_a_heart_is_compared_with_the_wristband_s_own_without_the_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "neurokit2", None)
    seconds = np.arange(0, 60, 1 / 64)
    beats = np.cumsum(np.tile([0.78, 0.82], 36))
    pulse = -(np.exp(-(((seconds[:, None] - beats) / 0.08) ** 2)).sum(axis=1))
    for name, rate, rows in (("BVP", 64, pulse), ("EDA", 4, np.ones(240)), ("TEMP", 4, np.ones(240))):
        np.savetxt(tmp_path / f"{name}.csv", [1e9, rate, *rows])
    np.savetxt(tmp_path / "ACC.csv", [[1e9] * 3, [32] * 3, *np.ones((1920, 3))], delimiter=",")
    np.savetxt(tmp_path / "IBI.csv", np.stack([beats[1:], np.diff(beats)], 1), delimiter=",", header="1e9, IBI")
    bench("physio").main([str(tmp_path)])
    said = capsys.readouterr()
    assert "neurokit2 is not installed" in said.err
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [(row["who"], row["windows"]) for row in rows] == [("emo", 1)] * 3
    assert all(row["apart"] < 2 for row in rows)
