"""Augmentation: each change does what its option says, on gray and RGB batches of any size, and no more."""

from dataclasses import fields

import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Generator, Tensor

from emocli.errors import EmoError
from emocli.training import step
from emocli.training.augment import augment, strengths
from emocli.training.augment_geometry import resample, sampling_grid
from emocli.training.augment_mixing import cutmix, mix, mixup
from emocli.training.augment_strengths import Strengths
from emocli.training.recipe import AUGMENTATION, Recipe

OCCLUDERS = ("mask", "glasses", "hand")
ALL = Strengths(
    **{"flip": 0.5, "rotate": 10, "shear": 10, "scale": 0.1, "shift": 0.05, "elastic": 0.02, "brightness": 0.2},
    **{
        "contrast": 0.2,
        "gamma": 0.5,
        "blur": 0.03,
        "noise": 0.1,
        "erase": 0.5,
        "mask": 0.5,
        "glasses": 0.5,
        "hand": 0.5,
    },
)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def images() -> Tensor:
    return torch.randint(0, 256, (64, 1, 32, 32), dtype=torch.uint8, generator=seeded(9))


def gray(n: int, size: int = 48, channels: int = 1) -> Tensor:
    return torch.full((n, channels, size, size), 128, dtype=torch.uint8)


def changed(x: Tensor, **words: float) -> Tensor:
    """Return which pixels a change moves by more than a rounding error, (n, h, w)."""
    return (augment(x, Strengths(**words), seeded()) - x / 255).abs().amax(1) > 1e-4


# --- all of them


def test_without_strengths_pixels_are_only_scaled(images: Tensor) -> None:
    assert torch.equal(augment(images, Strengths(), seeded()), images / 255)


def test_an_augmented_batch_is_the_same_for_the_same_seed_only(images: Tensor) -> None:
    changes = strengths(Recipe())
    assert torch.equal(augment(images, changes, seeded(1)), augment(images, changes, seeded(1)))
    assert not torch.equal(augment(images, changes, seeded(1)), augment(images, changes, seeded(2)))


def test_light_augmentation_neither_turns_nor_erases() -> None:
    light = strengths(Recipe(augment="light"))
    assert (light.rotate, light.scale, light.erase, light.elastic) == (0, 0, 0, 0) and light.flip
    assert strengths(Recipe(augment="none")) == Strengths()


@pytest.mark.parametrize("augment", ["none", "light"])
def test_what_is_asked_for_by_itself_comes_on_top(augment: str) -> None:
    found = strengths(Recipe(augment=augment, rotate=40.0, mask=0.5))
    assert (found.rotate, found.mask, found.scale) == (40, 0.5, 0)
    assert found.flip == (0.5 if augment == "light" else 0)


@pytest.mark.parametrize("shape", [(1, 48, 48), (3, 48, 48), (3, 20, 36)])
def test_all_changes_together_keep_shape_and_range(shape: tuple[int, ...]) -> None:
    x = torch.randint(0, 256, (32, *shape), dtype=torch.uint8, generator=seeded(2))
    seen = augment(x, ALL, seeded())
    assert seen.shape == x.shape and seen.dtype == torch.float32
    assert torch.isfinite(seen).all() and seen.min() >= 0 and seen.max() <= 1


def test_what_is_off_draws_nothing(images: Tensor) -> None:
    generator, before = seeded(), seeded().get_state()
    augment(images, Strengths(), generator)
    mix(images / 255, torch.eye(64), 0.0, 0.0, generator)
    assert torch.equal(generator.get_state(), before)


def test_new_options_are_off_by_default_and_leave_the_draws_of_the_others_alone(images: Tensor) -> None:
    recipe, generator, expected = Recipe(), seeded(), seeded()
    assert not any(getattr(recipe, name) for name in ("shear", "gamma", "blur", "noise", "cutmix", *OCCLUDERS))
    augment(images, strengths(recipe), generator)
    for _ in range(7):  # angle, scale, mirror, two shifts, contrast, brightness
        torch.rand(64, generator=expected)
    torch.rand(6, 64, generator=expected)  # erasing
    assert torch.equal(generator.get_state(), expected.get_state())


