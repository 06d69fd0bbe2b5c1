"""What ships in INT8, in a program that knows ONNX Runtime only: as it is stored, and from `emo export`.

One thread, batch 1, beside the FP32 model in turns: python examples/bench/without_emo.py [SECONDS per comparison]
"""

import functools
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from emocli import benchmark, onnx_session, shipped
from emocli.engines.onnxruntime import load


def main(seconds: float | str = 3.0) -> None:
    """Print each model's medians, and how many times as fast as FP32 its INT8 is, as the median over pairs of runs."""
    seconds = float(seconds)
    table = Table("model", "FP32 ms", "INT8 as stored", "times as fast", "INT8 exported", "times as fast")
    for name in ("fer2013", "ferplus", "ravdess"):
        plain, stored = (shipped.FOLDER / f"{name}{ending}.onnx" for ending in ("", "-int8"))
        x = benchmark.sample_input(load(plain), 1)
        with tempfile.TemporaryDirectory() as place:
            exported = Path(place) / "exported.onnx"
            subprocess.run(["emo", "export", stored, "-o", exported], check=True)
            sessions = [onnx_session.opened(str(path)) for path in (plain, stored, exported)]
        entry = sessions[0].get_inputs()[0].name
        calls = [functools.partial(session.run, None, {entry: x}) for session in sessions]
        taken = benchmark.times(calls, 3 * seconds)
        fp32, as_stored, arranged = (f"{value * 1e3:.3f}" for value in np.median(taken, axis=0))
        slower, faster = (f"{np.median(taken[:, 0] / taken[:, place]):.2f} x" for place in (1, 2))
        table.add_row(name, fp32, as_stored, slower, arranged, faster)
    Console(width=100).print(table)


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))
