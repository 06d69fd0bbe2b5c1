"""Corpora in the other forms in which they are handed on: links, copies, folders of their own, lists that changed."""

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Run
from corpus_files import all_of, image
from sound_made import write
from test_datasets_images import affect, classes, original_ck, raf

from emocli import labels, store
from emocli.data import splits
from emocli.data.samples import Corpus
from emocli.datasets import affectnet, ckplus, fer2013, folder, iemocap, jaffe, meld, rafdb
from emocli.errors import EmoError
from emocli.scores import label_map


def affect_arrays(root: Path) -> Path:
    for part, codes in (("train_set", range(10)), ("val_set", (7,))):
        for number, code in enumerate(codes):
            image(root / part / "images" / f"{number}.jpg", 120, colour=True, seed=code)
            (root / part / "annotations").mkdir(exist_ok=True)
            arrays = {"exp": np.array(f"{code}"), "val": np.array("0.5"), "aro": np.array(f"-0.{code}")}
            for name, numbers in {**arrays, "lnd": np.arange(136.0)}.items():
                np.save(root / part / "annotations" / f"{number}_{name}.npy", numbers)
    return root


def test_affectnet_is_read_from_arrays_beside_its_images(tmp_path: Path) -> None:
    corpus = affectnet.read([affect_arrays(tmp_path)])
    samples = all_of(corpus)
    assert [(sample.y, sample.split) for sample in samples] == [*((i, "train") for i in range(8)), (7, "validation")]
    assert samples[3].id == "train_set/images/3.jpg" and samples[3].landmarks is not None
    assert samples[3].landmarks[-1].tolist() == [134, 135]
    assert corpus.notes == {"row without an emotion (none, uncertain, no face) left out": 2}
    numbers = all_of(affectnet.read([tmp_path], labels="valence-arousal"))
    assert numbers[3].y == (0.5, -0.3)
    (tmp_path / "train_set" / "annotations" / "3_aro.npy").unlink()
    corpus = affectnet.read([tmp_path])
    assert len(all_of(corpus)) == 8 and corpus.notes["image without its annotations left out"] == 1
    (tmp_path / "train_set" / "annotations" / "4_lnd.npy").unlink()
    assert all(sample.landmarks is None for sample in all_of(affectnet.read([tmp_path])))


@pytest.mark.parametrize("content", [np.array([object()]), np.zeros(2), None], ids=["pickled", "two numbers", "cut"])
def test_an_array_of_affectnet_that_is_none_is_named(tmp_path: Path, content: np.ndarray | None) -> None:
    path = affect_arrays(tmp_path) / "train_set" / "annotations" / "2_val.npy"
    if content is None:
        path.write_bytes(path.read_bytes()[:30])
    else:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(EmoError, match=r"2_val\.npy holds .*restore the file"):
        all_of(affectnet.read([tmp_path]))


def test_affectnet_without_contempt_is_so_for_valence_and_arousal_too(tmp_path: Path) -> None:
    assert len(all_of(affectnet.read([affect(tmp_path)], labels="valence-arousal", classes=7))) == 9