def test_every_strength_is_an_option_of_training() -> None:
    assert set(AUGMENTATION) == {field.name for field in fields(Strengths)} | {"augment", "mixup", "cutmix"}
    assert set(AUGMENTATION) <= {field.name for field in fields(Recipe)}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gpu_makes_the_same_pictures(channels: int) -> None:
    x = torch.randint(0, 256, (64, channels, 48, 48), dtype=torch.uint8, generator=seeded(2))
    recipe = Recipe(**{field.name: getattr(ALL, field.name) for field in fields(ALL)}, cutmix=1.0)
    here, there = (
        step.prepare(x.to(device), torch.eye(64).to(device), recipe, strengths(recipe), seeded())[0].cpu()
        for device in ("cpu", "cuda")
    )
    assert torch.allclose(here, there, atol=1e-3)


# --- geometry


def test_the_places_to_sample_are_those_of_affine_grid() -> None:
    theta = torch.randn(5, 2, 3)
    expected = F.affine_grid(theta, [5, 1, 9, 7], align_corners=False)
    torch.testing.assert_close(sampling_grid(theta, 9, 7), expected)


def test_a_shift_is_a_share_of_the_side_across_as_down() -> None:
    ramp = ((torch.arange(32) + 0.5) / 32).expand(200, 1, 32, 32)
    for x in (ramp, ramp.mT):
        moved = (resample(x, Strengths(shift=0.25), seeded()) - x)[:, 0, 16, 16].abs()
        assert 0.24 < moved.max() < 0.255


def test_a_mirror_image_is_exact(images: Tensor) -> None:
    mirrored = augment(images, Strengths(flip=1.0), seeded())
    assert torch.allclose(mirrored, images.flip(3) / 255, atol=1e-5)


def test_about_half_of_the_images_are_mirrored(images: Tensor) -> None:
    mirrored = augment(images, Strengths(flip=0.5), seeded())
    same = ((mirrored - images / 255).abs().amax((1, 2, 3)) < 1e-4).sum()
    assert 16 < same < 48


def test_rotation_keeps_the_middle_and_stays_within_its_reach() -> None:
    bar = torch.zeros(200, 1, 33, 33, dtype=torch.uint8)
    bar[:, :, 16, :] = 255  # a level line through the middle
    turned = augment(bar, Strengths(rotate=15.0), seeded())
    assert (turned[:, 0, 16, 16] > 0.9).all()
    ends = turned[:, 0, :, 31].argmax(1) - 16  # 15 px right of the middle a line at 15 degrees is 4 px up or down
    assert ends.abs().max() == 4 and ends.min() == -4 and ends.max() == 4


def test_scale_goes_both_ways() -> None:
    square = torch.zeros(200, 1, 40, 40, dtype=torch.uint8)
    square[:, :, 10:30, 10:30] = 255
    areas = augment(square, Strengths(scale=0.1), seeded()).sum((1, 2, 3)) / 400
    assert areas.min() < 0.87 and areas.max() > 1.13 and areas.min() > 0.80 and areas.max() < 1.22


def test_elastic_bends_and_keeps_the_range(images: Tensor) -> None:
    bent = augment(images, Strengths(elastic=0.05), seeded())
    assert not torch.allclose(bent, images / 255, atol=0.05) and bent.min() >= 0 and bent.max() <= 1


def test_shear_leans_upright_lines_both_ways_and_keeps_level_ones() -> None:
    upright = torch.zeros(200, 1, 33, 33, dtype=torch.uint8)
    upright[:, :, :, 16] = 255
    leaning = augment(upright, Strengths(shear=15.0), seeded())
    ends = leaning[:, 0, 1].argmax(1) - 16  # 15 px above the middle a line at 15 degrees is 4 px aside
    assert ends.min() == -4 and ends.max() == 4 and (leaning[:, 0, 16, 16] > 0.9).all()
    level = upright.transpose(2, 3)
    assert torch.allclose(augment(level, Strengths(shear=15.0), seeded()), level / 255, atol=1e-4)


# --- light and sharpness


