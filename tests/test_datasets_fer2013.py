"""FER2013 from its csv and from folders: what is read, and what is said of files that are not as they should be."""

import hashlib
import importlib.util
import os
import threading
from pathlib import Path

import corpus_files
import numpy as np
import pytest
from corpus_files import all_of, faces, image, row

from emocli import labels
from emocli.datasets import _fer_csv, fer2013
from emocli.errors import EmoError


def test_every_pixel_label_and_part_arrives(tmp_path: Path) -> None:
    pixels = faces(300)
    lines = [row(each, i % 7, corpus_files.PARTS[i * 3 // 300]) for i, each in enumerate(pixels)]
    path = corpus_files.fer2013(tmp_path / "any name.csv", lines)
    corpus = fer2013.read([path])
    samples = all_of(corpus)
    assert np.array_equal(np.stack([sample.x for sample in samples]), pixels[:, None])
    assert [sample.y for sample in samples] == [i % 7 for i in range(300)]
    assert [sample.split for sample in samples] == ["train"] * 100 + ["validation"] * 100 + ["test"] * 100
    assert [sample.id for sample in samples] == [str(i) for i in range(300)]
    assert corpus.labels == labels.SEVEN
    assert corpus.source.hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_real_rows_arrive_as_they_are(tmp_path: Path, corpora: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(corpora / "fer2013_delta.h5") as data:
        delta, emotion = data["pixels_delta"][:600], data["emotion"][:600].tolist()
    pixels = delta.cumsum(2, dtype=np.uint8).cumsum(1, dtype=np.uint8)
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(*pair) for pair in zip(pixels, emotion, strict=True)])
    samples = all_of(fer2013.read([path]))
    assert np.array_equal(np.stack([sample.x for sample in samples])[:, 0], pixels)
    assert [sample.y for sample in samples] == emotion


def test_the_other_layout_with_spaced_names_gives_the_same(tmp_path: Path) -> None:
    plain = [row(each, i % 7, "PrivateTest") for i, each in enumerate(faces(20))]
    moved = [",".join(line.split(",")[k] for k in (0, 2, 1)) for line in plain]
    one = corpus_files.fer2013(tmp_path / "fer2013.csv", plain)
    other = corpus_files.fer2013(tmp_path / "icml_face_data.csv", moved, "emotion, Usage, pixels")
    for a, b in zip(all_of(fer2013.read([one])), all_of(fer2013.read([other])), strict=True):
        assert np.array_equal(a.x, b.x)
        assert (a.y, a.split, a.id) == (b.y, b.split, b.id)


VARIANTS = ("crlf", "quotes", "blank lines", "double spaces", "no last line end", "index column")


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_ways_to_write_the_same_csv_are_read(tmp_path: Path, variant: str) -> None:
    pixels = faces(12)
    lines = [row(each) for each in pixels]
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", lines, end="\r\n" if variant == "crlf" else "\n")
    if variant == "quotes":
        corpus_files.fer2013(path, [",".join(f'"{field}"' for field in line.split(",")) for line in lines])
    if variant == "blank lines":
        corpus_files.fer2013(path, [*lines[:5], "", *lines[5:], ""])
    if variant == "double spaces":
        corpus_files.fer2013(path, [line.replace(" ", "  ", 40).replace(",", ", ") for line in lines])
    if variant == "no last line end":
        path.write_bytes(path.read_bytes().rstrip())
    if variant == "index column":
        corpus_files.fer2013(path, [f"{i},{line}" for i, line in enumerate(lines)], ",emotion,pixels,Usage")
    samples = all_of(fer2013.read([path]))
    assert np.array_equal(np.stack([sample.x for sample in samples]), pixels[:, None])
    assert {sample.y for sample in samples} == {3}


@pytest.mark.parametrize("jobs", [1, 3])
def test_many_blocks_stay_in_order_whatever_the_number_of_threads(tmp_path: Path, jobs: int) -> None:
    pixels = faces(8)
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(each, i % 7) for i, each in enumerate(pixels)] * 200)
    assert path.stat().st_size > 8 * _fer_csv.BLOCK_BYTES
    corpus = fer2013.read([path], jobs=jobs)
    for i, sample in enumerate(corpus.samples):
        assert sample.id == str(i)
        assert sample.y == i % 8 % 7
        assert np.array_equal(sample.x, pixels[i % 8][None])
    assert corpus.source.hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_less_than_no_thread_is_one_line(tmp_path: Path) -> None:
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(faces(1)[0], 0)])
    with pytest.raises(EmoError, match="jobs is -1"):
        fer2013.read([path], jobs=-1)