def test_rafdb_is_read_from_folders_of_parts_and_labels(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for number in range(1, 8):
            image(tmp_path / "DATASET" / part / f"{number}" / f"{part}_0{number}_aligned.jpg", 100)
    samples = all_of(rafdb.read([tmp_path]))
    assert [labels.SEVEN[int(sample.y)] for sample in samples[:7]] == list(rafdb.ORDER)  # type: ignore[arg-type]
    assert [sample.split for sample in samples] == ["test"] * 7 + ["train"] * 7
    with pytest.raises(EmoError, match=r"no original images in folders \(14 × image of another kind skipped\)"):
        rafdb.read([tmp_path], image="original")


def test_rafdb_may_lie_in_another_folder_of_its_name(tmp_path: Path) -> None:
    aligned = raf(tmp_path) / "Image" / "aligned"
    aligned.rename(tmp_path / "inner")
    aligned.mkdir()
    (tmp_path / "inner").rename(aligned / "aligned")
    assert len(all_of(rafdb.read([tmp_path]))) == 14


def test_ck_may_be_unpacked_a_folder_for_each_archive(tmp_path: Path) -> None:
    original_ck(tmp_path)
    for name in ("cohn-kanade-images", "Emotion", "Landmarks"):
        (tmp_path / "of" / name).mkdir(parents=True)
        (tmp_path / name).rename(tmp_path / "of" / name / name)
    samples = all_of(ckplus.read([tmp_path]))
    assert len(samples) == 8 and all(sample.landmarks is not None for sample in samples)


def test_second_copies_of_pictures_are_counted_and_not_read(tmp_path: Path) -> None:
    image(tmp_path / "jaffe" / "KA.AN1.39.tiff", 128)
    image(tmp_path / "jaffe" / "KA.HA1.40.tiff", 128)
    shutil.copytree(tmp_path / "jaffe", tmp_path / "jaffedbase")
    corpus = jaffe.read([tmp_path])
    assert len(all_of(corpus)) == 2 and corpus.notes == {"second copy of an image skipped": 2}


def test_only_names_of_ck_say_that_a_picture_is_a_copy(tmp_path: Path) -> None:
    for folder_name in ("a", "b"):
        for label in ("anger", "happy"):
            image(tmp_path / label / folder_name / "0.png")
            image(tmp_path / label / folder_name / "S010_004_00000017.png")
    corpus = ckplus.read([tmp_path])
    assert len(all_of(corpus)) == 6 and corpus.notes["second copy of an image skipped"] == 2


@pytest.mark.parametrize(
    ("make", "link", "read", "says"),
    [
        (raf, "EmoLabel", rafdb.read, "no list_patition_label.txt"),
        (affect, "lists", affectnet.read, "no training.csv"),
        (original_ck, "Emotion", ckplus.read, "no Emotion/"),
        (classes, "happy", folder.read, "one class only"),
    ],
)
def test_what_may_be_behind_a_link_is_said_to_be_not_followed(
    tmp_path: Path, make: Callable[[Path], Path], link: str, read: Callable[[list[Path]], Corpus], says: str
) -> None:
    make(tmp_path / "corpus")
    (tmp_path / "corpus" / link).rename(tmp_path / "elsewhere")
    (tmp_path / "corpus" / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EmoError, match=rf"{says}.*\(1 × link to a folder not followed\)"):
        read([tmp_path / "corpus"])


@pytest.mark.parametrize("name", ["test", "val_set", "Validation"])
def test_a_part_beside_the_classes_is_no_class(tmp_path: Path, name: str) -> None:
    classes(classes(tmp_path) / name)
    with pytest.raises(EmoError, match=f"folder angry, happy lies beside {name} and is no part"):
        folder.read([tmp_path])


def test_a_set_is_a_part(tmp_path: Path) -> None:
    for part in ("train_set", "val set", "Test-Set"):
        classes(tmp_path / part)
    corpus = folder.read([tmp_path])
    assert corpus.labels == ("angry", "happy")
    assert {sample.split for sample in corpus.samples} == {"train", "validation", "test"}


def fer_images(root: Path, *usages: str) -> Path:
    for usage in usages:
        for label in ("angry", "happy"):
            image(root / ("train" if usage == "Training" else "test") / label / f"{usage}_{len(label)}.jpg")
    return root


@pytest.mark.parametrize(
    ("public_test", "parts"),
    [
        ("validation", {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}),
        ("test", {"Training": "train", "PublicTest": "test", "PrivateTest": "test"}),
        ("only", {"Training": "train", "PublicTest": "test"}),
    ],
)
def test_images_of_fer2013_are_of_the_part_that_their_name_says(
    tmp_path: Path, public_test: str, parts: dict[str, str]
) -> None:
    root = fer_images(tmp_path, "Training", "PublicTest", "PrivateTest")
    samples = all_of(fer2013.read([root], public_test=public_test))
    assert {sample.id.split("/")[-1].split("_")[0]: sample.split for sample in samples} == parts


def test_public_test_is_not_asked_for_in_vain(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="are no PublicTest rows"):
        fer2013.read([fer_images(tmp_path / "a", "Training", "PrivateTest")], public_test="only")
    root = fer_images(tmp_path / "b", "Training", "im")
    assert {sample.split for sample in fer2013.read([root]).samples} == {"train", "test"}
    with pytest.raises(EmoError, match=r"not all images of .* are named as PublicTest_1234\.jpg"):
        fer2013.read([root], public_test="test")


def meld_test(root: Path) -> Path:
    header = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID"
    rows = "1,Hi,Guy #1,joy,positive,0,0\n2,Oh,A Student,anger,negative,0,1"
    (root / "test_sent_emo.csv").write_text(f"{header}\n{rows}\n")
    clips = root / "output_repeated_splits_test"
    clips.mkdir()
    for name in ("dia0_utt0", "dia0_utt1", "final_videos_testdia0_utt1"):
        write(clips / f"{name}.wav")
    return root


def test_of_melds_clips_those_that_were_cut_anew_are_heard(tmp_path: Path) -> None:
    corpus = meld.read([meld_test(tmp_path)])
    samples = all_of(corpus)
    assert [sample.id.split("/")[1] for sample in samples] == ["dia0_utt0.wav", "final_videos_testdia0_utt1.wav"]
    assert corpus.notes["clip that MELD's makers cut anew taken"] == 1
    assert [sample.group for sample in samples] == ["Guy #1 of test dialogue 0", "A Student of test dialogue 0"]


def iemocap_made(root: Path) -> Path:
    name = "Ses01F_impro01_F000"
    (root / "Session1" / "sentences" / "wav" / "Ses01F_impro01").mkdir(parents=True)
    write(root / "Session1" / "sentences" / "wav" / "Ses01F_impro01" / f"{name}.wav")
    (root / "Session1" / "dialog" / "EmoEvaluation").mkdir(parents=True)
    labelled = root / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    labelled.write_text(f"[6.29 - 8.24]\t{name}\tneu\t[2.5, 2.5, 2.5]\n")
    return root


@pytest.mark.parametrize(
    ("make", "listed", "read", "before", "after"),
    [
        (raf, "EmoLabel/list_patition_label.txt", rafdb.read, "train_00001.jpg 1", "train_00001.jpg 4"),
        (affect, "lists/training.csv", affectnet.read, ",4,0.4", ",5,0.4"),
        (original_ck, "Emotion/S005/001/S005_001_00000006_emotion.txt", ckplus.read, "3.0", "4.0"),
        (meld_test, "test_sent_emo.csv", meld.read, "joy", "fear"),
        (iemocap_made, "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", iemocap.read, "neu", "ang"),
    ],
)
def test_other_labels_are_another_source(
    tmp_path: Path,
    make: Callable[[Path], Path],
    listed: str,
    read: Callable[[list[Path]], Corpus],
    before: str,
    after: str,
) -> None:
    def source() -> str:
        corpus = read([tmp_path])
        all_of(corpus)
        return str(corpus.source.hexdigest())

    path = make(tmp_path) / listed
    first = source()
    assert source() == first
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    assert source() != first


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "corpus.zip").write_bytes(b"PK")
    with pytest.raises(EmoError, match="unpack it, and name the folder"):
        jaffe.read([tmp_path / "corpus.zip"])