def test_light_changes_stay_in_the_range(images: Tensor) -> None:
    changed = augment(images, Strengths(brightness=0.5, contrast=0.5), seeded())
    assert changed.min() >= 0 and changed.max() <= 1 and not torch.allclose(changed, images / 255)


def test_gamma_keeps_black_and_white_and_moves_what_is_between_both_ways() -> None:
    x = torch.tensor([0, 128, 255], dtype=torch.uint8).expand(300, 1, 1, 3)
    black, middle, white = augment(x, Strengths(gamma=0.5), seeded()).unbind(3)
    assert not black.any() and (white == 1).all()
    assert middle.min() == pytest.approx((128 / 255) ** 1.5, abs=0.01)
    assert middle.max() == pytest.approx((128 / 255) ** (1 / 1.5), abs=0.01)


def test_blur_is_a_gaussian_of_each_images_own_width(images: Tensor) -> None:
    blurred = augment(images, Strengths(blur=0.05), seeded())
    widths = ((torch.rand(64, generator=seeded()) * 2 - 1) * 0.05 * 32).abs()
    for image, mine, width in zip(images.numpy() / 255, blurred, widths.tolist(), strict=True):
        other = ndimage.gaussian_filter(image[0], width, truncate=8)
        assert mine[0, 8:-8, 8:-8].numpy() == pytest.approx(other[8:-8, 8:-8], abs=1e-4)


def test_blur_keeps_an_even_picture_up_to_its_border() -> None:
    assert not changed(gray(20), blur=0.1).any()


def test_noise_differs_in_every_pixel_and_channel_and_is_as_strong_as_told_at_most() -> None:
    off = augment(gray(100, channels=3), Strengths(noise=0.1), seeded()) - 128 / 255
    assert 0.09 < off.std((1, 2, 3)).max() < 0.105 and off.std((1, 2, 3)).min() < 0.01
    assert abs(off.mean()) < 1e-3 and (off[:, 0] - off[:, 1]).abs().mean() > 0.02


# --- occlusion


def test_erasing_paints_one_rectangle_of_2_to_20_percent(images: Tensor) -> None:
    changed = (augment(images, Strengths(erase=1.0), seeded()) != images / 255)[:, 0].float()
    shares = changed.mean((1, 2))
    assert shares.min() > 0.005 and shares.max() < 0.23
    assert len(augment(images, Strengths(erase=1.0), seeded()).unique()) > 64


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("occluder", OCCLUDERS)
def test_about_as_many_faces_are_hidden_as_told_and_the_others_stay(occluder: str, channels: int) -> None:
    hidden = changed(gray(400, channels=channels), **{occluder: 0.3}).any((1, 2))
    assert 80 < hidden.sum() < 160


@pytest.mark.parametrize("occluder", OCCLUDERS)
def test_an_occluder_hides_the_same_part_of_the_face_at_any_size(occluder: str) -> None:
    small, large = (changed(gray(200, size), **{occluder: 1.0}).float().mean((1, 2)) for size in (32, 128))
    # a smooth edge adds a pixel around it, which is more of a small picture
    assert (small - large).abs().max() < 0.15 and 0.05 < large.mean() < 0.5


def test_a_mask_covers_nose_and_mouth_and_leaves_the_eyes() -> None:
    hidden = changed(torch.randint(0, 2, (200, 1, 50, 50), dtype=torch.uint8) * 255, mask=1.0)
    assert hidden[:, 30, 25].all() and hidden[:, 38, 18:32].all()
    assert not hidden[:, :20].any()


def test_glasses_are_around_the_eyes_and_half_of_them_are_dark() -> None:
    white = torch.full((400, 1, 50, 50), 255, dtype=torch.uint8)
    seen = augment(white, Strengths(glasses=1.0), seeded())[:, 0]
    assert (seen[:, 30:] == 1).all() and (seen[:, 10:28, 5:45].amin((1, 2)) < 0.5).all()
    dark = (seen[:, 19, 15] < 0.5) & (seen[:, 19, 34] < 0.5)
    assert 160 < dark.sum() < 240


