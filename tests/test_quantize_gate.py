"""The gate: INT8 that is worse, or no faster, is refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
from quantizable_nets import pictures
from small_model import write_model

from emocli.compress.gate import Verdict, judge
from emocli.engines.onnxruntime import load
from emocli.errors import EmoError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx")


def test_a_model_is_judged_on_all_labelled_rows(model):
    engine = load(model)
    x = pictures(12)
    y = engine.run(x)["logits"].argmax(axis=1)
    y[:3] = (y[:3] + 1) % 7
    y[11] = -1
    found = judge(engine, engine, [(x[:8], y[:8]), (x[8:], y[8:])], seconds=0)
    assert (found.n, found.drop) == (11, 0)
    assert found.accuracy_fp32 == pytest.approx(8 / 11)
    assert found.speedup > 0


@pytest.mark.parametrize("batches", [[], [(pictures(2), np.array([-1, -1]))]])
def test_no_labelled_row_is_an_error_for_the_user(model, batches):
    with pytest.raises(EmoError, match="no labelled validation rows"):
        judge(load(model), load(model), batches)


@pytest.mark.parametrize(
    ("int8", "speedup", "force", "says"),
    [
        (0.650, 3.0, False, ""),
        (0.655, 3.0, False, ""),
        (0.639, 3.0, False, "loses 1.10 points on 100"),
        (0.639, 3.0, True, "loses 1.10 points on 100"),
        (0.650, 0.9, False, "0.90 x as fast as FP32"),
        (0.650, 0.9, True, ""),
    ],
)
def test_a_gate_fails_for_accuracy_and_unless_forced_for_speed(int8, speedup, force, says):
    verdict = Verdict(0.650, int8, 100, speedup)
    failure = verdict.failure(max_drop=1.0, force=force)
    assert says in failure and bool(failure) == bool(says)


def test_a_verdict_names_both_accuracies_n_and_the_gain():
    line = str(Verdict(0.65, 0.645, 3589, 3.1))
    assert all(fact in line for fact in ("65.00%", "64.50%", "n = 3589", "3.10 x"))
