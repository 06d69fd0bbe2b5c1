"""Features of texts: what counts as a word, and the same numbers for it everywhere."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from emocli import registry
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.extracting.joining import Extractor
from emocli.text import hashing
from emocli.text.words import LONGEST, SHOUT, words

ODD = {
    "nothing": "",
    "spaces": " \n\t ",
    "half a surrogate": "so \ud800 sad",
    "control characters": "a\x00b\x1b[31mc\x7f",
    "binary": bytes(range(256)).decode("latin-1") * 20,
    "one word without an end": "ab" * 50_000,
    "marks without letters": "\u0301" * 500,
    "a letter under many marks": "o" + "\u0301\u0323" * 20_000,
    "apostrophes": "'" * 300 + "a'" * 3_000,
}


def projection(**options: object) -> Extractor:
    made: Extractor = registry.load("features", "projection")(**options)
    return made


def frame(word: str, **options: object) -> np.ndarray:
    """The last frame of a text, which may begin with a mark."""
    row: np.ndarray = projection(**options)([word])[0][-1]
    return row


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I don't know, it’s fine.", "i|don't|know|,|it's|fine|."),
        ("Why?! No... Stop!!!!!!!!", "why|?!|no|...|stop|!!!"),
        ("sooooooo GOOOOOOD", f"sooo|{SHOUT}|goood"),
        ("WHAT IS this THING", f"{SHOUT}|what|is|this|{SHOUT}|thing"),
        ("I am A fan, I AM A FAN", f"i|am|a|fan|,|i|{SHOUT}|am|a|fan"),
        ("[NAME] loves [NAME]'s dog", "[name]|loves|[name]|'|s|dog"),
        ("fun:) :-( <3 xD ;_; ^_^ at 5:30", "fun|:)|:-(|<3|xd|;_;|^_^|at|5|:|30"),
        ("😂😂😂😂😂 👍🏽👍 ❤️❤ 🇩🇪🇫🇷", "😂|😂|😂|👍|👍|❤|❤|🇩🇪|🇫🇷"),
        ("see https://a.b/c?d=:) and www.e.org/F", "see|http|and|http"),
        ("@Someone u/other /u/third-one you/me", "@|@|@|you|/|me"),
        ("我很高兴！", "我|很|高|兴|!"),
        ("すごいね 안녕하세요 세상", "す|ご|い|ね|안녕하세요|세상"),
        ("नमस्ते दुनिया। Ça va, naïve cafe\u0301?", "नमस्ते|दुनिया|।|ça|va|,|naïve|café|?"),
        ("", ""),
    ],
)
def test_words_are_what_the_writer_means(text: str, found: str) -> None:
    assert "|".join(words(text)) == found


def test_a_word_is_never_longer_than_a_bound() -> None:
    assert max(map(len, words(ODD["one word without an end"]))) == LONGEST
    assert max(len(word) for text in ODD.values() for word in words(text)) <= 4 * LONGEST + 3


def test_pieces_are_what_lies_side_by_side_between_the_ends_of_a_word() -> None:
    assert hashing.pieces("joy", 3, 4) == ["<jo", "joy", "oy>", "<joy", "joy>"]
    assert hashing.pieces("😂", 2, 5) == []


def test_signs_look_drawn_by_chance_and_are_those_they_always_were() -> None:
    signs = hashing.signs(hashing.codes([f"word{number}" for number in range(2000)]), 200).astype(np.float64)
    assert signs.shape == (2000, 200) and np.unique(signs).tolist() == [-1, 1]
    assert np.abs(signs.mean(0)).max() < 0.1 and np.abs(np.corrcoef(signs.T) - np.eye(200)).max() < 0.12
    assert np.array_equal(
        hashing.signs(hashing.codes(["joy"]), 130)[0, :64], hashing.signs(hashing.codes(["joy"]), 64)[0]
    )
    # models that were trained on them depend on it
    assert hashing.codes(["joy", "😂", "\ud800"]).tolist() == [
        16525629149359505921, 6961415960823427775, 3674365819303183238,
    ]  # fmt: skip


def test_another_process_makes_the_same_numbers() -> None:
    texts = ["I am SO happy 😂", "naïve, 我很高兴"]
    program = (
        "import numpy as np; from emocli import registry\n"
        "for name in ('projection', 'ngrams'):\n"
        f"    print(np.concatenate(registry.load('features', name)(size=32)({texts!r})).tobytes().hex())"
    )
    seeded = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=seeded, capture_output=True, text=True, check=True)
    for name, said in zip(("projection", "ngrams"), done.stdout.split(), strict=True):
        assert np.concatenate(registry.load("features", name)(size=32)(texts)).tobytes().hex() == said


@pytest.mark.parametrize("name", ["projection", "ngrams"])
def test_a_text_has_the_same_numbers_alone_and_among_others_in_any_order(name: str) -> None:
    texts = ["so happy today", "", "WHY?", "so sad today"]
    extract = registry.load("features", name)()
    together, backwards = extract(texts), extract(texts[::-1])
    for row, text in enumerate(texts):
        assert np.array_equal(together[row], backwards[-1 - row])
        assert np.array_equal(together[row], registry.load("features", name)()([text])[0])


@pytest.mark.parametrize("name", ["projection", "ngrams"])
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_texts_have_finite_numbers(name: str, text: str) -> None:
    (row,) = registry.load("features", name)()([text])
    assert row.dtype == np.float32 and np.isfinite(row).all() and row.size


def test_a_word_is_the_same_frame_wherever_it_stands() -> None:
    rows = projection()(["a happy man", "happy"])
    assert np.array_equal(rows[0][1], rows[1][0]) and np.array_equal(frame("HAPPY"), frame("happy"))


def test_a_misspelt_word_is_near_the_right_one_and_another_is_not() -> None:
    def alike(first: str, second: str) -> float:
        return cosine(frame(first, size=2048), frame(second, size=2048))

    near = [("happy", "happpy"), ("definitely", "definately"), ("disappointed", "dissapointed"), ("cry", "crying")]
    far = [("happy", "sad"), ("love", "hate"), ("😂", "😭"), ("!", "?"), (SHOUT, ",")]
    assert min(alike(*pair) for pair in near) > 0.15 > 0.05 > max(abs(alike(*pair)) for pair in far)


def test_a_text_without_words_is_one_frame_of_zeros_and_a_long_one_ends_at_the_limit() -> None:
    nothing, short, long = projection(limit=5, size=100)(["", "one two", "a b c d e f g"])
    assert nothing.shape == (1, 100) and not nothing.any()
    assert short.shape == (2, 100) and long.shape == (5, 100)
    assert len(projection(limit=0)(["a " * 1000])[0]) == 1000


def test_a_long_text_takes_little_more_memory_than_its_frames() -> None:
    text = "so happy and so sad, all at once! " * 1_000
    extract = projection(limit=0, size=16)
    tracemalloc.start()
    (rows,) = extract([text])
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(rows) == 10_000 and rows.nbytes == 640_000 and held < 1.3e6
    assert len(extract([text * 10])[0]) == 100_000


def test_ngrams_have_the_length_one_and_count_in_logarithms() -> None:
    extract = registry.load("features", "ngrams")(pairs=False, most=0)
    nothing, once, often, two = extract(["", "sad", "sad sad sad", "sad joy joy"])
    assert not nothing.any() and np.array_equal(once, often)
    assert all(np.linalg.norm(row) == pytest.approx(1) for row in (once, often, two))
    assert sorted(np.abs(two[two != 0]) / np.abs(two).max()) == pytest.approx([np.log(2) / np.log(3), 1])


def test_ngrams_tell_the_order_of_words_by_their_pairs_alone() -> None:
    texts = ["not bad just sad", "not sad just bad"]
    first, second = registry.load("features", "ngrams")()(texts)
    assert 0.5 < cosine(first, second) < 0.999
    first, second = registry.load("features", "ngrams")(pairs=False)(texts)
    assert np.allclose(first, second)


@pytest.mark.parametrize(
    ("name", "options"),
    [("projection", {"size": 0}), ("projection", {"limit": -1}), ("projection", {"least": 0}), ("ngrams", {"size": 0}),
     ("ngrams", {"most": -1})],
)  # fmt: skip
def test_sizes_that_can_not_be_are_refused_at_once(name: str, options: dict[str, int]) -> None:
    with pytest.raises(EmoError, match=name):
        registry.load("features", name)(**options)


def test_what_can_be_joined_is_and_the_rest_is_refused_in_one_line() -> None:
    with pytest.raises(EmoError, match="frames, which can't be joined with vectors"):
        extraction.build("ngrams+projection", {})[0](["so sad"])
    with pytest.raises(EmoError, match="mfcc is for speech"):
        extraction.build("ngrams+mfcc", {})
