"""Main input and main output: whole or not at all, through files and real bash pipes."""

import contextlib
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import Run, write_features
from small_model import write_model

from emocli import artifact, outputs, pipes, store, streams
from emocli.data import hdf5
from emocli.errors import EmoError


def _line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line that a refused command prints."""
    text = done.stderr.decode()
    assert text.startswith("emo: ") and text.count("\n") == 1, text
    assert not done.stdout
    return text


def test_a_pipe_carries_the_bytes_and_the_reader_sees_the_same_artifact(shell: Run, features_file: Path) -> None:
    done = shell(f"cat {features_file} | emo info --verify")
    assert f'"digest": "{hdf5.verify(features_file)}"'.encode() in done.stdout


def test_a_regular_file_behind_the_redirection_is_opened_in_place(shell: Run, features_file: Path) -> None:
    before = set(store.folder("cache").iterdir())
    shell(f"emo info < {features_file}").check_returncode()
    new = {path for path in set(store.folder("cache").iterdir()) - before if path.suffix != ".json"}
    assert not new


def test_process_substitution_is_an_input_like_any_other(shell: Run, features_file: Path) -> None:
    assert b'"kind": "features"' in shell(f"emo info <(cat {features_file})").stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty; did the previous command fail?"),
        (b"emotion,pixels,Usage\n0,1 2 3,Training\n", "not an emo artifact"),
        (bytes(range(256)) * 40, "not an emo artifact"),
        (b"\x08\x0a" + os.urandom(500), "not a whole ONNX file"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 500, "not a whole HDF5 file"),
    ],
)
def test_foreign_stdin_is_refused_in_one_line(emo: Run, content: bytes, says: str) -> None:
    done = emo("features", stdin=content)
    assert done.returncode == 1
    assert says in _line(done)


def test_a_truncated_stream_is_refused(emo: Run, features_file: Path) -> None:
    done = emo("train", stdin=features_file.read_bytes()[:-5000])
    assert done.returncode == 1
    assert "truncated" in _line(done)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("info", "ferplus_int8"), "can't read ferplus_int8 (did you mean ferplus-int8?): No such file"),
        (("train", "synthetic"), "emo features synthetic"),
    ],
)
def test_a_name_that_is_no_files_gets_the_one_that_was_meant(emo: Run, words: tuple[str, str], says: str) -> None:
    done = emo(*words)
    assert done.returncode == 1 and says in _line(done)


def test_an_onnx_file_without_a_header_is_refused(emo: Run, tmp_path: Path) -> None:
    import onnx
    from onnx import helper

    value = [helper.make_tensor_value_info(name, 1, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", value[:1], value[1:])
    onnx.save(helper.make_model(graph), tmp_path / "plain.onnx")
    done = emo("eval", tmp_path / "plain.onnx")
    assert done.returncode == 1
    assert "without an emo header" in _line(done)


def test_zero_bytes_are_no_model_though_onnx_would_parse_them(emo: Run) -> None:
    assert "empty" in _line(emo("quantize"))


def test_a_dataset_where_features_are_expected_names_the_command_to_run(emo: Run, tmp_path: Path) -> None:
    write_features(tmp_path / "d.h5", kind="dataset")
    done = emo("train", tmp_path / "d.h5", "-o", tmp_path / "m.onnx")
    assert f"run: emo features {tmp_path / 'd.h5'}" in _line(done)
    assert not (tmp_path / "m.onnx").exists()


def test_a_missing_file_and_a_folder_are_refused(emo: Run, tmp_path: Path) -> None:
    assert "No such file" in _line(emo("info", tmp_path / "none.h5"))
    assert "is a folder" in _line(emo("info", tmp_path))


def test_an_existing_output_is_replaced_only_with_force(emo: Run, tmp_path: Path) -> None:
    target = tmp_path / "out.h5"
    target.write_text("precious")
    arguments = ("dataset", "synthetic", "-p", "count=21", "-o", target)
    done = emo(*arguments)
    assert done.returncode == 1
    assert "--force" in _line(done)
    assert target.read_text() == "precious"
    assert emo(*arguments, "--force").returncode == 0
    assert hdf5.read_header(target)[0].kind == "dataset"


def test_data_are_not_replaced_by_a_model_nor_a_model_by_data(emo: Run, features_file: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx")
    before = model.read_bytes(), features_file.read_bytes()
    for target, words in ((model, ("features", "synthetic", "--limit", 9)), (features_file, ("calibrate", model))):
        data = ("--data", features_file, "--temperature", 2) if target == features_file else ()
        done = emo(*words, *data, "-o", target, "--force")
        assert done.returncode == 1 and "name another file" in done.stderr.decode(), done.stderr
    assert (model.read_bytes(), features_file.read_bytes()) == before


def test_a_failed_stage_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), outputs.output(str(tmp_path / "x.h5"), force=False) as scratch:
        scratch.write_bytes(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_failed_stage_fails_the_pipe_and_leaves_no_file(shell: Run, tmp_path: Path) -> None:
    done = shell("emo features no-such-set | emo train -o model.onnx")
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_the_file_size_limit_ends_in_one_line_and_no_file(shell: Run, tmp_path: Path) -> None:
    done = shell("ulimit -f 64; trap '' XFSZ; emo dataset synthetic -p count=400 -o big.h5")
    assert done.returncode == 1
    assert "file size limit" in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def small_disk(place: Path, kibibytes: int) -> Iterator[Path]:
    """A disk with room for so much."""
    if os.geteuid():
        pytest.skip("mounting a small disk takes root")
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", place], check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_ends_in_one_line_and_no_file(emo: Run, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        done = emo("dataset", "synthetic", "-p", "count=400", "-o", disk / "big.h5")
        assert done.returncode == 1
        assert "disk is full" in _line(done)
        assert list(disk.iterdir()) == []


@pytest.mark.parametrize("pages", [1, 3, 10, 24])
def test_a_disk_that_is_full_for_what_hdf5_held_back_ends_in_one_line(tmp_path: Path, pages: int) -> None:
    state = (
        "import sys, torch; from pathlib import Path; from emocli.errors import EmoError\n"
        "from emocli.training import checkpoint\n"
        "try: checkpoint.save(Path(sys.argv[1]), {}, {'net': {str(i): torch.randn(500) for i in range(50)}})\n"
        "except EmoError as fault: sys.exit(str(fault))"
    )
    with small_disk(tmp_path / "disk", 4 * pages) as disk:
        done = subprocess.run([sys.executable, "-c", state, disk / "s.h5"], capture_output=True, check=False)
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"state of the run" in done.stderr
        assert list(disk.iterdir()) == []


def test_a_pipe_that_fills_the_disk_loses_no_byte_silently(
    features_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the last piece fits in part only, which a raw file's write reports by its count alone
    room = features_file.stat().st_size // 4096 * 4 - 4
    with small_disk(tmp_path / "disk", room) as disk, open(features_file, "rb") as stream:
        monkeypatch.setenv("EMO_HOME", str(disk))
        with pytest.raises(EmoError, match="disk is full"):
            pipes._spool(stream.fileno())


def test_a_kill_during_a_write_leaves_the_target_absent(tmp_path: Path) -> None:
    program = (
        "import sys, time; from emocli import outputs\n"
        "with outputs.output(sys.argv[1], force=False) as scratch:\n"
        "    scratch.write_bytes(b'half'); print('ready', flush=True); time.sleep(60)"
    )
    target = tmp_path / "x.h5"
    with subprocess.Popen([sys.executable, "-c", program, target], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        writer.send_signal(signal.SIGKILL)
    assert not target.exists()


def test_a_terminated_command_cleans_up(tmp_path: Path) -> None:
    read, write = os.pipe()
    command = [sys.executable, "-m", "emocli", "features", "-o", str(tmp_path / "x.h5")]
    with subprocess.Popen(command, stdin=read, stderr=subprocess.DEVNULL) as waiting:
        while not list(tmp_path.iterdir()):
            assert waiting.poll() is None
        waiting.terminate()
        assert waiting.wait() == 128 + signal.SIGTERM
    os.close(read)
    os.close(write)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_ends_the_command_quietly(shell: Run) -> None:
    done = shell("set +o pipefail; emo dataset synthetic -p count=2000 | head -c 10 >/dev/null; echo ${PIPESTATUS[0]}")
    assert done.stdout.strip() == b"141"
    assert done.stderr == b""


def test_binary_output_is_refused_on_a_terminal(tmp_path: Path) -> None:
    import pty

    main, terminal = os.openpty()
    command = [sys.executable, "-m", "emocli", "dataset", "synthetic"]
    done = subprocess.run(command, stdin=terminal, stdout=terminal, stderr=subprocess.PIPE, check=False)
    os.close(main)
    os.close(terminal)
    assert done.returncode == 1 and b"-o FILE" in done.stderr
    assert pty


def test_a_terminal_on_stdin_is_not_waited_for() -> None:
    main, terminal = os.openpty()
    command = [sys.executable, "-m", "emocli", "info"]
    done = subprocess.run(command, stdin=terminal, capture_output=True, timeout=60, check=False)
    os.close(main)
    os.close(terminal)
    assert done.returncode == 1 and b"no input" in done.stderr


def test_an_hdf5_file_with_a_link_out_of_itself_is_refused(emo: Run, tmp_path: Path, features_file: Path) -> None:
    bad = tmp_path / "linked.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        del file["id"]
        file["id"] = h5py.ExternalLink(str(features_file), "/id")
    assert "leads elsewhere" in _line(emo("train", bad))


def test_storage_outside_the_file_is_refused(tmp_path: Path, features_file: Path) -> None:
    bad = tmp_path / "external.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        del file["split"]
        file.create_dataset("split", (240,), "u1", external=[(str(tmp_path / "raw"), 0, 240)])
    with pytest.raises(EmoError, match="in another file"), hdf5.open_data(bad):
        pass


def test_a_shape_without_bytes_behind_it_is_refused(tmp_path: Path, features_file: Path) -> None:
    bad = tmp_path / "huge.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        del file["y"], file["split"], file["id"], file["face/x"]
        file.create_dataset("face/x", (1 << 40, 1, 48, 48), "u1")
        file.create_dataset("y", (1 << 40,), "i2")
        file.create_dataset("split", (1 << 40,), "u1")
    with pytest.raises(EmoError, match="claims more"), hdf5.open_data(bad):
        pass


def test_a_compressed_shape_without_bytes_behind_it_is_refused(tmp_path: Path, features_file: Path) -> None:
    bad = tmp_path / "huge.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        del file["id"]
        file.create_dataset("id", (1 << 31,), "S8", chunks=(1 << 20,), compression="gzip")
    with pytest.raises(EmoError, match="claims more of /id"), hdf5.open_data(bad):
        pass


def test_compressed_data_are_read(tmp_path: Path, features_file: Path) -> None:
    packed = tmp_path / "packed.h5"
    shutil.copy(features_file, packed)
    with h5py.File(packed, "a") as file:
        x = np.zeros_like(file["face/x"][:])
        del file["face/x"]
        file.create_dataset("face/x", data=x, compression=9, shuffle=True, fletcher32=True)
    with hdf5.open_data(packed) as data:
        assert np.array_equal(data.x[:], x)


def test_changed_contents_are_noticed_by_the_hash(emo: Run, tmp_path: Path, features_file: Path) -> None:
    bad = tmp_path / "changed.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        file["face/x"][3, 0, 0, 0] ^= 255
    assert "was changed" in _line(emo("info", "--verify", bad))


def test_a_damaged_pipe_is_refused_and_does_not_replace_what_was_kept(
    emo: Run, shell: Run, features_file: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "changed.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        file["face/x"][3, 0, 0, 0] ^= 255
    assert emo("info", stdin=features_file.read_bytes()).returncode == 0
    done = shell(f"cat {bad} | emo info")
    assert done.returncode == 1 and b"was changed" in done.stderr
    assert hdf5.verify(store.candidates(hdf5.read_header(features_file)[1])[0])


def test_a_link_is_written_through_and_the_name_of_stdout_is_stdout(shell: Run, tmp_path: Path) -> None:
    (tmp_path / "real.h5").write_bytes(b"old")
    (tmp_path / "link.h5").symlink_to("real.h5")
    (tmp_path / "new.h5").symlink_to("made.h5")
    with pytest.raises(EmoError, match="exists"), outputs.output(str(tmp_path / "link.h5"), force=False):
        pass
    for link, real in (("link.h5", "real.h5"), ("new.h5", "made.h5")):
        with outputs.output(str(tmp_path / link), force=link == "link.h5") as scratch:
            scratch.write_bytes(b"new")
        assert (tmp_path / link).is_symlink() and (tmp_path / real).read_bytes() == b"new"
    assert shell("emo dataset synthetic -p count=30 -o /dev/stdout > out.h5; emo info out.h5").returncode == 0


def test_what_is_a_pipe_by_name_or_number_is_written_into(shell: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    line = "timeout 60 emo features synthetic --limit 9 -o"
    assert shell(f"emo info < pipe > a.json & {line} pipe && wait $!").returncode == 0
    assert shell(f"{line} >(emo info > b.json) && timeout 60 sh -c 'until [ -s b.json ]; do :; done'").returncode == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes() != b""


def test_features_that_changed_after_training_are_not_taken_for_the_same(tmp_path: Path) -> None:
    file = tmp_path / "f.h5"
    digest = write_features(file, n=30)
    pipes.read(str(file), "features")
    header = hdf5.read_header(file)[0].then({"command": "train", "name": "emotion-cnn", "data": digest})
    assert pipes.features_of(header, None).path == file
    other = {"command": "quantize", "input": f"sha256:{2:064}", "data": f"sha256:{3:064}"}
    assert pipes.features_of(header.then(other), None).path == file, "what it learned from, not what set its ranges"
    with h5py.File(file, "a") as data:
        data["face/x"][0, 0, 0, 0] ^= 255
    with pytest.raises(EmoError, match=f"{digest}.*--data FILE"):
        pipes.features_of(header, None)


def test_a_header_of_a_newer_schema_is_refused(tmp_path: Path, features_file: Path) -> None:
    newer = tmp_path / "newer.h5"
    shutil.copy(features_file, newer)
    with h5py.File(newer, "a") as file:
        file.attrs["emo"] = str(file.attrs["emo"]).replace('"schema": 1', '"schema": 2')
    with pytest.raises(EmoError, match="newer emo"):
        hdf5.read_header(newer)


def test_a_label_out_of_range_is_refused(tmp_path: Path, features_file: Path) -> None:
    bad = tmp_path / "label.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        file["y"][5] = 7
    with pytest.raises(EmoError, match="label out of range"), hdf5.open_data(bad):
        pass


def test_a_bit_that_turned_a_label_into_none_is_one_line(emo: Run, tmp_path: Path, features_file: Path) -> None:
    bad = tmp_path / "label.h5"
    shutil.copy(features_file, bad)
    with h5py.File(bad, "a") as file:
        file["y"][5] ^= 1 << 6
    assert "was changed" in _line(emo("info", "--verify", bad))
    assert "label out of range" in _line(emo("info", bad))


def test_features_are_called_by_their_file_and_those_of_the_cache_by_their_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, features_file: Path
) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    digest = pipes.read(str(features_file), "features").digest
    found = pipes.at_hand(digest)
    assert found is not None and found.source == str(features_file)
    alike = tmp_path / digest[-2:]
    shutil.copy(features_file, alike)
    pipes.read(str(alike), "features")
    found = pipes.at_hand(digest)
    assert found is not None and found.source == str(alike)
    scratch = store.spool()
    shutil.copy(features_file, scratch)
    store.keep(scratch, digest, move=True)
    found = pipes.at_hand(digest)
    assert found is not None and found.source == digest[: len("sha256:") + 12] and str(tmp_path) in str(found.path)


def test_the_cache_forgets_what_was_used_longest_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setenv("EMO_CACHE_BYTES", "2500")
    monkeypatch.setattr(store, "_in_use", {})
    digests = [f"sha256:{number:064}" for number in range(3)]
    # neither the first nor the last one made was used last
    for age, digest in zip((2, 3, 1), digests, strict=True):
        scratch = store.spool()
        scratch.write_bytes(b"x" * 1000)
        os.utime(store.keep(scratch, digest, move=True), (age, age))
    for number in store._in_use.values():  # another command
        os.close(number)
    store._in_use.clear()
    scratch = store.spool()
    scratch.write_bytes(b"y" * 1000)
    store.keep(scratch, f"sha256:{9:064}", move=True)
    assert [bool(store.candidates(digest)) for digest in digests] == [False, True, False]


def test_what_a_command_is_going_to_open_stays_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setenv("EMO_CACHE_BYTES", "1500")
    kept = []
    for number in range(2):
        scratch = store.spool()
        scratch.write_bytes(b"x" * 1000)
        kept.append(store.keep(scratch, f"sha256:{number:064}", move=True))
    assert all(path.exists() for path in kept)


def test_what_another_command_is_going_to_open_stays_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setenv("EMO_CACHE_BYTES", "1500")
    keep = """
