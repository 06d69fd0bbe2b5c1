"""Several views of a picture or a voice that answer together."""

import numpy as np
import pytest

from emocli.artifact import Header
from emocli.data import padding
from emocli.errors import EmoError
from emocli.scores import picture_views, views, voice_views
from emocli.scores.picture_views import MOVES
from emocli.scores.views import Views


def made_by(name: str) -> Header:
    return Header("features", (), ({"command": "features", "name": name, "params": {}},))


PIXELS, LOGMEL = made_by("pixels"), made_by("logmel")


class Sums:
    """A model that says the sum of each picture's left half and of its right half."""

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        half = x.shape[-1] // 2
        return {"logits": np.stack([x[..., :half].sum((1, 2, 3)), x[..., half:].sum((1, 2, 3))], 1).astype(np.float32)}


def pictures(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def dot(row: int, column: int) -> np.ndarray:
    x = np.zeros((1, 1, 49, 49), np.float32)
    x[0, 0, row, column] = 1
    return x


def middle(x: np.ndarray) -> tuple[float, float]:
    """Return the row and column about which the light of a picture lies."""
    rows, columns = np.mgrid[: x.shape[2], : x.shape[3]]
    return float((x[0, 0] * rows).sum() / x.sum()), float((x[0, 0] * columns).sum() / x.sum())


def test_one_view_is_the_picture_itself() -> None:
    x = pictures(3, 1, 8, 8)
    (only,) = Views().of(x, PIXELS)
    assert only is x


@pytest.mark.parametrize("flip", [False, True])
def test_logits_are_the_mean_over_all_views(flip: bool) -> None:
    x = pictures(3, 1, 8, 8)
    seen = list(Views(4, flip).of(x, PIXELS))
    assert len(seen) == 4 * (1 + flip)
    wanted = np.mean([Sums().run(each)["logits"] for each in seen], axis=0)
    assert views.logits(Sums(), x, PIXELS, Views(4, flip)) == pytest.approx(wanted)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_view_has_the_shape_and_the_type_of_the_picture_and_is_another(channels: int, dtype: type) -> None:
    x = pictures(2, channels, 24, 20, dtype=dtype)
    first, *others = Views(len(MOVES)).of(x, PIXELS)
    for other in others:
        assert (other.shape, other.dtype) == (x.shape, x.dtype)
        assert not np.array_equal(other, first)


def test_each_picture_and_channel_is_moved_by_itself() -> None:
    x = pictures(2, 3, 24, 20)
    for whole, part in zip(Views(7).of(x, PIXELS), Views(7).of(x[1:, 2:], PIXELS), strict=True):
        assert np.array_equal(whole[1:, 2:], part)


def test_what_all_views_of_one_grey_show_is_that_grey() -> None:
    x = np.full((1, 1, 24, 24), 77, np.uint8)
    assert all((seen == 77).all() for seen in Views(7).of(x, PIXELS))


def test_moves_are_what_they_are_called() -> None:
    place = {
        name: [middle(seen) for seen in Views(7).of(x, PIXELS)]
        for name, x in (("up", dot(8, 24)), ("mid", dot(24, 24)))
    }
    for (row, column), (at, across), move in zip(place["mid"], place["up"], MOVES, strict=True):
        assert (row, column) == pytest.approx((24 + 49 * move.down, 24 + 49 * move.right), abs=0.02)
        assert row - at == pytest.approx(16 * move.zoom * np.cos(np.radians(move.turn)), abs=0.1)
        assert across - column == pytest.approx(-16 * move.zoom * np.sin(np.radians(move.turn)), abs=0.1)


def test_a_picture_and_its_mirror_image_have_the_same_views() -> None:
    x = pictures(2, 1, 24, 24)
    one, other = (
        views.logits(Sums(), each, PIXELS, Views(7, flip=True)) for each in (x, np.ascontiguousarray(x[..., ::-1]))
    )
    assert one == pytest.approx(other)


@pytest.mark.parametrize("count", [0, 8, -1])
def test_a_number_of_views_that_there_is_not_is_said(count: int) -> None:
    with pytest.raises(EmoError, match=f"1 to 7 views of a picture or a voice, not {count}"):
        Views(count)


def test_vectors_have_no_views() -> None:
    assert [each.tolist() for each in Views().of(np.ones((2, 3)), made_by("hog"))] == [[[1, 1, 1], [1, 1, 1]]]
    for several in (Views(flip=True), Views(2)):
        with pytest.raises(EmoError, match=r"only pictures and logmel have views.*leave out --flip, --views"):
            list(several.of(np.ones((2, 3)), made_by("hog")))


def clips(*lengths: int, bands: int = 16) -> np.ndarray:
    """Sequences that rise evenly with time and with the band, NaN after their ends."""
    return padding.pad([np.add.outer(10.0 * np.arange(n), np.arange(bands)).astype(np.float32) for n in lengths])


def test_pictures_and_voices_have_as_many_views() -> None:
    assert len(picture_views.MOVES) == len(voice_views.MOVES) == 7


def test_a_voice_is_moved_by_so_much_in_pitch_and_speed() -> None:
    x = clips(40, 23)
    for shown, move in zip(Views(7).of(x, LOGMEL), voice_views.MOVES, strict=True):
        for clip, length in zip(shown, (40, 23), strict=True):
            real = clip[~np.isnan(clip[:, 0])]
            assert len(real) == int((length - 1) / move.faster) + 1
            times, bands = np.arange(len(real)) * move.faster, np.minimum(np.arange(16) / move.higher, 15)
            assert real == pytest.approx(np.add.outer(10 * times, bands), abs=1e-3)


def test_a_voice_is_moved_as_augmentation_moves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from emocli.training import augment_frames

    x = np.random.default_rng(0).normal(size=(3, 30, 64)).astype(np.float32)
    x[1, 20:] = np.nan
    strengths = augment_frames.FrameStrengths(speed=0.1, pitch=0.07)
    # the draws at the upper ends of both ranges
    monkeypatch.setattr(augment_frames, "uniform", lambda x, *_: torch.ones(len(x)))
    wanted = augment_frames.augment_frames(torch.from_numpy(x), strengths, torch.Generator()).numpy()
    monkeypatch.setattr(voice_views, "MOVES", (voice_views.Move(higher=1.07, faster=1.1),))
    (found,) = voice_views.shown(x, 1)
    assert found == pytest.approx(wanted, abs=1e-4, nan_ok=True)


def test_the_shortest_of_voices_have_all_views() -> None:
    assert all(np.isfinite(shown[0, 0]).all() for shown in Views(7).of(clips(1), LOGMEL))


def test_other_sequences_have_no_views_and_a_voice_no_mirror_image() -> None:
    with pytest.raises(EmoError, match="only pictures and logmel have views"):
        list(Views(2).of(clips(9), made_by("mfcc")))
    with pytest.raises(EmoError, match="a voice has no mirror image; leave out --flip"):
        list(Views(2, flip=True).of(clips(9), LOGMEL))
