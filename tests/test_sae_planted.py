"""The planted dictionary: unit directions, sparse strengths, and activations made of both."""

import pytest
import torch
from torch import Generator

from course_utils.features import sample_features
from course_utils.sae import Planted, planted


def seeded(seed=0):
    return Generator().manual_seed(seed)


def test_directions_are_many_of_norm_one_and_none_like_another():
    directions = planted().directions
    assert directions.shape == (128, 32)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(128))
    cosines = (directions @ directions.T).fill_diagonal_(0)
    assert cosines.abs().max() < 0.9  # so that one latent can't stand for two
    # Random directions have a mean square cosine of 1 / d_in.
    assert cosines.square().sum() / (128 * 127) == pytest.approx(1 / 32, rel=0.05)


def test_a_seed_decides_the_directions_and_nothing_else_does():
    first = planted(6, 4, seed=3).directions
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert torch.equal(planted(6, 4, seed=3).directions, first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.allclose(planted(6, 4, seed=4).directions, first)


def test_an_activation_is_the_sum_of_its_features():
    world = planted(5, 3)
    x, strengths = world.sample(40, 0.3, generator=seeded())
    assert x.shape == (40, 3) and strengths.shape == (40, 5)
    for row, strong in zip(x, strengths):
        meant = sum(s * direction for s, direction in zip(strong, world.directions))
        torch.testing.assert_close(row, meant)


@pytest.mark.parametrize("p", [0.02, 0.5])
def test_strengths_are_distributed_as_those_of_sample_features(p):
    ours = planted(50, 3).sample(20_000, p, generator=seeded(1))[1]
    theirs = sample_features(20_000, 50, p, generator=seeded(2))
    for s in (ours, theirs):
        assert (s > 0).float().mean() == pytest.approx(p, abs=0.002)
        present = s[s > 0]
        quantiles = torch.quantile(present[:10_000], torch.tensor([0.0, 0.25, 0.5, 0.75, 1]))
        torch.testing.assert_close(quantiles, torch.linspace(0, 1, 5), atol=0.02, rtol=0)


def test_features_are_present_independently():
    strengths = planted(20, 3).sample(50_000, 0.1, generator=seeded())[1]
    together = torch.corrcoef((strengths > 0).float().T).fill_diagonal_(0)
    assert together.abs().max() < 0.03


def test_none_or_all_present():
    world = planted(5, 3)
    assert not world.sample(10, 0, generator=seeded())[1].any()
    assert (world.sample(1000, 1, generator=seeded())[1] > 0).float().mean() > 0.999


def test_the_generator_decides_the_sample():
    world = planted(5, 3)
    first, again = (world.sample(10, 0.5, generator=seeded(7)) for _ in range(2))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[1], world.sample(10, 0.5, generator=seeded(8))[1])


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: planted(0), "n_features is 0; use at least 1"),
        (lambda: planted(4, 0), "d_in is 0; use at least 1"),
        (lambda: Planted(2 * torch.eye(3)), "directions have norm 2 in row 0; divide each"),
        (lambda: Planted(torch.full((2, 2), torch.nan)), "directions have norm nan in row 0"),
        (lambda: Planted(torch.ones(0, 3)), r"directions have shape \(0, 3\); use \(n_fea"),
        (lambda: planted().sample(0, 0.1, generator=None), "n is 0; use at least 1"),
        (lambda: planted().sample(1, 1.5, generator=None), "p is 1.5; use a probability"),
        (lambda: planted().sample(1, float("nan"), generator=None), "p is nan; use a prob"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(act, sentence):
    with pytest.raises(ValueError, match=sentence):
        act()
