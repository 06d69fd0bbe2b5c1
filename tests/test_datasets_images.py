"""Corpora of image files, in the layouts of their authors, and the ways in which such a folder can be wrong."""

import os
import shutil
from pathlib import Path

import closed_folder
import cv2
import numpy as np
import pytest
from corpus_files import all_of, image

from emocli import labels
from emocli.datasets import _images, affectnet, ckplus, folder, jaffe, rafdb
from emocli.errors import EmoError


def classes(root: Path, names: tuple[str, ...] = ("angry", "happy"), *, size: int = 48, suffix: str = ".png") -> Path:
    for name in names:
        for i in range(2):
            image(root / name / f"S{i:03d}_{name}{suffix}", size)
    return root


def test_small_pictures_of_one_size_are_arrays(tmp_path: Path) -> None:
    samples = all_of(folder.read([classes(tmp_path)]))
    assert [sample.id for sample in samples] == sorted(sample.id for sample in samples)
    for sample in samples:
        assert isinstance(sample.x, np.ndarray)
        assert np.array_equal(sample.x[0], cv2.imread(str(tmp_path / sample.id), cv2.IMREAD_GRAYSCALE))


def test_small_pictures_in_colour_are_rgb(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / name / "x.png", 20, colour=True)
    sample = all_of(folder.read([tmp_path]))[0]
    bgr = cv2.imread(str(tmp_path / sample.id))
    assert np.array_equal(sample.x, bgr[..., ::-1].transpose(2, 0, 1))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_large_pictures_are_kept_as_their_files_are(tmp_path: Path, suffix: str) -> None:
    for sample in folder.read([classes(tmp_path, size=120, suffix=suffix)]).samples:
        assert sample.x == (tmp_path / sample.id).read_bytes()


def test_pictures_of_several_sizes_are_kept_encoded(tmp_path: Path) -> None:
    image(classes(tmp_path) / "happy" / "larger.png", 50)
    assert all(isinstance(sample.x, bytes) for sample in folder.read([tmp_path]).samples)


