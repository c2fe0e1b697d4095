"""What the grouping and linear input projections promise."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nextgpt.encoding.grouping import TINY, GroupingConfig, GroupingProjection, Stage
from nextgpt.encoding.projection import LinearProjection, input_projection

SMALL = GroupingConfig(in_dim=16, out_dim=24, width=32, stages=(Stage(1, 6), Stage(1, 3)), refine=1, heads=2)


@pytest.fixture
def small() -> GroupingProjection:
    torch.manual_seed(0)
    return GroupingProjection(SMALL)


def test_any_number_of_patches_becomes_the_last_stages_groups(small: GroupingProjection) -> None:
    for patches in (1, 10, 33):
        assert small(torch.randn(2, patches, 16)).shape == (2, 3, 24)
    assert small.tokens == 3


@pytest.mark.parametrize("training", [True, False])
def test_each_patch_goes_to_exactly_one_group(small: GroupingProjection, training: bool) -> None:
    first, second = small.train(training).assignments(torch.randn(4, 20, 16))
    assert first.shape == (4, 6, 20)
    assert second.shape == (4, 3, 6)
    for assignment in (first, second):
        assert ((assignment == 0) | (assignment == 1)).all()
        assert torch.equal(assignment.sum(1), torch.ones_like(assignment[:, 0]))


def test_patches_of_one_picture_spread_over_the_groups() -> None:
    # Real patch tokens have most of their direction in common.
    torch.manual_seed(0)
    patches = nn.functional.normalize(3 * torch.randn(128) + torch.randn(8, 64, 128), dim=-1)
    (assignment,) = GroupingProjection(TINY).eval().assignments(patches)
    assert (assignment.sum(-1) > 0).sum(1).float().mean() > 8


def test_gradients_reach_every_parameter_and_the_patches(small: GroupingProjection) -> None:
    patches = torch.randn(4, 20, 16, requires_grad=True)
    learnt = {"patches": patches, **dict(small.named_parameters())}
    gradients = torch.autograd.grad(small(patches).square().sum(), list(learnt.values()))
    silent = [name for name, gradient in zip(learnt, gradients, strict=True) if not gradient.abs().sum() > 0]
    assert silent == []


def test_the_order_of_patches_does_not_matter(small: GroupingProjection) -> None:
    patches = torch.randn(2, 20, 16)
    order = torch.randperm(20)
    small.eval()
    assert torch.allclose(small(patches), small(patches[:, order]), atol=1e-5)
    for plain, shuffled in zip(small.assignments(patches), small.assignments(patches[:, order]), strict=True):
        if plain.shape[-1] == 20:
            assert torch.equal(plain[..., order], shuffled)
        else:
            assert torch.equal(plain, shuffled)


def test_noise_is_for_training_alone(small: GroupingProjection) -> None:
    patches = torch.randn(2, 20, 16)
    assert not torch.equal(small(patches), small(patches))
    small.eval()
    assert torch.equal(small(patches), small(patches))


def test_it_can_memorise_a_few_pictures() -> None:
    torch.manual_seed(0)
    projection = GroupingProjection(SMALL)
    readout = nn.Linear(3 * 24, 8)
    patches, labels = torch.randn(8, 12, 16), torch.arange(8)
    learnt = [*projection.parameters(), *readout.parameters()]
    for _ in range(40):
        loss = nn.functional.cross_entropy(readout(projection(patches).flatten(1)), labels)
        gradients = torch.autograd.grad(loss, learnt)
        with torch.no_grad():
            for parameter, gradient in zip(learnt, gradients, strict=True):
                parameter.sub_(gradient, alpha=0.1)
    projection.eval()
    assert torch.equal(readout(projection(patches).flatten(1)).argmax(1), labels)


def test_both_kinds_are_called_alike() -> None:
    patches, cls = torch.randn(2, 5, 16), torch.randn(2, 16)
    grouping = input_projection(
        "grouping", in_dim=16, out_dim=24, width=32, stages=[{"depth": 1, "groups": 4}]
    )
    linear = input_projection("linear", in_dim=16, out_dim=24)
    assert grouping(patches, cls).shape == (2, grouping.tokens, 24)
    assert linear(patches, cls).shape == (2, linear.tokens, 24)


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'qformer': there is none .*choose one of grouping, linear"):
        input_projection("qformer", in_dim=1, out_dim=1)
    with pytest.raises(ValueError, match="widht"):
        input_projection("grouping", in_dim=1, out_dim=1, widht=3)
    with pytest.raises(ValueError, match="stages is empty"):
        GroupingConfig(stages=())
    with pytest.raises(ValueError, match="no multiple"):
        GroupingConfig(width=30)


def test_full_size_counts() -> None:
    with torch.device("meta"):
        grouping, linear = GroupingProjection(GroupingConfig()), LinearProjection()
    assert sum(p.numel() for p in linear.parameters()) == 4_198_400
    assert 46e6 < sum(p.numel() for p in grouping.parameters()) < 47e6