import sys
from emocli import store
scratch = store.spool()
scratch.write_bytes(b"x" * 1000)
print(store.keep(scratch, f"sha256:{int(sys.argv[1]):064}", move=True), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", keep, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        first = Path(other.stdout.readline().strip())
        run = subprocess.run([sys.executable, "-c", keep, "2"], input="", capture_output=True, text=True, check=True)
        assert first.exists() and Path(run.stdout.strip()).exists()
        # the same once more, by a command that ends
        subprocess.run([sys.executable, "-c", keep, "1"], input="", capture_output=True, check=True)
        subprocess.run([sys.executable, "-c", keep, "4"], input="", capture_output=True, check=True)
        assert first.exists()
    subprocess.run([sys.executable, "-c", keep, "3"], input="", capture_output=True, check=True)
    assert not first.exists()


def test_a_file_system_without_locks_has_a_bound_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setenv("EMO_CACHE_BYTES", "1500")

    def flock(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    before = store.folder("cache") / f"{7:064}"
    before.write_bytes(b"x" * 1000)
    os.utime(before, (1, 1))
    scratch = store.spool()
    scratch.write_bytes(b"x" * 1000)
    kept = store.keep(scratch, f"sha256:{8:064}", move=True)
    assert kept.exists() and not before.exists()


def test_what_is_kept_others_may_read_as_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    before = os.umask(0o027)
    try:
        place = store.keep(store.spool(), f"sha256:{0:064}", move=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o640


def test_what_a_killed_command_left_in_the_cache_is_removed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    cache = store.folder("cache")
    left = {
        name: cache / f".spool-{name}.part" for name in (f"{gone.pid}-old", f"{gone.pid}-new", f"{os.getpid()}-old")
    }
    for name, path in left.items():
        path.touch()
        if name.endswith("old"):
            os.utime(path, (0, 0))
    store.keep(store.spool(), f"sha256:{1:064}", move=True)
    assert [path.exists() for path in left.values()] == [False, True, True]


def test_a_pipe_that_does_not_wait_is_read_to_its_end(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def write() -> None:
        for piece in (b"first", b"second"):
            time.sleep(0.1)
            os.write(writing, piece)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb", buffering=0) as source, open(tmp_path / "out", "wb", buffering=0) as target:
        streams.pour(source, target)
    writer.join()
    assert (tmp_path / "out").read_bytes() == b"firstsecond"


def test_without_stderr_what_is_said_does_not_get_into_the_artifact(shell: Run, tmp_path: Path) -> None:
    done = shell(
        f"""cd {tmp_path}; emo dataset synthetic -p count=30 -o d.h5
        emo features d.h5 --detector haar -p size=32 2>&- > f.h5; emo info f.h5 --json"""
    )
    assert done.returncode == 0 and b'"kind": "features"' in done.stdout, done.stderr
    for line in ("emo list engines >&-", "emo --version >&-", "emo dataset synthetic -p count=30 -o e.h5 >&-"):
        assert shell(f"cd {tmp_path}; {line}").returncode == 0, line


def test_a_link_under_the_scratch_s_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / f".out.h5.{os.getpid()}.part").symlink_to(tmp_path / "victim")
    with outputs.output(str(tmp_path / "out.h5"), force=False) as scratch:
        scratch.write_bytes(b"new")
    assert (tmp_path / "victim").read_bytes() == b"mine" and not (tmp_path / "out.h5").is_symlink()


def test_a_name_that_is_too_long_for_a_file_is_one_line(emo: Run) -> None:
    assert "is too long for a file's name" in _line(emo("info", "a" * 300))


@pytest.mark.parametrize(
    "step",
    [
        *({"command": "train", "name": "mlp", "options": 5}, {"command": 3}, {"command": "x", "license": []}),
        *({"command": name} for name in ("dataset", "features", "train", "distill", "quantize")),
        {"command": "distill", "name": "mlp", "options": {"teacher": 5}},
        {"command": "train", "name": "mlp", "people": {"ravdess": 5}},
        {"command": "train", "name": "mlp", "people": {"ravdess": [5]}},
    ],
)
def test_steps_of_another_kind_are_a_damaged_header(step: dict[str, object]) -> None:
    text = json.dumps({"schema": 1, "kind": "model", "labels": ["happy"], "steps": [step]})
    with pytest.raises(EmoError, match="damaged emo header"):
        artifact.parse(text, "m.onnx")
    with pytest.raises(EmoError, match="damaged emo header"):
        artifact.parse('{"schema": ' + "[" * 100_000, "m.onnx")


def test_what_is_nested_too_deep_to_be_shown_is_a_damaged_header() -> None:
    def parsed(depth: int) -> artifact.Header:
        nested = "[" * depth + "]" * depth
        return artifact.parse(f'{{"schema": 1, "kind": "model", "labels": [], "steps": [], "x": {nested}}}', "m.onnx")

    assert parsed(20).extra["x"]
    with pytest.raises(EmoError, match="damaged emo header"):
        parsed(400)


@pytest.mark.parametrize("labels", ["happy", {"happy": 0}])
def test_labels_that_are_no_list_are_a_damaged_header(labels: object) -> None:
    text = json.dumps({"schema": 1, "kind": "model", "labels": labels, "steps": []})
    with pytest.raises(EmoError, match="damaged emo header"):
        artifact.parse(text, "m.onnx")


def test_half_a_character_which_nobody_could_write_again_is_a_damaged_header() -> None:
    for half in ({"x": "\ud800"}, {"steps": [{"command": "x", "license": "\ud800"}]}):
        text = json.dumps({"schema": 1, "kind": "model", "labels": ["happy"], "steps": [], **half})
        with pytest.raises(EmoError, match="damaged emo header"):
            artifact.parse(text, "m.onnx")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_note_that_was_cut_short_is_as_good_as_none(text: str) -> None:
    digest = f"sha256:{5:064}"
    note = store.folder("cache") / f"{5:064}.json"
    note.write_text(text)
    assert store._place(digest).with_suffix(".json") == note and store.candidates(digest) == []


def test_a_file_that_was_noted_and_is_gone_is_no_candidate(tmp_path: Path) -> None:
    digest, file = f"sha256:{6:064}", tmp_path / "f.h5"
    file.touch()
    assert store.keep(file, digest, move=False) == file and store.candidates(digest) == [file]
    file.unlink()
    assert store.candidates(digest) == []
