"""Muon: matrices are turned whatever their layout, all else is AdamW's, and a killed run continues as it was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from emocli.training import layers, run
from emocli.training.muon import Muon, orthogonal
from emocli.training.precision import Plan
from emocli.training.recipe import Recipe


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def net() -> nn.Sequential:
    """A kernel, a channel's own kernel, a norm, a matrix and the classes, with gradients."""
    made = nn.Sequential(
        nn.Conv2d(4, 24, 3), nn.Conv2d(24, 24, 3, groups=24), nn.BatchNorm2d(24), nn.Linear(24, 32), nn.Linear(32, 3)
    )
    for weight in made.parameters():
        weight.data = torch.randn(weight.shape, generator=seeded(1))
        weight.grad = torch.randn(weight.shape, generator=seeded(2))
    return made


def muon(made: nn.Module, **options: Any) -> Muon:
    groups = layers.groups(made, options.get("weight_decay", 0.0), options.get("layer_decay", 1.0))
    return Muon(groups, layers.matrices(made), lr=0.01)


def changes(made: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    before = {name: weight.detach().clone() for name, weight in made.named_parameters()}
    optimizer.step()
    return {name: weight.detach() - before[name] for name, weight in made.named_parameters()}


@pytest.mark.parametrize("shape", [(16, 144), (144, 16), (40, 40), (1, 9)])
def test_singular_values_come_near_one_and_singular_vectors_stay(shape: tuple[int, int]) -> None:
    left, values, right = torch.linalg.svd(torch.randn(shape, generator=seeded()), full_matrices=False)
    found = orthogonal(left * values.clamp(min=values.max() / 50) @ right)
    inner = left.mT @ found @ right.mT
    assert inner.diagonal().min() > 0.6 and inner.diagonal().max() < 1.3
    assert torch.allclose(inner, inner.diagonal().diag(), atol=1e-4)


def test_kernels_and_matrices_are_turned_and_all_else_is_left_to_adamw() -> None:
    ours, peer = net(), net()
    moved = changes(ours, muon(ours))
    by_adamw = changes(peer, torch.optim.AdamW(layers.groups(peer, 0.0, 1.0), lr=0.01, fused=True))
    turned = {name for name in moved if not torch.equal(moved[name], by_adamw[name])}
    assert turned == {"0.weight", "3.weight"}
    for name in turned:
        values = torch.linalg.svdvals(moved[name].flatten(1)) / (0.01 * 0.2 * max(moved[name].flatten(1).shape) ** 0.5)
        assert values.min() > 0.6 and values.max() < 1.3


def test_a_step_is_about_as_long_as_adamws() -> None:
    """Else its learning rate would have to be found anew."""
    moved = changes(made := net(), muon(made))
    for name in ("0.weight", "3.weight"):
        assert 0.1 < moved[name].square().mean().sqrt() / 0.01 < 0.3


def test_the_layout_in_memory_changes_nothing() -> None:
    plain, laid = net(), net().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for made in (plain, laid):
        optimizer = muon(made, weight_decay=0.1)
        for _ in range(3):
            for weight in made.parameters():
                weight.grad = torch.sin(7 * weight.detach())
            optimizer.step()
    for one, other in zip(plain.parameters(), laid.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4), one.shape


def test_weights_shrink_by_their_decay_and_a_layers_own_learning_rate() -> None:
    made = net()
    optimizer = muon(made, weight_decay=0.5, layer_decay=0.5)
    for group in optimizer.param_groups:
        group["lr"] = 0.01 * group["scale"]
    plain = changes(other := net(), muon(other))
    moved = changes(made, optimizer)
    begun = dict(net().named_parameters())
    scale = 0.5**3  # three layers come after the first
    assert torch.allclose(
        moved["0.weight"], scale * (plain["0.weight"] - 0.01 * 0.5 * begun["0.weight"].detach()), atol=1e-6
    )


def test_a_weight_without_a_gradient_stays_as_it_is() -> None:
    made = net()
    made[0].weight.grad = None
    assert not changes(made, muon(made, weight_decay=0.1))["0.weight"].any()


def test_a_gradient_of_zeros_moves_nothing() -> None:
    made = net()
    for weight in made.parameters():
        weight.grad = torch.zeros_like(weight)
    assert not any(change.any() for change in changes(made, muon(made)).values())


def test_a_saved_run_goes_on_with_the_same_momentum(tmp_path: Path) -> None:
    recipe, plan = replace(Recipe(), optimizer="muon", ema=0.0), Plan("fp32", "channels-last")

    def step(state: run.Run) -> None:
        for weight in state.net.parameters():
            weight.grad = torch.cos(5 * weight.detach())
        state.optimizer.step()

    straight, resumed = (run.start(net(), recipe, plan, torch.device("cpu")) for _ in range(2))
    step(straight)
    run.save(straight, tmp_path / "run.h5", "a")
    run.resume(resumed, tmp_path / "run.h5", "a")
    step(straight)
    step(resumed)
    for one, other in zip(straight.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(one, other)
