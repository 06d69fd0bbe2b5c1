"""Several processes train one net: the same weights in all, those of one process, and one of them speaks and writes."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from small_runs import small_net, three_classes
from two_processes import facts, first_steps, learned

from emocli import onnx_file, pipes, ranks, replaying
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.training import distributed, hardware, precision


@dataclass
class Together:
    """What two processes of torchrun left: the files of each, what they printed, and how they ended."""

    steps: list[dict[str, np.ndarray]]
    trained: list[dict[str, np.ndarray]]
    output: bytes
    notes: list[str]
    status: int


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_classes(tmp_path_factory.mktemp("data") / "features.h5")


@pytest.fixture(scope="module")
def together(features: Path, tmp_path_factory: pytest.TempPathFactory) -> Together:
    folder = tmp_path_factory.mktemp("two")
    script = Path(__file__).with_name("two_processes.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = [str(script.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    command = [*launcher, str(script), str(features), str(folder)]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=600, stdin=subprocess.DEVNULL)
    steps, trained = (
        [dict(np.load(folder / f"{name}-{rank}.npz")) for rank in (0, 1)] for name in ("steps", "trained")
    )
    return Together(steps, trained, done.stdout, done.stderr.decode().splitlines(), done.returncode)


def same(mine: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> bool:
    return set(mine) == set(theirs) and all(np.array_equal(mine[name], theirs[name]) for name in mine)


def test_shares_of_a_batch_give_the_gradient_steps_and_centres_of_the_whole(together: Together) -> None:
    alone = facts(first_steps())
    assert same(*together.steps)
    for name, value in together.steps[0].items():
        if name == "state":
            continue
        assert np.abs(value).max() > 1e-3 and np.allclose(value, alone[name], atol=1e-5, rtol=0), name


def test_what_the_first_has_on_its_disk_all_can_read(together: Together) -> None:
    assert all(steps["state"].tolist() == [7] * 1000 for steps in together.steps)


def test_all_processes_end_with_the_same_weights_and_history(together: Together) -> None:
    assert same(*together.trained)


def test_two_processes_learn_what_one_learns(together: Together, features: Path) -> None:
    with hdf5.open_data(features) as data:
        alone = learned(data)["history"]
    both = together.trained[0]["history"]
    assert np.abs(both[:, 0] - alone[:, 0]).max() < 0.15
    assert both[-1, 1] > 0.95 and alone[-1, 1] > 0.95


def test_the_first_alone_speaks_and_writes_the_model(together: Together, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(together.output)
    onnx.checker.check_model(tmp_path / "model.onnx")
    header = onnx_file.read_header(tmp_path / "model.onnx")
    assert header.steps[-1]["processes"] == 2
    assert "run by torchrun with 2 processes" in replaying.pipeline(header)
    said = [line.partition(":")[0] for line in together.notes if line.startswith("epoch ")]
    assert said == ["epoch 1/2", "epoch 2/2"]
    assert sum("keeps epoch" in line for line in together.notes) == 1


def test_an_error_in_one_process_ends_all_and_is_one_line(together: Together) -> None:
    assert together.status
    said = [line for line in together.notes if line.startswith("emo: ")]
    failed = [line for line in said if "trains on" not in line and "keeps epoch" not in line]
    assert len(failed) == 1 and "can't read" in failed[0] and "missing.h5" in failed[0]


def test_one_pipe_is_no_input_of_several_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    handle = os.open(tmp_path / "pipe", os.O_RDWR)  # or opening it would wait for a writer
    with pytest.raises(EmoError, match="can't share one pipe; write its contents to a file"):
        pipes.read(str(tmp_path / "pipe"), "features")
    os.close(handle)


def test_without_torchrun_a_process_is_alone() -> None:
    assert (ranks.number(), ranks.count(), ranks.local_number(), ranks.local_count()) == (0, 1, 0, 1)


def test_others_of_whom_nothing_else_is_said_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EmoError, match=r"RANK expected, but not set.*with torchrun, or unset WORLD_SIZE"):
        distributed.join(torch.device("cpu"))


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert hardware.pick("auto", gpus=2) == torch.device("cuda", 1)
    assert hardware.pick("cpu", gpus=2) == hardware.pick("auto", gpus=0) == torch.device("cpu")
    for name in ("cuda", "auto"):
        with pytest.raises(EmoError, match="2 processes here want a GPU each and there is 1; use --nproc-per-node 1"):
            hardware.pick(name, gpus=1)
    with pytest.raises(EmoError, match="no GPU"):
        hardware.pick("cuda", gpus=0)


def test_a_gpu_trains_convolutions_in_bf16_and_channels_last() -> None:
    assert precision.choose(small_net(), device="cuda") == precision.Plan(bf16=True, channels_last=True)


def test_processes_share_the_cores_unless_told_how_many_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(6)), raising=False)
    assert hardware.threads(0) == 6
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "6")
    assert hardware.threads(0) == 1 and hardware.threads(3) == 3
