"""The benchmarks run: what they measure is theirs, that they still fit the code is a test's."""

import importlib.util
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from small_model import write_model

BENCHES = Path(__file__).parents[1] / "examples" / "bench"


def bench(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCHES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_live_is_measured_in_a_pipeline_and_one_frame_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = bench("live")
    monkeypatch.setattr(live, "FRAMES", 4)
    monkeypatch.setattr(live, "ROUNDS", 1)
    monkeypatch.setattr(live, "predictor", partial(live.predictor, detector="none"))
    found = live.medians(live.noise, write_model(tmp_path / "m.onnx"), 1)
    assert found["fps"] > 0 and found["sequential_fps"] > 0 and found["camera_p50_ms"] > 0