def test_other_formats_become_png_without_loss(tmp_path: Path) -> None:
    for sample in folder.read([classes(tmp_path, size=120, suffix=".tiff")]).samples:
        assert isinstance(sample.x, bytes) and sample.x.startswith(b"\x89PNG")
        decoded = cv2.imdecode(np.frombuffer(sample.x, np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(decoded, cv2.imread(str(tmp_path / sample.id), cv2.IMREAD_UNCHANGED))


@pytest.mark.parametrize("size", [48, 120])
def test_unreadable_pictures_are_skipped_and_counted(
    tmp_path: Path, size: int, capfd: pytest.CaptureFixture[str]
) -> None:
    classes(tmp_path, size=size)
    classes(tmp_path / "train", size=size, suffix=".jpg")
    root = tmp_path / "train"
    whole = (root / "happy" / "S000_happy.jpg").read_bytes()
    (root / "happy" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "happy" / "empty.jpg").write_bytes(b"")
    (root / "happy" / "text.png").write_text("not a picture")
    (root / "happy" / "cut.png").write_bytes((tmp_path / "angry" / "S000_angry.png").read_bytes()[:-200])
    corpus = folder.read([root])
    assert len(all_of(corpus)) == 4
    assert corpus.notes == {"unreadable image skipped": 4}
    assert capfd.readouterr().err == "", "libpng has nothing to say of it"


def jpeg(*flags: int, thumbnail: bool) -> bytes:
    """A picture as cameras write it, with a small one of its own in the header."""
    pixels = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    whole = cv2.imencode(".jpg", pixels, flags)[1].tobytes()
    small = b"Exif\0\0" + cv2.imencode(".jpg", pixels[:16, :16])[1].tobytes()
    return whole[:2] + b"\xff\xe1" + (len(small) + 2).to_bytes(2) + small + whole[2:] if thumbnail else whole


@pytest.mark.parametrize("thumbnail", [False, True])
@pytest.mark.parametrize("flags", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)], ids=["baseline", "progressive"])
def test_a_jpeg_that_was_cut_is_skipped_though_its_thumbnail_is_whole(
    flags: tuple[int, ...], thumbnail: bool, tmp_path: Path
) -> None:
    data = jpeg(*flags, thumbnail=thumbnail)
    image(tmp_path / "happy" / "x.png", 120)
    (tmp_path / "sad").mkdir()
    for name, content in (
        ("cut", data[: len(data) // 2]),
        ("without its end", data[:-2]),
        ("whole", data),
        ("with a film behind it", data + b"\xff\xda film"),
    ):
        (tmp_path / "sad" / f"{name}.jpg").write_bytes(content)
    corpus = folder.read([tmp_path])
    ids = [sample.id for sample in corpus.samples]
    assert ids == ["happy/x.png", "sad/whole.jpg", "sad/with a film behind it.jpg"]
    assert corpus.notes == {"unreadable image skipped": 2}


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").write_bytes(b"no")
    with pytest.raises(EmoError, match="none of the images can be read"):
        all_of(folder.read([tmp_path]))


@pytest.mark.parametrize(
    ("names", "message"), [((), "no images in class folders"), (("happy",), "one class only, 'happy'")]
)
def test_fewer_than_two_classes_are_an_error(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(EmoError, match=message):
        folder.read([classes(tmp_path, names)])


def test_parts_are_read_from_the_level_above_the_classes(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        classes(tmp_path / "data" / part, ("Happiness", "anger", "Disgust", "fear", "sad", "surprised", "neutral"))
    image(tmp_path / "data" / "stray.png")
    corpus = folder.read([tmp_path])
    samples = all_of(corpus)
    assert corpus.labels == labels.SEVEN
    assert {sample.split for sample in samples} == {"train", "validation", "test"}
    assert len(samples) == 42
    assert corpus.notes["image outside a class folder skipped"] == 1
    assert samples[0].id == "data/test/Disgust/S000_Disgust.png"


def test_a_folder_beside_the_parts_is_named_and_no_class(tmp_path: Path) -> None:
    for part in ("train", "Test"):
        classes(tmp_path / part)
    image(tmp_path / "samples" / "x.png")
    with pytest.raises(EmoError, match="folder samples lies beside Test, train and is no part"):
        folder.read([tmp_path])


def test_subjects_are_found_by_a_pattern(tmp_path: Path) -> None:
    corpus = folder.read([classes(tmp_path)], subject=r"(S\d+)_")
    assert [sample.group for sample in corpus.samples] == ["S000", "S001", "S000", "S001"]
    for pattern, message in (("(", "not a regular expression"), ("S", "0 groups"), ("(S)(0)", "2 groups")):
        with pytest.raises(EmoError, match=message):
            folder.read([tmp_path], subject=pattern)


@pytest.mark.parametrize("pattern", ["([[:alpha:]]+)_", "(S{99999999999})", "(" * 2000])
def test_a_pattern_that_means_something_else_here_or_is_too_much_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(EmoError, match="is not a regular expression"):
        folder.read([classes(tmp_path)], subject=pattern)


def test_links_out_of_the_folder_and_to_folders_are_not_followed_and_counted(tmp_path: Path) -> None:
    outside = image(tmp_path / "outside" / "secret.png")
    root = classes(tmp_path / "root")
    (root / "happy" / "link.png").symlink_to(outside)
    (root / "happy" / "inner.png").symlink_to(root / "angry" / "S000_angry.png")
    (root / "linked").symlink_to(outside.parent)
    corpus = folder.read([root])
    assert sorted(sample.id for sample in corpus.samples if "S0" not in sample.id) == ["happy/inner.png"]
    assert corpus.notes == {"link out of the folder skipped": 1, "link to a folder skipped": 1}


def test_a_folder_that_can_t_be_read_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes(tmp_path, ("angry", "happy", "sad"))
    closed_folder.close(monkeypatch, "sad")
    corpus = folder.read([tmp_path])
    assert len(all_of(corpus)) == 4
    assert corpus.notes == {"unreadable folder skipped": 1}


def test_one_coloured_picture_among_gray_ones_keeps_its_colours(tmp_path: Path) -> None:
    for number in range(40):
        image(tmp_path / "ab"[number % 2] / f"{number:02}.png", 20, colour=number == 31)
    samples = {sample.id: sample.x for sample in all_of(folder.read([tmp_path]))}
    assert {x.shape for x in samples.values() if isinstance(x, np.ndarray)} == {(3, 20, 20)}
    assert [name for name, x in samples.items() if not np.array_equal(x[0], x[2])] == ["b/31.png"]


def test_a_jpeg_of_more_pixels_than_can_be_decoded_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes(tmp_path, ("angry", "happy"), size=100)
    cv2.imwrite(str(tmp_path / "happy" / "vast.jpg"), np.zeros((9000, 9000), np.uint8))
    whole = _images._decode
    monkeypatch.setattr(
        _images,
        "_decode",
        lambda data, flags: None if flags == cv2.IMREAD_GRAYSCALE and len(data) > 200_000 else whole(data, flags),
    )
    corpus = folder.read([tmp_path])
    assert len(all_of(corpus)) == 4
    assert corpus.notes == {"unreadable image skipped": 1}


def test_files_of_another_kind_are_counted(tmp_path: Path) -> None:
    root = classes(tmp_path / "root")
    (root / "happy" / "film.mp4").write_bytes(b"")
    (root / "happy" / ".DS_Store").write_bytes(b"")
    assert folder.read([root]).notes == {"file of another kind skipped": 1}


def test_a_link_that_leads_in_circles_is_an_unreadable_picture(tmp_path: Path) -> None:
    root = classes(tmp_path / "root")
    (root / "happy" / "loop.png").symlink_to("loop.png")
    (root / "happy" / "nowhere.png").symlink_to("gone.png")
    corpus = folder.read([root])
    assert "happy/loop.png" not in [sample.id for sample in corpus.samples]
    assert corpus.notes == {"unreadable image skipped": 2}


@pytest.mark.parametrize("kind", ["folder", "broken link", "link in circles", "pipe"])
@pytest.mark.parametrize("corpus", ["rafdb", "ckplus"])
def test_a_list_that_is_no_plain_file_is_one_line(tmp_path: Path, corpus: str, kind: str) -> None:
    make, reader = {"rafdb": (raf, rafdb), "ckplus": (original_ck, ckplus)}[corpus]
    listed = min(path for path in make(tmp_path).rglob("*.txt") if "Landmarks" not in path.parts)
    listed.unlink()
    if kind == "folder":
        listed.mkdir()
    elif kind == "pipe":
        os.mkfifo(listed)
    else:
        listed.symlink_to("gone" if kind == "broken link" else listed.name)
    with pytest.raises(EmoError, match=r"restore the file|list_pati?tion_label.txt"):
        all_of(reader.read([tmp_path]))


def test_the_same_folder_elsewhere_has_the_same_source(tmp_path: Path) -> None:
    corpora = [folder.read([classes(tmp_path / name)]) for name in ("one", "two")]
    assert len({(len(all_of(corpus)), corpus.source.hexdigest()) for corpus in corpora}) == 1


def test_ck48_is_read_with_subjects(tmp_path: Path) -> None:
    for name in ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"):
        image(tmp_path / "CK+48" / name / "S010_004_00000017.png")
    corpus = ckplus.read([tmp_path])
    samples = all_of(corpus)
    assert corpus.labels == ckplus.ORDER[1:]
    assert [corpus.labels[sample.y] for sample in samples if isinstance(sample.y, int)] == list(ckplus.ORDER[1:])
    assert {sample.group for sample in samples} == {"S010"}
    assert isinstance(samples[0].x, np.ndarray) and samples[0].x.shape == (1, 48, 48)


def test_ck_in_a_csv_has_eight_labels_by_their_numbers_and_the_parts_of_its_maker(tmp_path: Path) -> None:
    usages = ["Training", "PublicTest", "PrivateTest"]
    rows = [f"{code},{' '.join([str(code)] * 48**2)},{usages[code % 3]}\n" for code in range(8)]
    (tmp_path / "ckextended.csv").write_text("emotion,pixels,Usage\n" + "".join(rows))
    for source in (tmp_path, tmp_path / "ckextended.csv"):
        corpus = ckplus.read([source])
        samples = all_of(corpus)
        assert corpus.labels == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt")
        assert [sample.y for sample in samples] == [np.asarray(sample.x).max() for sample in samples] == [*range(8)]
        assert [sample.split for sample in samples] == ["train", "validation", "test"] * 2 + ["train", "validation"]
        assert {sample.group for sample in samples} == {""} and "its parts may share people" in str(corpus.notes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("emotion,pixels\n", "has the columns emotion,pixels, expected emotion,pixels,Usage"),
        ("emotion,pixels,Usage\n", "no rows"),
        (f"emotion,pixels,Usage\n8,{' 0' * 48**2},Training\n", "line 2: label '8' is not a number from 0 to 7"),
    ],
)
def test_another_csv_is_none_of_ck(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "my.csv").write_text(text)
    with pytest.raises(EmoError, match=why):
        all_of(ckplus.read([tmp_path / "my.csv"]))


def test_folders_that_are_numbered_are_the_emotions_that_they_name(tmp_path: Path) -> None:
    for name in ("1_Angry", "2-surprised", "03. happy", "4_seasons"):
        image(tmp_path / name / "a.png")
    assert set(folder.read([tmp_path]).labels) == {"angry", "surprise", "happy", "4_seasons"}


def original_ck(root: Path, *, landmarks: bool = True) -> Path:
    for subject, emotion in (("S005", "   3.0000000e+00\n"), ("S010", "7"), ("S011", "")):
        for i in range(1, 7):
            name = f"{subject}_001_{i:08d}"
            image(root / "cohn-kanade-images" / subject / "001" / f"{name}.png", 100)
            if landmarks:
                points = root / "Landmarks" / subject / "001" / f"{name}_landmarks.txt"
                points.parent.mkdir(parents=True, exist_ok=True)
                points.write_text("".join(f"   {k:.7e}   {i:.7e}\n" for k in range(68)))
        if emotion:
            file = root / "Emotion" / subject / "001" / f"{subject}_001_00000006_emotion.txt"
            file.parent.mkdir(parents=True)
            file.write_text(emotion)
    return root


def test_ck_sequences_give_their_last_frames_and_the_first_as_neutral(tmp_path: Path) -> None:
    corpus = ckplus.read([original_ck(tmp_path)])
    samples = all_of(corpus)
    assert [(sample.group, sample.id[-7:-4], corpus.labels[int(sample.y)]) for sample in samples] == [  # type: ignore[arg-type]
        ("S005", "001", "neutral"), *(("S005", frame, "disgust") for frame in ("004", "005", "006")),
        ("S010", "001", "neutral"), *(("S010", frame, "surprise") for frame in ("004", "005", "006")),
    ]  # fmt: skip
    assert corpus.notes == {"sequence without an emotion left out": 1}
    assert samples[1].id == "cohn-kanade-images/S005/001/S005_001_00000004.png"
    assert samples[1].landmarks is not None
    assert samples[1].landmarks[5].tolist() == [5, 4]
    assert all(isinstance(sample.x, bytes) for sample in samples)


def test_ck_sequences_without_neutral_have_seven_labels(tmp_path: Path) -> None:
    corpus = ckplus.read([original_ck(tmp_path, landmarks=False)], frames=1, neutral=False)
    samples = all_of(corpus)
    assert [corpus.labels[int(sample.y)] for sample in samples] == ["disgust", "surprise"]  # type: ignore[arg-type]
    assert {sample.landmarks for sample in samples} == {None}


def test_ck_landmarks_are_for_all_frames_or_none(tmp_path: Path) -> None:
    original_ck(tmp_path)
    (tmp_path / "Landmarks/S010/001/S010_001_00000006_landmarks.txt").write_text("1 2 3\n")
    corpus = ckplus.read([tmp_path])
    assert {sample.landmarks for sample in corpus.samples} == {None}
    assert "landmarks left out: not every frame has its 68" in corpus.notes


@pytest.mark.parametrize("text", ["nothing", "8.0", "2.5", "nan"])
def test_a_bad_emotion_file_is_named(tmp_path: Path, text: str) -> None:
    original_ck(tmp_path)
    (tmp_path / "Emotion/S010/001/S010_001_00000006_emotion.txt").write_text(text)
    with pytest.raises(EmoError, match=r"S010_001_00000006_emotion.txt holds"):
        ckplus.read([tmp_path])


@pytest.mark.parametrize("corpus", ["rafdb", "ckplus"])
def test_what_macos_puts_into_an_archive_is_passed_over(tmp_path: Path, corpus: str) -> None:
    make, reader = {"rafdb": (raf, rafdb), "ckplus": (original_ck, ckplus)}[corpus]
    plain = [sample.id for sample in reader.read([make(tmp_path / "plain")]).samples]
    for path in [*make(tmp_path / "zip").rglob("*")]:
        if path.is_file():
            beside = tmp_path / "zip" / "__MACOSX" / path.relative_to(tmp_path / "zip").with_name(f"._{path.name}")
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(b"\0\5\x16\7")
    assert [sample.id for sample in reader.read([tmp_path / "zip"]).samples] == plain


def test_jaffe_tells_subject_and_emotion_by_the_name(tmp_path: Path) -> None:
    for name in ("KA.AN1.39.tiff", "KA.HA2.30.tiff", "YM.NE3.51.tiff", "YM.SU1.58.tiff"):
        image(tmp_path / name, 256)
    image(tmp_path / "cover.tiff", 256)
    corpus = jaffe.read([tmp_path])
    found = [(sample.group, labels.SEVEN[int(sample.y)]) for sample in corpus.samples]  # type: ignore[arg-type]
    assert found == [("KA", "angry"), ("KA", "happy"), ("YM", "neutral"), ("YM", "surprise")]
    assert corpus.notes == {"image whose name is not of the form KA.AN1.39.tiff skipped": 1}


def raf(root: Path, *, listed: str = "list_patition_label.txt") -> Path:
    lines = [f"{part}_0000{i}.jpg {i}" for part in ("train", "test") for i in range(1, 8)]
    (root / "EmoLabel").mkdir(parents=True)
    (root / "EmoLabel" / listed).write_text("\n".join([*lines, "test_00009.jpg 1", ""]))
    for line in lines:
        name = line.split(".")[0]
        image(root / "Image" / "aligned" / f"{name}_aligned.jpg", 100, colour=True)
        image(root / "Image" / "original" / f"{name}.jpg", 130, colour=True)
    return root


@pytest.mark.parametrize("listed", ["list_patition_label.txt", "list_partition_label.txt"])
def test_rafdb_is_read_by_its_list(tmp_path: Path, listed: str) -> None:
    corpus = rafdb.read([raf(tmp_path, listed=listed)])
    samples = all_of(corpus)
    assert [labels.SEVEN[int(sample.y)] for sample in samples[:7]] == list(rafdb.ORDER)  # type: ignore[arg-type]
    assert [sample.split for sample in samples] == ["test"] * 7 + ["train"] * 7
    assert samples[0].id == "Image/aligned/test_00001_aligned.jpg"
    assert corpus.notes == {"listed image that is not there skipped": 1}


def test_rafdb_can_be_read_unaligned(tmp_path: Path) -> None:
    samples = all_of(rafdb.read([raf(tmp_path)], image="original"))
    assert samples[0].id == "Image/original/test_00001.jpg"


@pytest.mark.parametrize(
    "line", ["train_00001.jpg", "train_00001.jpg 8", "train_00001.jpg 12", "../train_1.jpg 3", "valid_1.jpg 3"]
)
def test_a_bad_line_of_rafdb_is_named(tmp_path: Path, line: str) -> None:
    listed = raf(tmp_path) / "EmoLabel" / "list_patition_label.txt"
    listed.write_text(f"train_00001.jpg 1\n{line}\n")
    with pytest.raises(EmoError, match=r"list_patition_label.txt line 2"):
        rafdb.read([tmp_path])


MANIFEST = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"


def affect(root: Path, *, points: int = 68, path: str = "") -> Path:
    marks = ";".join(f"{k}.5;{k}.25" for k in range(points))
    (root / "lists").mkdir(parents=True)
    for part, codes in (("training", range(11)), ("validation", (1, 7))):
        lines = [MANIFEST]
        for code in codes:
            name = f"{code}/{part}{code}.jpg"
            image(root / "Manually_Annotated_Images" / name, 150, colour=True)
            value = "-2,-2" if code > 8 else f"0.{code},-0.5"
            lines.append(f"{path if path and code == 3 else name},1,1,100,100,{marks},{code},{value}")
        (root / "lists" / f"{part}.csv").write_text("\n".join(lines) + "\n")
    return root


def test_affectnet_is_read_by_its_manifests(tmp_path: Path) -> None:
    corpus = affectnet.read([affect(tmp_path)])
    samples = all_of(corpus)
    assert [(sample.y, sample.split) for sample in samples] == [*((i, "train") for i in range(8)), (1, "validation"), (7, "validation")]  # fmt: skip  # noqa: E501
    assert samples[3].id == "3/training3.jpg"
    assert samples[3].x == (tmp_path / "Manually_Annotated_Images" / samples[3].id).read_bytes()
    assert samples[3].landmarks is not None
    assert samples[3].landmarks[-1].tolist() == [67.5, 67.25]
    assert corpus.notes == {"row without an emotion (none, uncertain, no face) left out": 3}


def test_a_copy_of_affectnets_list_is_not_read_again(tmp_path: Path) -> None:
    once = len(all_of(affectnet.read([affect(tmp_path)])))
    (tmp_path / "old").mkdir()
    shutil.copy(tmp_path / "lists" / "training.csv", tmp_path / "old")
    corpus = affectnet.read([tmp_path])
    assert len(all_of(corpus)) == once and corpus.notes["second copy of a list skipped"] == 1


def test_affectnet_with_seven_classes_has_no_contempt(tmp_path: Path) -> None:
    corpus = affectnet.read([affect(tmp_path)], classes=7)
    assert {sample.y for sample in corpus.samples} == set(range(7))
    assert len(corpus.labels) == 7
    assert corpus.notes["contempt left out"] == 2


def test_affectnet_gives_valence_and_arousal(tmp_path: Path) -> None:
    corpus = affectnet.read([affect(tmp_path)], labels="valence-arousal")
    samples = all_of(corpus)
    assert samples[4].y == (0.4, -0.5)
    assert (corpus.labels, corpus.meaning, len(samples)) == (("valence", "arousal"), "valence-arousal", 11)
    assert corpus.notes == {"row without valence and arousal left out": 2}


def test_affectnet_without_all_landmarks_has_none(tmp_path: Path) -> None:
    corpus = affectnet.read([affect(tmp_path, points=60)])
    assert {sample.landmarks for sample in corpus.samples} == {None}
    assert "landmarks left out: not every row has its 68" in corpus.notes


def test_affectnet_stays_inside_its_folder(tmp_path: Path) -> None:
    image(tmp_path / "outside.jpg")
    corpus = affectnet.read([affect(tmp_path / "root", path="../../outside.jpg")])
    assert len(all_of(corpus)) == 9
    assert corpus.notes["path out of the folder skipped"] == 1


@pytest.mark.parametrize("where", ["relative", "absolute"])
def test_affectnet_may_list_whole_paths(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    image(tmp_path / "outside.jpg")
    root = affect(Path("root") if where == "relative" else tmp_path / "root", path=str(tmp_path / "outside.jpg"))
    corpus = affectnet.read([root])
    assert len(all_of(corpus)) == 9
    assert corpus.notes["path out of the folder skipped"] == 1


@pytest.mark.parametrize("numbers", ["nan,0.5", "0.5,nan", "inf,0"])
def test_affectnet_leaves_out_what_is_no_number(numbers: str, tmp_path: Path) -> None:
    listed = affect(tmp_path) / "lists" / "training.csv"
    listed.write_text(listed.read_text().replace(",0.4,-0.5", f",{numbers}"))
    corpus = affectnet.read([tmp_path], labels="valence-arousal")
    assert len(all_of(corpus)) == 10
    assert corpus.notes == {"row without valence and arousal left out": 3}


def test_affectnet_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"no training.csv or validation.csv"):
        affectnet.read([tmp_path])
    lists = affect(tmp_path) / "lists"
    (lists / "training.csv").write_text(f"{MANIFEST}\n1/training1.jpg,1,1,9,9,,happy,0,0\n")
    with pytest.raises(EmoError, match=r"training.csv line 2: expression, valence and arousal are not numbers"):
        all_of(affectnet.read([tmp_path]))
    (lists / "training.csv").write_text(f'{MANIFEST}\n1/training1.jpg,1,1,9,9,"{";" * 200_000},1,0,0\n')
    with pytest.raises(EmoError, match=r"training.csv is no whole csv file"):
        affectnet.read([tmp_path])
    for row in (",1,1,9,9,,1,0,0", "a\0b.jpg,1,1,9,9,,1,0,0"):
        (lists / "training.csv").write_text(f"{MANIFEST}\n{row}\n")
        with pytest.raises(EmoError, match=r"training.csv line 2: subDirectory_filePath names no file"):
            affectnet.read([tmp_path])
    (lists / "training.csv").write_text("path,label\na,1\n")
    with pytest.raises(EmoError, match=r"training.csv lacks the columns arousal, expression"):
        affectnet.read([tmp_path])
    (lists / "training.csv").write_text(f"{MANIFEST}\nnowhere.jpg,1,1,9,9,,1,0,0\n")
    (lists / "validation.csv").unlink()
    with pytest.raises(EmoError, match="none of the first images listed"):
        affectnet.read([tmp_path])


@pytest.mark.parametrize("reader", [affectnet.read, ckplus.read, folder.read, jaffe.read, rafdb.read])
def test_a_corpus_in_a_folder_is_read_from_one_folder(tmp_path: Path, reader) -> None:  # type: ignore[no-untyped-def]
    file = image(tmp_path / "a.png")
    for given in ([], [file], [tmp_path, tmp_path]):
        with pytest.raises(EmoError, match="is read from one folder"):
            reader(given)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(EmoError) as caught:
        all_of(reader([empty]))
    assert "\n" not in str(caught.value)


def test_a_name_that_is_no_utf_8_is_kept_legibly(tmp_path: Path) -> None:
    picture = next(classes(tmp_path).glob("angry/*"))
    picture.rename(picture.with_name(os.fsdecode(b"caf\xe9.png")))
    assert r"angry/caf\xe9.png" in [sample.id for sample in all_of(folder.read([tmp_path]))]


def test_pictures_so_thin_that_an_eighth_of_them_is_nothing_are_read(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "x.png"), np.full((2, 600), 77, np.uint8))
    assert len(all_of(folder.read([tmp_path]))) == 2
