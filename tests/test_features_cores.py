"""Features don't depend on how many cores a machine has: NumPy's products sum in another order on more threads."""

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from sound_made import write


@pytest.mark.parametrize("extractor", ["chroma", "utterance"])
def test_one_core_gives_the_bytes_of_all(emo: Run, tmp_path: Path, extractor: str) -> None:
    clip = write(tmp_path / "clip.wav", np.random.default_rng(0).normal(0, 0.1, 53_000).astype(np.float32))
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment["EMO_COLD"] = "1"  # the cores are counted as NumPy is loaded
    words = "features", clip, "-x", extractor
    all_cores = emo(*words, env=environment)
    one_core = emo(*words, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}))
    assert all_cores.returncode == 0 and len(all_cores.stdout) > 1000
    assert one_core.stdout == all_cores.stdout
