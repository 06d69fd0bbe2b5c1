"""Features through a pipe: what reading them costs beyond the imports of the reader.

    python examples/bench/pipe.py [features.h5]

The reader is a process that imports what `emo info` imports and opens its input through emocli.pipes.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 9
READER = """
import sys, time
import numpy, h5py
from emocli import pipes
from emocli.data import hdf5
start = time.perf_counter()
source = pipes.read(None, "features")
with hdf5.open_data(source.path) as data:
    rows = sum(len(x) for x, _ in data.batches("all"))
print(time.perf_counter() - start)
"""


def seconds(line: str) -> float:
    """Return the median of what the line prints."""
    runs = [subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True) for _ in range(RUNS)]
    return statistics.median(float(run.stdout) for run in runs)


def main(file: str = "") -> None:
    """Print the seconds of a pipe, of a file behind <, and of cat into a temporary file."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"EMO_HOME": folder, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        if not file:
            file = str(Path(folder, "features.h5"))
            line = f"emo dataset synthetic -p count=30000 | emo features -o {file}"
            subprocess.run(["bash", "-c", line], check=True)
        size = Path(file).stat().st_size / 1e6
        reader = f"{sys.executable} -c '{READER}'"
        copy = f"TIMEFORMAT=%R; {{ time cat {file} | cat > {folder}/copy; }} 2>&1; rm {folder}/copy"
        piped, opened, copied = seconds(f"cat {file} | {reader}"), seconds(f"{reader} < {file}"), seconds(copy)
    print(f"{size:.0f} MB: through a pipe {piped:.3f} s, behind < {opened:.3f} s; cat | cat > file {copied:.3f} s")
    print(f"ratio pipe / cat into a temporary file {piped / copied:.2f}")


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))
