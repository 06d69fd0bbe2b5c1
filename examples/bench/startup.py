"""Start-up: emo --help, --version and info against bare peers, whole processes in turns.

python examples/bench/startup.py [features.h5]
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import emocli

RUNS = 15
COMMANDS = sorted(file.stem for file in (Path(emocli.__path__[0]) / "commands").glob("[!_]*.py"))
BARE = f"""
import typer
app = typer.Typer(add_completion=False)
@app.callback()
def main(version: bool = False) -> None:
    "A bare app with as many commands."
for name in {COMMANDS}:
    def run(path: str = "-") -> None: ...
    run.__doc__ = f"Do what {{name}} does, in a line of about this length, as the real one does."
    app.command(name)(run)
app()
"""
CHILD = """
import os, resource, sys, time
start = time.perf_counter()
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=sys.stderr)
"""


def once(command: list[str]) -> tuple[float, float]:
    """Return milliseconds and peak MB of one whole process."""
    start = [sys.executable, "-c", CHILD, *command]
    done = subprocess.run(start, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    seconds, peak, status = done.stderr.split("\n")[-2].split()
    if status != "0":
        raise SystemExit(f"{' '.join(command)} failed")
    return float(seconds) * 1e3, float(peak) / 1024


def against(title: str, command: list[str], peer_title: str, peer: list[str]) -> None:
    """Print the medians of both and the median of the ratios of neighbouring runs."""
    once(command), once(peer)
    pairs = [(once(command), once(peer)) for _ in range(RUNS)]
    (ours, memory), (theirs, _) = (map(statistics.median, zip(*side, strict=True)) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a[0] / b[0] for a, b in pairs)
    print(
        f"{title:<22}{ours:6.0f} ms {memory:5.0f} MB   {peer_title:<28}{theirs:6.0f} ms   ratio {ratio:.2f}", flush=True
    )


def main(file: str = "") -> None:
    """Time the three answers that everything else begins with."""
    with tempfile.TemporaryDirectory() as folder:
        bare, emo = Path(folder, "bare.py"), str(Path(sys.executable).with_name("emo"))
        bare.write_text(BARE)
        if not file:
            file = str(Path(folder, "features.h5"))
            subprocess.run(f"{emo} features synthetic -o {file}", shell=True, check=True, stdin=subprocess.DEVNULL)
        python = sys.executable
        against("emo --help", [emo, "--help"], "bare typer app --help", [python, str(bare), "--help"])
        against("emo --version", [emo, "--version"], "bare typer app, one command", [python, str(bare), COMMANDS[0]])
        against("emo info features.h5", [emo, "info", file], "import numpy, h5py", [python, "-c", "import numpy, h5py"])


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))
