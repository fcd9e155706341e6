"""Sparse features: their range, their frequency, and what is correlated with what."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils.features import (
    features_from_uniform,
    sample_anticorrelated_pairs,
    sample_correlated_pairs,
    sample_features,
)

SAMPLERS = [sample_features, sample_correlated_pairs, sample_anticorrelated_pairs]
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS)
probabilities = st.floats(0, 1, allow_nan=False)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@given(st.integers(1, 50), st.integers(1, 9), probabilities, st.integers(0, 2**32))
def test_shape_and_range(batch, n, p, seed):
    x = sample_features(batch, n, p, generator=generator(seed))
    assert x.shape == (batch, n)
    assert ((x >= 0) & (x < 1)).all()
    assert not torch.signbit(x).any()  # a zero is printed as 0, not as -0


@given(st.lists(probabilities, min_size=1, max_size=4), st.integers(0, 2**32))
def test_one_instance_for_each_probability(ps, seed):
    x = sample_features(20, 3, torch.tensor(ps), generator=generator(seed))
    assert x.shape == (len(ps), 20, 3)
    assert ((x >= 0) & (x < 1)).all()


@given(probabilities, st.integers(0, 2**32))
def test_one_uniform_draw_decides_presence_and_value(p, seed):
    u = torch.rand(200, 5, generator=generator(seed))
    p = torch.tensor(p)
    expected = torch.where(u < p, u / p, 0.0)
    assert torch.equal(features_from_uniform(u, p), expected)


def test_presence_and_value_at_the_edges_of_the_uniform_draw():
    last = 1 - 2**-24  # the largest float32 that torch.rand returns
    for p in (0.0, 2**-24, 0.05, 1 / 3, last, 1.0):
        p = torch.tensor(p)
        u = torch.tensor([0.0, 2**-24, last, float(p)]).clamp(max=last)
        x = features_from_uniform(u, p)
        assert (x[u >= p] == 0).all()
        assert ((x >= 0) & (x < 1)).all()


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
def test_a_feature_is_present_with_probability_p_and_then_uniform(p):
    x = sample_features(200_000, 4, p, generator=generator())
    assert (x > 0).float().mean().item() == pytest.approx(p, rel=0.03)
    values = x[x > 0]
    deciles = torch.quantile(values[:100_000], torch.linspace(0.1, 0.9, 9))
    assert torch.allclose(deciles, torch.linspace(0.1, 0.9, 9), atol=0.02)
    correlation = torch.corrcoef(x.T) - torch.eye(4)
    assert correlation.abs().max() < 0.01


def test_the_extremes():
    assert (sample_features(1000, 5, 0.0) == 0).all()
    assert (sample_features(1000, 5, 1.0) > 0).float().mean() > 0.99


def test_instances_are_independent():
    x = sample_features(10_000, 1, torch.tensor([1.0, 1.0]), generator=generator())
    assert torch.corrcoef(x[..., 0])[0, 1].abs() < 0.05


@every_sampler
def test_the_generator_decides(sampler):
    assert torch.equal(
        sampler(9, 3, 0.4, generator=generator(1)), sampler(9, 3, 0.4, generator=generator(1))
    )
    assert not torch.equal(
        sampler(9, 3, 0.4, generator=generator(1)), sampler(9, 3, 0.4, generator=generator(2))
    )


@every_sampler
def test_a_generator_leaves_the_global_state_alone(sampler):
    before = torch.get_rng_state()
    sampler(9, 3, 0.4, generator=generator())
    assert torch.equal(before, torch.get_rng_state())


@every_sampler
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_an_impossible_probability_is_refused(sampler, p):
    with pytest.raises(ValueError, match="use a probability between 0 and 1"):
        sampler(9, 3, p)


def test_one_impossible_probability_among_several_is_refused():
    with pytest.raises(ValueError, match="use a probability between 0 and 1"):
        sample_features(9, 3, torch.tensor([0.5, 1.5]))


@every_sampler
@pytest.mark.parametrize("sizes", [(0, 3), (9, 0), (-1, 3)])
def test_an_impossible_size_is_refused(sampler, sizes):
    with pytest.raises(ValueError, match="at least 1"):
        sampler(*sizes, 0.4)


@given(st.integers(1, 40), st.integers(1, 5), probabilities, st.integers(0, 2**32))
def test_correlated_pairs_are_present_together(batch, pairs, p, seed):
    x = sample_correlated_pairs(batch, pairs, p, generator=generator(seed))
    assert x.shape == (batch, 2 * pairs)
    assert ((x >= 0) & (x < 1)).all()
    on = x > 0
    assert torch.equal(on[:, 0::2], on[:, 1::2])


@given(st.integers(1, 40), st.integers(1, 5), st.floats(0, 0.5), st.integers(0, 2**32))
def test_anticorrelated_pairs_are_never_present_together(batch, pairs, p, seed):
    x = sample_anticorrelated_pairs(batch, pairs, p, generator=generator(seed))
    assert x.shape == (batch, 2 * pairs)
    assert ((x >= 0) & (x < 1)).all()
    assert (x[:, 0::2] * x[:, 1::2] == 0).all()


@pytest.mark.parametrize("sampler", SAMPLERS[1:])
@pytest.mark.parametrize("p", [0.05, 0.3, 0.5])
def test_pairs_have_the_right_frequency_and_are_independent_of_each_other(sampler, p):
    x = sampler(100_000, 2, p, generator=generator())
    on = (x > 0).float()
    assert torch.allclose(on.mean(0), torch.tensor(p), atol=0.01)
    assert x[x > 0].mean().item() == pytest.approx(0.5, abs=0.01)
    presence = torch.corrcoef(on.T)
    within = 1.0 if sampler is sample_correlated_pairs else -p / (1 - p)
    assert presence[0, 1].item() == pytest.approx(within, abs=0.02)
    assert presence[:2, 2:].abs().max() < 0.02


def test_values_of_a_correlated_pair_are_independent():
    x = sample_correlated_pairs(50_000, 1, 1.0, generator=generator())
    assert torch.corrcoef(x.T)[0, 1].abs() < 0.02


def test_anticorrelated_pairs_at_one_half():
    x = sample_anticorrelated_pairs(1000, 3, 0.5, generator=generator())
    assert ((x[:, 0::2] > 0) ^ (x[:, 1::2] > 0)).all()
    with pytest.raises(ValueError, match=r"use p between 0 and 0\.5"):
        sample_anticorrelated_pairs(1000, 3, 0.51)
