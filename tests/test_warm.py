"""A command that is a fork of a process with its libraries is the command: the same files, limits, words and end."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import Run
from warm import exporter

from emocli.training import export, loop

TRAIN = "emo train --arch emotion-cnn -p width=8 --threads 1 --epochs"


@pytest.mark.parametrize(
    "line",
    [
        *("emo train no.h5", "emo train --epochs 0 f.h5", "emo train <&-", "emo tune f.h5 >/dev/full"),
        *("emo info no.h5", "emo features -p size=0 f.h5", "emo eval <&-", "emo list models >/dev/full"),
    ],
)
def test_it_says_the_same_and_ends_with_the_same_status(
    shell: Run, features_file: Path, tmp_path: Path, line: str
) -> None:
    (tmp_path / "f.h5").symlink_to(features_file)
    warm, cold = shell(line), shell(line, env={**os.environ, "EMO_COLD": "1"})
    assert warm.returncode == cold.returncode != 0
    assert warm.stderr == cold.stderr and b"\n" in warm.stderr


def test_it_reads_what_is_piped_and_writes_no_further_than_it_may(
    shell: Run, features_file: Path, tmp_path: Path
) -> None:
    done = shell(f"{TRAIN} 1 <(cat {features_file}) | cat > m.onnx; ulimit -f 1; {TRAIN} 1 {features_file} -o n.onnx")
    assert done.returncode == 1 and b"File too large" in done.stderr
    assert (tmp_path / "m.onnx").stat().st_size > 10_000 and not (tmp_path / "n.onnx").exists()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_told_to_stop_by_the_one_who_asked(features_file: Path, tmp_path: Path, told: signal.Signals) -> None:
    words = [*TRAIN.split(), "10000", features_file, "-o", tmp_path / "m.onnx"]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as asking:
        assert asking.stderr is not None
        while not asking.stderr.readline().startswith(b"epoch"):
            assert asking.poll() is None
        asking.send_signal(told)
        # who writes to the pipe is the command: it is read to its end when that is gone
        asking.stderr.read()
        assert asking.wait() == {signal.SIGTERM: 143, signal.SIGKILL: -9}[told]


@pytest.mark.parametrize(
    ("arch", "shape", "params"),
    [("emotion-cnn", (1, 24, 24), {"width": 8}), ("lstm", (-1, 16), {}), ("mlp", (16,), {})],
)
def test_a_net_of_a_kind_that_was_exported_is_exported_as_if_it_were_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arch: str, shape: tuple[int, ...], params: dict[str, int]
) -> None:
    def exported(seed: int, classes: int = 3) -> bytes:
        net = loop.make(arch, shape, classes, params, seed).eval()
        return export.to_onnx(net, shape).SerializeToString(deterministic=True)

    monkeypatch.setattr("torch.onnx.export", exporter.traced)
    alone = exported(1)
    exporter.trace_once(tmp_path)
    first = exported(0)
    monkeypatch.setattr(exporter, "traced", None)
    assert exported(1) == alone != first
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):  # a kind that is to be traced
        exported(1, classes=4)