@pytest.mark.parametrize("name", ["", "-x", ".x"])
def test_a_name_that_could_not_be_used_is_not_kept(name: str) -> None:
    with pytest.raises(EmoError, match="can't be a dataset's name"):
        store.dataset(name)


def test_class_folders_that_are_one_class_are_told(tmp_path: Path) -> None:
    corpus = folder.read([classes(tmp_path, ("joy", "happy", "sad"))])
    assert corpus.labels == ("happy", "sad") and corpus.notes == {"folders happy, joy are one class, happy": 1}
    for part in ("train", "test"):
        classes(tmp_path / "parts" / part, ("Happy" if part == "test" else "happy", "sad"))
    assert not folder.read([tmp_path / "parts"]).notes


def test_emotions_below_what_passes_for_classes_are_told(tmp_path: Path) -> None:
    for outer in ("0011", "0012"):
        for emotion in ("Angry", "Happy"):
            image(tmp_path / "speakers" / outer / emotion / "1.png")
            image(tmp_path / "emotions" / emotion / outer / "1.png")
    corpus = folder.read([tmp_path / "speakers"])
    assert corpus.labels == ("0011", "0012")
    (note,) = corpus.notes
    assert note.startswith("classes are 0011, 0012, and in them are folders angry, happy; if these are the classes,")
    assert not folder.read([tmp_path / "emotions"]).notes


