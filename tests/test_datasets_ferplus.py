"""FER+: votes joined to the pixels by row, and the rules of its paper."""

from pathlib import Path

import corpus_files
import numpy as np
import pytest
from corpus_files import all_of, faces, row

from emocli import labels
from emocli.datasets import ferplus
from emocli.errors import EmoError

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
VOTES = {
    "neutral wins": (6, 0, 1, 1, 0, 0, 0, 0, 2, 0),
    "no majority": (4, 0, 0, 2, 3, 0, 0, 0, 0, 0),
    "tie": (5, 5, 0, 0, 0, 0, 0, 0, 0, 0),
    "unknown wins": (1, 0, 0, 1, 0, 0, 0, 0, 8, 0),
    "no face": (0, 0, 0, 0, 0, 0, 0, 0, 0, 10),
    "no name": (0, 9, 0, 0, 0, 0, 0, 0, 0, 0),
    "outliers decide": (0, 4, 1, 1, 1, 1, 1, 0, 0, 0),
    "scattered": (2, 2, 2, 2, 2, 0, 0, 0, 0, 0),
    "doubt ends the list": (0, 0, 5, 0, 0, 0, 2, 0, 3, 0),
}


def write(folder: Path, *, usages: str = "TTTTTTVSS", rows: int = len(VOTES)) -> list[Path]:
    """Write both files; T, V, S stand for the parts."""
    parts = [corpus_files.PARTS["TVS".index(letter)] for letter in usages]
    pixels = [row(each, 0, part) for each, part in zip(faces(rows), parts, strict=False)]
    names = ["" if what == "no name" else "fer0000000.png" for what in VOTES]  # a name occurs again: rows count
    tags = [f"{part},{name},{','.join(map(str, votes))}"
            for part, name, votes in zip(parts, names, VOTES.values(), strict=True)]  # fmt: skip
    (folder / "fer2013new.csv").write_text("\n".join((HEADER, *tags)) + "\n")
    return [corpus_files.fer2013(folder / "fer2013.csv", pixels), folder / "fer2013new.csv"]


def test_majority_keeps_rows_with_more_than_half_of_the_votes_and_counts_the_others(tmp_path: Path) -> None:
    corpus = ferplus.read(write(tmp_path))
    samples = all_of(corpus)
    kept = {list(VOTES)[int(sample.id)]: labels.EIGHT[sample.y] for sample in samples if isinstance(sample.y, int)}
    assert kept == {"neutral wins": "neutral", "outliers decide": "happy"}
    assert [sample.split for sample in samples] == ["train", "validation"]
    assert corpus.notes == {
        "row without a majority left out": 2,
        "tie for the most votes left out": 2,
        "unknown emotion left out": 1,
        "NF (not a face) left out": 1,
        "row without an image name left out": 1,
    }
    assert (corpus.labels, corpus.meaning) == (labels.EIGHT, "label")


def test_votes_keep_the_largest_counts_of_emotions(tmp_path: Path) -> None:
    corpus = ferplus.read(write(tmp_path), labels="votes")
    kept = {list(VOTES)[int(sample.id)]: sample.y for sample in corpus.samples}
    assert kept == {
        "neutral wins": (6, 0, 0, 0, 0, 0, 0, 0),
        "no majority": (4, 0, 0, 0, 3, 0, 0, 0),
        "tie": (5, 5, 0, 0, 0, 0, 0, 0),
        "outliers decide": (0, 4, 0, 0, 0, 0, 0, 0),
    }
    assert corpus.meaning == "votes"
    assert corpus.notes["row without agreement left out"] == 2


def test_public_test_can_be_the_test_part(tmp_path: Path) -> None:
    samples = all_of(ferplus.read(write(tmp_path), public_test="test"))
    assert [sample.split for sample in samples] == ["train", "test"]
    alone = all_of(ferplus.read(write(tmp_path, usages="TTTTTTVSS"[::-1]), public_test="only"))
    assert [sample.id for sample in alone] == ["6"]  # row 0 is of PrivateTest
    with pytest.raises(EmoError, match="choose validation, test, or only"):
        ferplus.read([tmp_path], public_test="train")


def test_probabilities_are_votes_divided_by_their_sum(tmp_path: Path) -> None:
    files = write(tmp_path)
    votes = [sample.y for sample in ferplus.read(files, labels="votes").samples]
    corpus = ferplus.read(files, labels="probability")
    shares = [sample.y for sample in corpus.samples]
    assert corpus.meaning == "probabilities"
    assert np.allclose(np.sum(shares, axis=1), 1)
    assert np.allclose(shares, np.array(votes) / np.sum(votes, axis=1, keepdims=True))


def test_pixels_are_those_of_the_same_row(tmp_path: Path) -> None:
    pixels = faces(len(VOTES))
    for sample in ferplus.read(write(tmp_path)).samples:
        assert isinstance(sample.x, np.ndarray)
        assert np.array_equal(sample.x[0], pixels[int(sample.id)])


def test_both_orders_and_the_folder_are_the_same(tmp_path: Path) -> None:
    files = write(tmp_path)
    corpora = [ferplus.read(given) for given in (files, files[::-1], [tmp_path])]
    ids = [[sample.id for sample in corpus.samples] for corpus in corpora]
    assert ids[0] == ids[1] == ids[2]
    assert len({corpus.source.hexdigest() for corpus in corpora}) == 1


def test_a_shorter_file_is_joined_as_far_as_it_goes(tmp_path: Path) -> None:
    corpus = ferplus.read(write(tmp_path, rows=3))
    assert [sample.id for sample in corpus.samples] == ["0"]
    assert any(
        text.startswith("fer2013.csv has 3 rows, fer2013new.csv 9; they are joined by number") for text in corpus.notes
    )


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    pixels, votes = write(tmp_path)
    votes.write_text(votes.read_text().replace("PublicTest", "Training"))
    with pytest.raises(EmoError, match=r"row 6 is PublicTest in fer2013.csv and Training in fer2013new.csv"):
        all_of(ferplus.read([pixels, votes]))


def test_bad_votes_are_named_by_their_line(tmp_path: Path) -> None:
    pixels, votes = write(tmp_path)
    text = votes.read_text()
    for bad in ("x", "-1", "9" * 5000):
        votes.write_text(text.replace("5,5,0", f"5,{bad},0"))
        with pytest.raises(EmoError, match=r"fer2013new.csv line 4: expected a usage, a name and 10 votes"):
            ferplus.read([pixels, votes])
    votes.write_text("a,b\n1,2\n")
    with pytest.raises(EmoError, match="is not FER\\+"):
        ferplus.read([pixels, votes])


def test_a_missing_half_says_what_is_needed(tmp_path: Path) -> None:
    pixels, _ = write(tmp_path)
    for given in ([pixels], [], [pixels, pixels], [tmp_path / "fer2013.csv"]):
        with pytest.raises(EmoError, match=r"needs fer2013.csv and fer2013new.csv"):
            ferplus.read(given)
    with pytest.raises(EmoError, match="choose majority, votes, probability"):
        ferplus.read([tmp_path], labels="mean")


def test_real_votes_give_the_numbers_that_are_known(corpora: Path) -> None:
    tagged = ferplus._tagged(corpora / "ferplus" / "fer2013new.csv")
    notes = ferplus.Counter[str]()
    kept = [row.usage for row in tagged if ferplus._target(row, "majority", notes) is not None]
    assert (kept.count("Training"), kept.count("PublicTest")) == (25_060, 3_199)
    assert notes["row without an image name left out"] == 158