def test_public_test_rows_can_be_for_test(tmp_path: Path) -> None:
    lines = [row(each, 0, usage) for each, usage in zip(faces(3), corpus_files.PARTS, strict=True)]
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", lines)
    assert [sample.split for sample in all_of(fer2013.read([path], public_test="test"))] == ["train", "test", "test"]
    with pytest.raises(EmoError, match="choose validation, test, or only"):
        fer2013.read([path], public_test="both")


def test_without_public_test_rows_nothing_else_is_scored_in_their_place(tmp_path: Path) -> None:
    lines = [row(each, 0, usage) for each, usage in zip(faces(2), corpus_files.PARTS[::2], strict=True)]
    path = corpus_files.fer2013(tmp_path / "f.csv", lines)
    with pytest.raises(EmoError, match="are no PublicTest rows"):
        all_of(fer2013.read([path], public_test="only"))


def test_public_test_rows_can_be_the_only_ones_for_test_under_their_own_numbers(tmp_path: Path) -> None:
    pixels, usages = faces(4), [corpus_files.PARTS["TVS".index(letter)] for letter in "TSVT"]
    lines = [row(each, 0, usage) for each, usage in zip(pixels, usages, strict=True)]
    found = all_of(fer2013.read([corpus_files.fer2013(tmp_path / "f.csv", lines)], public_test="only"))
    assert [(sample.split, sample.id) for sample in found] == [("train", "0"), ("test", "2"), ("train", "3")]
    assert np.array_equal(np.concatenate([sample.x for sample in found]), np.stack(pixels)[[0, 2, 3]])


def test_a_partial_file_is_read_and_noted(tmp_path: Path) -> None:
    corpus = fer2013.read([corpus_files.fer2013(tmp_path / "fer2013.csv", [row(faces(1)[0])])])
    assert len(all_of(corpus)) == 1
    assert list(corpus.notes) == [
        "not a file as Kaggle publishes it: 1 of 28,709 Training rows, 0 of 3,589 PublicTest rows, "
        "0 of 3,589 PrivateTest rows"
    ]


def test_published_md5s_are_those_that_torchvision_gives() -> None:
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        pytest.skip("torchvision is not installed")
    text = Path(found.origin).with_name("datasets").joinpath("fer2013.py").read_text()
    for md5, name in _fer_csv.PUBLISHED.items():
        assert f'("{name}", "{md5}")' in text


def changed(line: str, what: str) -> str:
    label, pixels, usage = line.split(",")
    words = pixels.split(" ")
    edits = {
        "one pixel less": f"{label},{' '.join(words[1:])},{usage}",
        "one pixel more": f"{label},{pixels} 7,{usage}",
        "pixel 256": f"{label},{' '.join(['256', *words[1:]])},{usage}",
        "pixel 300": f"{label},{' '.join([*words[:-1], '300'])},{usage}",
        "pixel 999": f"{label},{' '.join([*words[:-1], '999'])},{usage}",
        "four digits": f"{label},{' '.join(['0123', *words[1:]])},{usage}",
        "a letter": f"{label},{' '.join(['x', *words[1:]])},{usage}",
        "minus": f"{label},{' '.join(['-3', *words[1:]])},{usage}",
        "a point": f"{label},{' '.join(['1.5', *words[2:]])},{usage}",
        "label 7": f"7,{pixels},{usage}",
        "label -1": f"-1,{pixels},{usage}",
        "no label": f",{pixels},{usage}",
        "usage": f"{label},{pixels},Trainimg",
        "four columns": f"{line},9",
    }
    return edits[what]


