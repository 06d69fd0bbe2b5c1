"""Augmented copies: of the train part only, the same every time, and never where they would leak."""

import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import Run, write_features
from numpy.typing import NDArray

from emocli import download, pipes
from emocli.artifact import Header
from emocli.data import audit, hdf5
from emocli.data.hdf5 import Data
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.extracting import extraction, featurizing, others, pieces
from emocli.scores import evaluation
from emocli.sound import augmenting
from emocli.training import folds

EFFECTS = ["speed=0.9:1.1", "noise=5:20", "reverb"]
PARTS = ["train", "validation", "train", "test", "train", ""]
N = 30


def _sounds(n: int = N) -> list[NDArray[np.int16]]:
    """Tones of different pitch and length among silence; every eleventh is steady, which is no voice."""
    time = np.arange(20_000) / 16_000
    sounds = []
    for row in range(n):
        tone = 9000 * np.sin(2 * np.pi * (250 + 20 * row) * time) * (time > 0.2) * (time < 0.7 + row / 100)
        steady = 9000 * np.sin(2 * np.pi * 400 * time[: 16_000 + 50 * row])
        sounds.append((steady if row % 11 == 10 else tone).astype(np.int16))
    return sounds


def _dataset(path: Path, *, named: bool = True, parts: list[str] = PARTS) -> Path:
    step = {"command": "dataset", "name": "audio-folder", "params": {}, "input": f"sha256:{0:064}", "license": "none"}
    writer = Writer(path, modality="speech", count=N)
    writer.append_ragged(_sounds())
    groups = [f"speaker {row // 6}" for row in range(N)] if named else []
    split = np.array([parts[row % len(parts)] for row in range(N)])
    header = Header("dataset", ("happy", "sad"), (step,))
    about = {"sex": ["female" if row % 2 else "male" for row in range(N)]}
    writer.finish(header, np.arange(N) % 2, "label", split, groups, [f"clip {row}" for row in range(N)], about)
    return path


def _features(
    path: Path,
    count: int = 2,
    effects: list[str] = EFFECTS,
    params: dict[str, str] = {},  # noqa: B006
    *,
    detector: str = "none",
    jobs: int = 1,
    **options: object,
) -> Path:
    """Write features of `_dataset` with copies."""
    source = _dataset(path.with_suffix(".data.h5"), **options)  # type: ignore[arg-type]
    featurizing.write(
        *(pipes.read(str(source), "dataset"), path, "rms", {}, detector, {}),
        limit=0,
        plan=lambda modality: augmenting.planned(count, effects, params, 1.0, 7 if count else 0, modality),
        jobs=jobs,
        note=lambda text: None,
    )
    return path


@pytest.fixture(scope="module")
def augmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _features(tmp_path_factory.mktemp("copies") / "features.h5")


def _copies(data: Data) -> NDArray[np.int64]:
    return np.flatnonzero(data.original != np.arange(len(data)))


def test_only_rows_of_the_train_part_are_copied_and_all_that_is_known_of_them(augmented: Path) -> None:
    with hdf5.open_data(augmented) as data:
        copies = _copies(data)
        taught = np.flatnonzero(data.split[:N] == "train")
        assert np.array_equal(copies, np.arange(N, N + 2 * len(taught)))
        assert np.array_equal(data.original[copies], np.tile(taught, 2))
        for copy in copies.tolist():
            first = int(data.original[copy])
            same = [data.y, data.split, data.group, data.about["sex"]]
            assert all(column[copy] == column[first] for column in same)  # type: ignore[index]
            assert data.id[copy] == f"{data.id[first]}#{1 if copy < N + len(taught) else 2}"