def test_a_letter_with_its_accent_apart_is_the_same_letter(tmp_path: Path) -> None:
    for part, form in (("train", "NFC"), ("test", "NFD")):
        classes(tmp_path / part, tuple(unicodedata.normalize(form, name) for name in ("Ärger", "fröhlich")))
    corpus = folder.read([tmp_path])
    assert corpus.labels == ("fröhlich", "ärger") and len(all_of(corpus)) == 8


def test_pictures_without_a_label_are_for_training(tmp_path: Path) -> None:
    classes(tmp_path, ("angry", "happy", "More of them"))
    corpus = folder.read([tmp_path], unlabelled="more of them")
    assert [(sample.y, sample.split) for sample in corpus.samples] == [(-1, "")] * 2 + [(0, "")] * 2 + [(1, "")] * 2
    with pytest.raises(EmoError, match="has no folder others of images beside angry, happy, more of them"):
        folder.read([tmp_path], unlabelled="others")


def test_what_has_no_label_is_drawn_for_no_other_part() -> None:
    y = np.array([0, 1] * 20 + [-1] * 60)
    parts = splits.assign(["train"] * 100, [""] * 100, [f"{row}" for row in range(100)], y, validation=0.3, test=0.3)
    assert set(parts[y < 0]) == {"train"} and {*parts[y >= 0]} == {"train", "validation", "test"}


def test_subjects_are_drawn_by_what_has_a_label_and_go_whole() -> None:
    names = [f"S{row % 10}" for row in range(60)] + [""] * 600 + ["S3"] * 5
    y = np.array([row % 2 for row in range(60)] + [-1] * 605)
    parts = splits.assign([""] * 665, names, [f"{row}" for row in range(665)], y, validation=0.2, test=0.2)
    assert {part: int((parts[:60] == part).sum()) for part in ("train", "validation", "test")} == {
        **{"train": 36, "validation": 12, "test": 12}
    }
    assert set(parts[60:660]) == {"train"}
    assert len({parts[row] for row in range(665) if names[row] == "S3"}) == 1


@pytest.mark.parametrize("words", [{"anger": "x", "angry": "y"}, {"Happy": "x", "joy": "y"}])
def test_a_label_is_said_once_whatever_it_is_called(words: dict[str, str]) -> None:
    with pytest.raises(EmoError, match=r"--map says (angry|happy) twice, once as (angry|joy); say it once"):
        label_map.match(("angry", "happy"), ("x", "y"), words, "s")


def test_own_unlabelled_pictures_are_learned_from_by_a_teacher_alone(shell: Run, tmp_path: Path) -> None:
    for name in ("bright", "dark", "more"):
        for i in range(12):
            shade = {"bright": 200, "dark": 20, "more": 110}[name] + i
            (tmp_path / "own" / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "own" / name / f"{i}.png"), np.full((24, 24), shade, np.uint8))
    net = "--arch emotion-cnn -p width=8 --epochs 1 --batch 8 --threads 1"
    done = shell(f"""
        emo dataset folder own --test 0 --validation 0.25 -p unlabelled=more | emo features -p size=24 -o f.h5
        emo train f.h5 {net} -o t.onnx
        emo distill t.onnx --data f.h5 {net} --alpha 1 -o s.onnx
        emo distill t.onnx --data f.h5 {net} --alpha 0.5 -o l.onnx""")
    told = done.stderr.decode()
    assert done.returncode == 0, told
    assert told.count("12 rows of the train part have no label and are left out") == 2  # of emo train, and of alpha 0.5
