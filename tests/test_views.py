"""Several views of a picture that answer together."""

import numpy as np
import pytest

from emocli.errors import EmoError
from emocli.scores import views
from emocli.scores.views import MOVES, Views


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
    (only,) = Views().of(x)
    assert only is x


@pytest.mark.parametrize("flip", [False, True])
def test_logits_are_the_mean_over_all_views(flip: bool) -> None:
    x = pictures(3, 1, 8, 8)
    seen = list(Views(4, flip).of(x))
    assert len(seen) == 4 * (1 + flip)
    wanted = np.mean([Sums().run(each)["logits"] for each in seen], axis=0)
    assert views.logits(Sums(), x, Views(4, flip)) == pytest.approx(wanted)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_view_has_the_shape_and_the_type_of_the_picture_and_is_another(channels: int, dtype: type) -> None:
    x = pictures(2, channels, 24, 20, dtype=dtype)
    first, *others = Views(len(MOVES)).of(x)
    for other in others:
        assert (other.shape, other.dtype) == (x.shape, x.dtype)
        assert not np.array_equal(other, first)


def test_each_picture_and_channel_is_moved_by_itself() -> None:
    x = pictures(2, 3, 24, 20)
    for whole, part in zip(Views(7).of(x), Views(7).of(x[1:, 2:]), strict=True):
        assert np.array_equal(whole[1:, 2:], part)


def test_what_all_views_of_one_grey_show_is_that_grey() -> None:
    x = np.full((1, 1, 24, 24), 77, np.uint8)
    assert all((seen == 77).all() for seen in Views(7).of(x))


def test_moves_are_what_they_are_called() -> None:
    place = {name: [middle(seen) for seen in Views(7).of(x)] for name, x in (("up", dot(8, 24)), ("mid", dot(24, 24)))}
    for (row, column), (at, across), move in zip(place["mid"], place["up"], MOVES, strict=True):
        assert (row, column) == pytest.approx((24 + 49 * move.down, 24 + 49 * move.right), abs=0.02)
        assert row - at == pytest.approx(16 * move.zoom * np.cos(np.radians(move.turn)), abs=0.1)
        assert across - column == pytest.approx(-16 * move.zoom * np.sin(np.radians(move.turn)), abs=0.1)


def test_a_picture_and_its_mirror_image_have_the_same_views() -> None:
    x = pictures(2, 1, 24, 24)
    one, other = (views.logits(Sums(), each, Views(7, flip=True)) for each in (x, np.ascontiguousarray(x[..., ::-1])))
    assert one == pytest.approx(other)


@pytest.mark.parametrize("count", [0, 8, -1])
def test_a_number_of_views_that_there_is_not_is_said(count: int) -> None:
    with pytest.raises(EmoError, match=f"1 to 7 views of a picture, not {count}"):
        Views(count)


def test_vectors_have_no_views() -> None:
    assert [each.tolist() for each in Views().of(np.ones((2, 3)))] == [[[1, 1, 1], [1, 1, 1]]]
    for several in (Views(flip=True), Views(2)):
        with pytest.raises(EmoError, match=r"only pictures have views.*leave out --flip, --views, --teacher-flip"):
            list(several.of(np.ones((2, 3))))