def test_the_rows_before_the_copies_are_those_without_copies(augmented: Path, tmp_path: Path) -> None:
    plain = _features(tmp_path / "plain.h5", 0, [])
    with hdf5.open_data(augmented) as data, hdf5.open_data(plain) as bare:
        assert not len(_copies(bare)) and "original" not in bare.x.file and len(bare) == N
        ours, theirs = data.sequences(np.arange(N)), bare.sequences(np.arange(N))
        assert all(np.array_equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


def test_every_copy_is_another_sound(augmented: Path) -> None:
    with hdf5.open_data(augmented) as data:
        rows = data.sequences(np.arange(len(data)))
        assert len({row.tobytes() for row in rows}) == len(rows)


def test_copies_are_the_same_again_and_from_two_processes_and_others_by_another_seed(
    augmented: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _features(tmp_path / "again.h5").read_bytes() == augmented.read_bytes()
    monkeypatch.setattr(pieces, "MOST", 20_000)
    chunked = _features(tmp_path / "chunks.h5")
    assert _features(tmp_path / "two.h5", jobs=2).read_bytes() == chunked.read_bytes()
    with hdf5.open_data(augmented) as data, hdf5.open_data(chunked) as other:
        everything = np.arange(len(data))
        assert all(map(np.array_equal, data.sequences(everything), other.sequences(everything)))


def test_replay_makes_the_same_artifact(tmp_path: Path, shell: Run) -> None:
    source = _dataset(tmp_path / "data.h5")
    flags = "--copies 2 --effect codec --effect noise=0:9 --effect-param noise.kind=babble --effect-chance 0.6 --seed 3"
    shell(
        f"emo features {source} -x rms --detector energy --detector-param above=6 {flags} -o first.h5"
    ).check_returncode()
    lines = shell("emo replay first.h5").stdout.decode()
    assert "--effect codec=6:8 --effect noise=0:9" in lines and "--effect-param noise.kind=babble" in lines
    features = lines.split("|")[-1]
    shell(f"{features.strip()} < {source} > again.h5").check_returncode()
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "first.h5").read_bytes()


def test_what_is_made_from_the_header_never_augments(augmented: Path) -> None:
    header = hdf5.read_header(augmented)[0]
    sounds = [each / np.float32(32768) for each in _sounds(3)]
    plain, _ = extraction.start("rms", {}, "none")
    again = extraction.restart(header)
    assert all(map(np.array_equal, plain(sounds)[0], again(sounds)[0]))


@pytest.mark.parametrize("named", [True, False])
def test_in_a_fold_copies_are_learned_from_only_where_their_original_is(named: bool, tmp_path: Path) -> None:
    with hdf5.open_data(_features(tmp_path / "features.h5", named=named)) as data:
        copies, validated = _copies(data), 0
        for view in folds.divided(data, 3, seed=0):
            of_original = view.split[data.original[copies]]
            assert np.array_equal(view.split[copies] == "train", of_original == "train")
            assert not np.isin(view.split[copies], ("validation", "test")).any()
            validated += int((view.split == "validation").sum())
            assert not audit.audit(view).exact
        assert validated == np.isin(data.split[:N], ("train", "validation")).sum()


def test_copies_are_no_leaks_and_go_with_an_original_that_is_one(tmp_path: Path) -> None:
    with hdf5.open_data(_features(tmp_path / "features.h5", named=False)) as data:
        assert not audit.audit(data).lines()
    with hdf5.open_data(_features(tmp_path / "named.h5")) as data:
        leaving = audit.audit(data).train_rows
        assert len(leaving) and np.isin(data.rows("train"), leaving).all(), "every speaker is in other parts as well"


@pytest.mark.parametrize(("split", "rows"), [("train", N // 2), ("all", N)])
def test_copies_are_not_scored(augmented: Path, split: str, rows: int) -> None:
    class Engine:
        def run(self, x: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
            return {"logits": np.zeros((len(x), 2), np.float32)}

    header = hdf5.read_header(augmented)[0]
    found = evaluation.answers(Engine(), header, pipes.read(str(augmented), "features"), split, hint="")
    assert len(found.logits) == len(found.y) == rows


def test_a_clip_without_a_voice_has_no_copies_though_noise_passes_for_one(tmp_path: Path) -> None:
    path = _features(tmp_path / "features.h5", 3, ["noise=-20"], {"kind": "babble", "talkers": "1"}, detector="energy")
    with hdf5.open_data(path) as data:
        heard = {int(name.split()[1]) for name in data.id[: int(_copies(data)[0])]}
        assert heard == set(range(N)) - {10, 21}
        copied = {int(data.id[int(data.original[row])].split()[1]) for row in _copies(data)}
        assert copied and copied <= {row for row in heard if PARTS[row % 6] == "train"}
        assert all(data.id[row].startswith(f"{data.id[int(data.original[row])]}#") for row in _copies(data))


def test_info_counts_copies(augmented: Path, emo: Run) -> None:
    assert b'"copies": 30' in emo("info", augmented).stdout


def test_info_tells_when_speakers_are_in_several_parts(augmented: Path, emo: Run, tmp_path: Path) -> None:
    assert b'"shared_groups": 5' in emo("info", augmented, "--json").stdout
    alone = _dataset(tmp_path / "alone.h5", parts=["train"])
    assert b"shared_groups" not in emo("info", alone, "--json").stdout


def test_each_effect_is_drawn_by_its_chance_and_a_copy_has_one_at_least() -> None:
    copies = augmenting.planned(1, ["gain=-6", "speed=1.25"], {}, 0.3, 0, "speech")
    change = augmenting.changer(copies)
    sound = np.full(1000, 0.5, np.float32)
    made = [change(sound, row, 1, lambda random: sound) for row in range(300)]
    quieter = np.array([each.max() < 0.45 for each in made])
    faster = np.array([len(each) == 800 for each in made])
    assert (quieter | faster).all()
    # 0.3 each, and half of the 0.49 that would have none
    assert quieter.mean() == pytest.approx(0.545, abs=0.1) and faster.mean() == pytest.approx(0.545, abs=0.1)


@pytest.mark.parametrize(
    ("count", "effects", "params", "says"),
    [
        (2, [], {}, "--effect noise=5:20"),
        (0, ["noise"], {}, "--copies 2"),
        (-1, ["noise"], {}, "--copies 2"),
        (2, ["nose"], {}, "did you mean noise"),
        (2, ["noise=200"], {}, "no range LOW:HIGH of decibels"),
        (2, ["noise", "noise=3"], {}, "twice"),
        (2, ["noise=5:20"], {"noise.snr": "0:3"}, "given snr twice"),
        (2, ["noise"], {"reverb.direct": "3"}, "none of noise has"),
        (2, ["noise"], {"kinds": "pink"}, "none of noise has"),
        (2, ["noise"], {"noise.kinds": "pink"}, "did you mean kind"),
    ],
)
def test_copies_that_cannot_be_are_refused(count: int, effects: list[str], params: dict[str, str], says: str) -> None:
    with pytest.raises(EmoError, match=says):
        augmenting.planned(count, effects, params, 1.0, 0, "speech")


@pytest.mark.parametrize(("chance", "seed"), [(0.5, 0), (1.0, 3)])
def test_draws_without_copies_are_refused(chance: float, seed: int) -> None:
    with pytest.raises(EmoError, match="say how many: --copies 2"):
        augmenting.planned(0, [], {}, chance, seed, "face")


def test_faces_have_no_effects(emo: Run, tmp_path: Path) -> None:
    write_features(tmp_path / "faces.h5", n=12, kind="dataset")
    done = emo("features", "faces.h5", "--copies", 2, "--effect", "noise", "-o", "x.h5", cwd=tmp_path)
    assert done.returncode == 1 and b"noise is an effect for speech and these data hold face" in done.stderr
    assert not (tmp_path / "x.h5").exists()


def test_data_without_a_train_part_have_no_copies(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="no train part"):
        _features(tmp_path / "x.h5", parts=["test", "validation"])


def test_a_file_whose_copies_have_no_original_is_refused(augmented: Path, tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "damaged.h5"
    path.write_bytes(augmented.read_bytes())
    with h5py.File(path, "r+") as file:
        file["original"][0] = 10_000
    with pytest.raises(EmoError, match="copies of rows"), hdf5.open_data(path):
        pass


def test_processes_cut_with_the_detector_that_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def absent(*_: object) -> None:
        raise EmoError("no network")

    def by_several(source: object, recipe: tuple[str, ...], *_: object) -> None:
        given.append(recipe[2])
        raise EmoError("seen")

    monkeypatch.setattr(download, "fetch", absent)
    monkeypatch.setattr(featurizing, "_by_several", by_several)
    with pytest.raises(EmoError, match="seen"):
        _features(tmp_path / "f.h5", 0, [], detector="auto", jobs=2)
    assert given == ["energy"]


def test_the_clips_of_others_are_not_held_for_every_speaker() -> None:
    n, speakers = 4000, 400
    held = SimpleNamespace(group=[f"{row * speakers // n}" for row in range(n)], sounds=lambda *at: [at])
    drawn = others.among(held, np.arange(n))  # type: ignore[arg-type]
    tracemalloc.start()
    chosen = [drawn(row)(np.random.default_rng(row))[0] for row in range(n)]  # type: ignore[misc]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert all(held.group[int(other)] != held.group[row] for row, other in enumerate(chosen))
    assert peak < 2 << 20, "all pools together are 13 MB"