BAD = {
    "one pixel less": "2303 pixels, expected 2304", "one pixel more": "2305 pixels", "pixel 256": "pixel '256'",
    "pixel 300": "pixel '300'", "pixel 999": "pixel '999'", "four digits": "pixel '0123'", "a letter": "pixel 'x'",
    "minus": "pixel '-3'", "a point": "2303 pixels", "label 7": "label '7'", "label -1": "label '-1'",
    "no label": "label ''", "usage": "usage 'Trainimg'", "four columns": "4 columns",
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, what: str) -> None:
    lines = [row(each) for each in faces(400)]  # three blocks; the bad row is in the third
    lines[380] = changed(lines[380], what)
    with pytest.raises(EmoError, match=rf"^fer2013.csv line 382: .*{BAD[what]}") as caught:
        all_of(fer2013.read([corpus_files.fer2013(tmp_path / "fer2013.csv", lines)]))
    assert "\n" not in str(caught.value)


def test_a_missing_pixel_that_a_neighbour_has_too_many_is_found(tmp_path: Path) -> None:
    lines = [row(each) for each in faces(4)]
    lines[1], lines[2] = changed(lines[1], "one pixel less"), changed(lines[2], "one pixel more")
    with pytest.raises(EmoError, match="line 3: 2303 pixels"):
        all_of(fer2013.read([corpus_files.fer2013(tmp_path / "fer2013.csv", lines)]))


def test_a_field_longer_than_csv_files_have_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    lines = [row(each) for each in faces(40)]
    lines[1] = f"3,{'7 ' * 70_000},Training"
    with pytest.raises(EmoError, match=r"^fer2013.csv line 3: field larger than field limit"):
        all_of(fer2013.read([corpus_files.fer2013(tmp_path / "fer2013.csv", lines)]))


@pytest.mark.parametrize("cut", [2, 12, 5000])
def test_a_file_cut_within_a_row_is_an_error_that_names_the_line(tmp_path: Path, cut: int) -> None:
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(each) for each in faces(5)])
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(EmoError, match=r"^fer2013.csv line 6: "):
        all_of(fer2013.read([path]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"emotion,pixels,Usage\n", "a header and no rows"),
        (b"name,age\nx,3\n", "expected the columns emotion,pixels,Usage"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400, "expected the columns"),
        (b"emotion,pixels,Usage\n" + b"7" * 200_000, "a line of more than 65,536 bytes"),
        (b"emotion,pixels,Usage\n" + b"7" * 5_000_000, "a line of more than 65,536 bytes"),
    ],
    ids=["empty", "header only", "other columns", "binary", "long line", "very long line"],
)
def test_what_is_not_fer2013_is_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    with pytest.raises(EmoError, match=message) as caught:
        all_of(fer2013.read([path]))
    assert "\n" not in str(caught.value)


def test_the_test_rows_of_the_challenge_have_no_label(tmp_path: Path) -> None:
    lines = [row(each).split(",")[1] for each in faces(3)]
    path = corpus_files.fer2013(tmp_path / "test.csv", lines, "pixels")
    samples = all_of(fer2013.read([path]))
    assert [(sample.y, sample.split) for sample in samples] == [(-1, "test")] * 3
    corpus_files.fer2013(tmp_path / "train.csv", [f"3,{line}" for line in lines], "emotion,pixels")
    corpus = fer2013.read([tmp_path])
    assert [(sample.y, sample.split) for sample in corpus.samples] == [(3, "train")] * 3
    assert any("test.csv left out" in note for note in corpus.notes)


