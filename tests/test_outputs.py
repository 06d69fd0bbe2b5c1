"""What may stand in the way of an output: a full disk, a store that takes nothing, a folder that is gone, bad names."""

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run, write_features
from scored import N, write_data
from small_model import write_model

from emocli import labels, main, outputs, store
from emocli.errors import EmoError

FULL = "emo: can't write the output: the disk is full; what is there is not whole, make room and run it again\n"


def _into_a_full_disk(*words: object, **more: str) -> subprocess.CompletedProcess[bytes]:
    command = ["emo", *map(str, words)]
    with open("/dev/full", "wb") as full:
        return subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=os.environ | more, check=False)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["--version", "features synthetic --limit 3"])
def test_a_full_disk_behind_stdout_is_said_of_the_output_in_one_line(words: str, unbuffered: str) -> None:
    done = _into_a_full_disk(*words.split(), PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr.decode()) == (1, FULL)


def test_a_plot_is_whole_though_the_figures_find_no_room(tmp_path: Path) -> None:
    model, plot = write_model(tmp_path / "m.onnx"), tmp_path / "cm.png"
    data = write_data(tmp_path / "f.h5", labels.SEVEN)
    # written at once, as more than fits into Python's buffer is
    done = _into_a_full_disk("eval", model, "--data", data, "--plot", plot, PYTHONUNBUFFERED="1")
    assert done.returncode == 1 and done.stderr.decode().endswith(FULL)
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_an_int8_model_is_delivered_though_the_store_takes_no_copy_of_the_fp32_one(emo: Run, tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", varied=True)
    data = write_data(tmp_path / "f.h5", labels.SEVEN, parts=["train", "validation"] * (N // 2))
    home = tmp_path / "home"
    # a folder where the copy belongs: root, too, can't replace it by a file
    (home / "cache" / store.file_digest(model).removeprefix("sha256:") / "in the way").mkdir(parents=True)
    words = ("quantize", model, "--data", data, "--max-drop", 100, "--min-speedup", 0, "-o", tmp_path / "int8.onnx")
    done = emo(*words, env=os.environ | {"EMO_HOME": str(home)})
    assert done.returncode == 0 and (tmp_path / "int8.onnx").exists()
    assert f"in {home / 'cache'} (Is a directory)" in done.stderr.decode().splitlines()[-1]


def test_a_named_file_is_scored_though_the_store_can_not_note_where_it_is(emo: Run, tmp_path: Path) -> None:
    model, data = write_model(tmp_path / "m.onnx"), write_data(tmp_path / "f.h5", labels.SEVEN)
    (tmp_path / "home").write_text("a file, which root can't write a folder into either")
    done = emo("eval", model, "--data", data, env=os.environ | {"EMO_HOME": str(tmp_path / "home")})
    (said,) = done.stderr.decode().splitlines()
    assert done.returncode == 0 and "set EMO_HOME" in said and said.endswith(f"have to be told: --data {data}")


def test_a_copy_that_the_store_has_no_room_for_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))

    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(EmoError, match=f"copy of m.onnx in {tmp_path / 'cache'} .*No space.*EMO_HOME"):
        store.copy(Path("m.onnx"), f"sha256:{0:064}")


def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path: Path) -> None:
    place = tmp_path / ("é" * 127 + "x")
    with outputs.output(str(place), force=False) as scratch:
        scratch.write_bytes(b"new")
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    with pytest.raises(OSError, match="too long"), outputs.output(f"{place}x", force=False):
        pytest.fail("it was to be refused before any work")


def test_what_replaces_a_file_has_its_mode_and_is_read_by_nobody_else_before(tmp_path: Path) -> None:
    place, new = tmp_path / "mine.h5", tmp_path / "new.h5"
    place.write_bytes(b"old")
    place.chmod(0o640)
    with outputs.output(str(place), force=True) as scratch:
        assert stat.S_IMODE(scratch.stat().st_mode) == 0o600
        scratch.write_bytes(b"new")
    assert place.read_bytes() == b"new" and stat.S_IMODE(place.stat().st_mode) == 0o640
    with outputs.output(str(new), force=True):
        pass
    (tmp_path / "touched").touch()
    assert new.stat().st_mode == (tmp_path / "touched").stat().st_mode


def test_an_empty_name_of_an_output_is_answered_as_one_of_an_input(emo: Run) -> None:
    done = emo("features", "synthetic", "--limit", 3, "-o", "")
    assert (done.returncode, done.stderr) == (
        1,
        b"emo: an empty name is no output; is a variable of the shell unset?\n",
    )


def test_a_number_of_what_the_shell_opened_is_written_into(shell: Run, tmp_path: Path, features_file: Path) -> None:
    write_features(tmp_path / "d.h5", n=9, kind="dataset")
    done = shell("emo features d.h5 > a.h5; (printf kept; emo features d.h5 -o /dev/fd/5 5>&1) > b.h5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b.h5").read_bytes() == b"kept" + (tmp_path / "a.h5").read_bytes()


def test_a_plot_that_can_t_be_written_is_refused_before_anything_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, plot = write_model(tmp_path / "m.onnx"), tmp_path / "cm.png"
    data = write_data(tmp_path / "x.h5", labels.SEVEN)
    plot.write_bytes(b"somebody's")

    def scored(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("emocli.scores.scoring.records", scored)
    monkeypatch.setattr("sys.argv", ["emo", "eval", str(model), "--data", str(data), "--plot", str(plot)])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit):
        main.main()
    assert "cm.png exists; replace it with --force" in capsys.readouterr().err
    assert plot.read_bytes() == b"somebody's"


def test_what_killed_commands_of_this_machine_left_beside_an_output_is_removed_in_time(tmp_path: Path) -> None:
    program = (
        "import os, sys; from emocli import outputs\n"
        "with outputs.output(sys.argv[1], force=False) as scratch: print(scratch, flush=True); os.kill(os.getpid(), 9)"
    )

    def killed(name: str, *, old: bool) -> Path:
        done = subprocess.run([sys.executable, "-c", program, tmp_path / name], stdout=subprocess.PIPE, check=False)
        scratch = Path(os.fsdecode(done.stdout.strip()))
        if old:
            os.utime(scratch, (0, 0))
        return scratch

    gone, new, others = killed("a.h5", old=True), killed("a.h5", old=False), killed("b.h5", old=True)
    before, _, after = gone.name.rpartition("-")
    start = before.rpartition("-")[0]
    of_another_machine, running = (
        gone.with_name(f".a.h5.x{before[7:]}-{after}"),
        gone.with_name(f"{start}-{os.getpid()}-0.part"),
    )
    for path in (of_another_machine, running):
        path.touch()
        os.utime(path, (0, 0))
    with outputs.output(str(tmp_path / "a.h5"), force=False) as scratch:
        assert set(tmp_path.iterdir()) == {new, others, of_another_machine, running, scratch}


def test_a_folder_that_was_removed_from_under_a_command_is_one_line(shell: Run) -> None:
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -P -m emocli info ../features.h5")
    assert done.returncode == 1
    assert done.stderr == b"emo: the folder that this runs in was removed; go to another one: cd\n"
