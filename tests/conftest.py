"""What the tests share: a store of their own, the command as a process, small real artifacts."""

import gc
import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from emocli import extras, labels
from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer

# Threads that spin while they wait take the cores from each other when anything else runs; read when torch is imported.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
# as the command has it, for what the tests call themselves
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
WARM = Path(__file__).parent / "warm"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Run = Callable[..., subprocess.CompletedProcess[bytes]]
TRAINING = (*extras.EXTRAS["train"], *extras.EXTRAS["tune"])
LIGHT = ("dataset", "features", "quantize", "calibrate", "eval", "bench", "predict", "live", "personalize")
LIGHT += ("export", "info", "list", "plan", "replay")
"""The commands that need no torch, but for those that are about the process itself."""
LACKING = [module for module in TRAINING if importlib.util.find_spec(module) is None]
"""What this checkout was installed without, as on a device that only runs models: tests that need it are skipped."""
if "torch" in LACKING:
    os.environ["EMO_COLD"] = "1"


def skip_what_lacks(said: str) -> None:
    """Skip the test where a command or Python has said that such a module is not installed."""
    for module in LACKING:
        if f"this needs {module}, which" in said or f"No module named '{module}" in said:
            pytest.skip(f"{module} is not installed; make setup installs it")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    try:
        skip_what_lacks(str(report.longrepr) if report.failed else "")
    except pytest.skip.Exception as skipped:
        report.outcome, report.longrepr = "skipped", (report.nodeid, 0, f"Skipped: {skipped.msg}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    try:
        return (yield)
    except Exception as fault:
        skip_what_lacks(str(fault))
        raise


pytest_runtest_call = pytest_runtest_setup


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the search for garbage, a quarter of the time of an export, leaves it alone."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def store_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's own store is never touched."""
    home = tmp_path_factory.mktemp("emo-home")
    os.environ["EMO_HOME"] = str(home)
    return home


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this run, for all of its processes, of the graphs that were exported in it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "graphs"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True, scope="session")
def emo_on_the_path(tmp_path_factory: pytest.TempPathFactory, graphs: Path) -> Iterator[Path]:
    """`emo`, whose commands are forks of a process that has its libraries already; with EMO_COLD=1 they are not."""
    folder, programs = tmp_path_factory.mktemp("bin"), Path(sys.executable).parent
    client = f"{sys.executable} -IS {WARM / 'client.py'} {folder}"
    (folder / "emo").write_text(f"""#!/bin/sh
case "$1${{EMO_COLD}}${{PYTHONPATH#{WARM.parents[1]}}}" in
  train|distill|tune) exec {client}/torch "$@" ;;
  {"|".join(LIGHT)}) exec {client}/light "$@" ;;
  *) exec {programs / "emo"} "$@" ;;
esac
""")
    (folder / "emo").chmod(0o755)
    os.environ["PATH"] = f"{folder}:{programs}:{os.environ['PATH']}"
    with _server(folder / "light"), _server(folder / "torch", graphs):
        yield folder


def _server(address: Path, *words: Path) -> subprocess.Popen[bytes]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        command = [sys.executable, WARM / "server.py", str(listener.fileno()), *words]
        # it ends with its stdin, however that is closed
        return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], start_new_session=True)


@pytest.fixture(autouse=True, scope="session")
def exports_are_remembered(graphs: Path) -> None:
    """Those of this process too, where there are any."""
    if "torch" in sys.modules:
        from warm import exporter

        exporter.read_once()
        exporter.trace_once(graphs)


@pytest.fixture
def emo() -> Run:
    """Run `emo ARGS`, the one on the path; stdin is closed unless given."""

    def run(*arguments: object, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
        command = ["emo", *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=900, **options)  # type: ignore[call-overload]
        skip_what_lacks(done.stderr.decode(errors="replace") if done.returncode else "")
        return done

    return run


@pytest.fixture
def shell(tmp_path: Path) -> Run:
    """Run a real bash line with pipefail in a folder of its own."""

    def run(line: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        command = ["bash", "-euo", "pipefail", "-c", line]
        kwargs = {"cwd": tmp_path, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 900, **options}
        done = subprocess.run(command, **kwargs)  # type: ignore[call-overload]
        skip_what_lacks(done.stderr.decode(errors="replace") if done.returncode else "")
        return done

    return run


def making(*words: object) -> list[str]:
    """Return the words of a `make` with the environment of the tests, which is taken to be ready."""
    return ["make", "-o", ".venv/ready", f"PATH={os.environ['PATH']}", *map(str, words)]


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The real corpora, where they are at hand."""
    if not SHARED.is_dir():
        pytest.skip("no real corpora beside the project (../shared/data)")
    return SHARED


@pytest.fixture(scope="session")
def features_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of 240 pictures whose brightness tells the class, 160 to train on and 80 for validation."""
    path = tmp_path_factory.mktemp("features") / "features.h5"
    write_features(path)
    return path


def write_features(
    path: Path, *, n: int = 240, kind: str = "features", classes: int = 3, size: int = 48, detector: str = "none"
) -> str:
    """Write a small data artifact; returns its content hash."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % classes
    x = rng.integers(0, 60, (n, 1, size, size)) + (y * 180 // max(1, classes - 1))[:, None, None, None]
    split = np.where(np.arange(n) % 3 == 2, "validation", "train")
    step = {"command": "dataset", "name": "folder", "params": {}, "input": f"sha256:{0:064}", "license": "none"}
    steps = (step, {"command": "features", "name": "pixels", "params": {"size": size}, "detector": detector})
    header = Header(kind, labels.SEVEN[:classes], steps[: 2 if kind == "features" else 1])
    writer = Writer(path, count=n)
    writer.append(x.astype(np.uint8))
    return writer.finish(header, y, "label", split, ids=[f"{row}" for row in range(n)])