def test_a_folder_that_holds_the_csv_is_as_good_as_the_csv(tmp_path: Path) -> None:
    (tmp_path / "fer2013").mkdir()
    corpus_files.fer2013(tmp_path / "fer2013" / "fer2013.csv", [row(each) for each in faces(3)])
    assert len(all_of(fer2013.read([tmp_path]))) == 3
    assert len(all_of(fer2013.read([tmp_path / "fer2013"]))) == 3


def test_a_folder_with_only_the_rows_of_the_test_is_read_and_says_so(tmp_path: Path) -> None:
    corpus_files.fer2013(tmp_path / "test.csv", [row(each).split(",")[1] for each in faces(2)], "pixels")
    corpus = fer2013.read([tmp_path])
    assert [(sample.y, sample.split) for sample in all_of(corpus)] == [(-1, "test")] * 2
    assert [note.rpartition(": ")[2] for note in corpus.notes] == [
        "0 of 28,709 Training rows, 0 of 3,589 PublicTest rows, 0 of 3,589 PrivateTest rows, 2 rows without labels"
    ]


def test_of_several_sources_none_is_left_out_in_silence(tmp_path: Path) -> None:
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(each) for each in faces(2)])
    image(tmp_path / "other" / "train" / "happy" / "im0.png")
    with pytest.raises(EmoError, match=r"other holds none of fer2013.csv"):
        fer2013.read([path, tmp_path / "other"])


@pytest.mark.parametrize("end", ["\n", ""])
def test_no_block_is_overwritten_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    each = len(row(np.full((48, 48), 100, np.uint8))) + 1
    monkeypatch.setattr(_fer_csv, "BLOCK_BYTES", 2 * each)
    pixels = [np.full((48, 48), 100 + number, np.uint8) for number in range(41)]
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(one) for one in pixels])
    path.write_text(path.read_text().rstrip("\n") + end)
    with open(path, "rb") as file:
        file.readline()
        held = [(block, block.copy()) for block in _fer_csv._blocks(file, "fer2013.csv", 100)]
        assert all(np.array_equal(block, copy) for block, copy in held)
    with open(path, "rb") as file:
        file.readline()
        # as far as it may read ahead: the oldest block is still being decoded while the last ones are read
        blocks = list(_fer_csv._blocks(file, "fer2013.csv", len(held)))
        assert all(np.array_equal(block, copy) for block, (_, copy) in zip(blocks, held, strict=True))


def test_folders_of_images_are_read_with_their_parts(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("angry", "happy", "neutral"):
            image(tmp_path / part / name / "im0.png")
    samples = all_of(fer2013.read([tmp_path]))
    assert [(sample.id, sample.y, sample.split) for sample in samples] == [
        ("test/angry/im0.png", 0, "test"), ("test/happy/im0.png", 3, "test"), ("test/neutral/im0.png", 6, "test"),
        ("train/angry/im0.png", 0, "train"), ("train/happy/im0.png", 3, "train"), ("train/neutral/im0.png", 6, "train"),
    ]  # fmt: skip
    assert all(isinstance(sample.x, np.ndarray) and sample.x.shape == (1, 48, 48) for sample in samples)
    image(tmp_path / "train" / "puzzled" / "im0.png")
    with pytest.raises(EmoError, match="'puzzled' is none of"):
        fer2013.read([tmp_path])


def test_a_reader_that_stops_early_leaves_no_thread_behind(tmp_path: Path) -> None:
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(each) for each in faces(10)] * 80)
    samples = fer2013.read([path], jobs=2).samples
    next(samples)
    samples.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if "ThreadPoolExecutor" in thread.name]


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    path = corpus_files.fer2013(tmp_path / "fer2013.csv", [row(each) for each in faces(2)])
    reading, writing = os.pipe()
    os.write(writing, path.read_bytes())
    os.close(writing)
    corpus = fer2013.read([Path(f"/dev/fd/{reading}")])
    assert len(all_of(corpus)) == 2
    assert corpus.source.hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()
    os.close(reading)