def test_a_hand_reaches_in_from_the_left_the_right_and_below() -> None:
    hidden = changed(gray(300), hand=1.0)
    sides = torch.stack([hidden[:, :, 0].any(1), hidden[:, :, -1].any(1), hidden[:, -1].any(1)])
    assert sides.any(0).float().mean() > 0.97 and (sides.float().mean(1) > 0.25).all()
    assert hidden[:, 14:40, 10:38].any((1, 2)).all()


def test_an_occluder_turns_with_the_face() -> None:
    still, mirrored = (augment(gray(50), Strengths(hand=1.0, flip=flip), seeded()) for flip in (0.0, 1.0))
    assert torch.allclose(mirrored, still.flip(3), atol=1e-5)


# --- mixing


def test_mixup_blends_pictures_and_targets_by_the_same_share() -> None:
    x, y = torch.eye(4).view(4, 1, 2, 2), torch.eye(4)
    mixed, targets = mixup(x, y, 0.4, seeded(3))
    assert torch.equal(mixed.view(4, 4), targets) and torch.allclose(targets.sum(1), torch.ones(4))
    assert not torch.equal(targets, y)


@pytest.mark.parametrize("strength", [0.4, 1.0, 2.0, 30.0, 1000.0])
def test_mixup_shares_follow_a_beta_distribution(strength: float) -> None:
    one, zero = torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    shares = torch.tensor([float(mixup(one, zero, strength, seeded(seed))[0][0]) for seed in range(2000)])
    assert abs(shares.mean() - 0.5) < 0.03
    assert float(shares.var()) == pytest.approx(1 / (4 * (2 * strength + 1)), rel=0.15)  # variance of Beta(a, a)


@pytest.mark.parametrize("strength", [1e-3, 1e-9, 1e-320])
def test_mixup_of_next_to_nothing_takes_one_of_two(strength: float) -> None:
    one, zero = torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    shares = {round(float(mixup(one, zero, strength, seeded(seed))[0][0]), 2) for seed in range(50)}
    assert {0.0, 1.0} <= shares and len(shares) <= 3


def numbered(n: int = 8, size: int = 20) -> tuple[Tensor, Tensor]:
    """Pictures whose only colour is their number, each of a class of its own."""
    return (torch.arange(n) / n).view(n, 1, 1, 1).expand(n, 1, size, size), torch.eye(n)


def test_cutmix_pastes_a_rectangle_of_the_opposite_and_counts_its_pixels() -> None:
    x, y = numbered()
    for seed in range(20):
        mixed, targets = cutmix(x, y, 1.0, seeded(seed))
        own, other = mixed == x, mixed == x.flip(0)
        assert (own | other).all()
        assert torch.allclose(own.float().mean((1, 2, 3)), targets.diagonal())
        assert torch.allclose(targets, torch.lerp(y.flip(0), y, targets.diagonal()[:, None]))
        for each in other[:, 0]:
            assert torch.equal(each, each.any(1)[:, None] & each.any(0)[None])  # a rectangle, or nothing


def test_cutmix_pastes_all_sizes_in_all_places() -> None:
    x, y = numbered(2)
    pasted = torch.cat([cutmix(x, y, 1.0, seeded(seed))[0][:1] != x[:1] for seed in range(300)]).float()
    areas = pasted.mean((1, 2, 3))
    assert areas.min() < 0.05 and areas.max() > 0.6
    assert pasted.mean((0, 1)).min() > 0.05


def test_with_both_mixings_each_batch_draws_one() -> None:
    x, y = numbered()
    mixed = [mix(x, y, 0.5, 0.5, seeded(seed))[0] for seed in range(200)]
    blended = sum(bool(((each != x) & (each != x.flip(0))).any()) for each in mixed)
    assert 70 < blended < 130


def test_cutmix_is_an_option_of_a_step() -> None:
    x, y = numbered()
    recipe = Recipe(augment="none", cutmix=1.0)
    shown, targets, _ = step.prepare((x * 255).to(torch.uint8), y, recipe, strengths(recipe), seeded(1))
    assert not torch.equal(shown, x) and not torch.equal(targets, y)


def test_cutmix_of_vectors_is_refused() -> None:
    with pytest.raises(EmoError, match="blend them with --mixup"):
        mix(torch.rand(4, 10), torch.eye(4), 0.0, 1.0, seeded())
