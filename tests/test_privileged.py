"""Toy models with neurons: the definition against loops, gradients against autograd, the facts."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from course_utils import features
from course_utils.toy_models import (
    CAREFUL_RECIPE,
    AbsoluteNetwork,
    Recipe,
    ToyConfig,
    absolute_errors,
    adam,
    additions,
    exact_absolute_value,
    exact_floor,
    features_per_neuron,
    importance_decay,
    initial_weights,
    interference_left,
    lopsided_pairs,
    model,
    polysemantic_share,
    reconstruct_with_neurons,
    train_absolute,
    train_neurons,
)

TEN = importance_decay(10, 0.75)
HUNDRED = importance_decay(100, 0.8)


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


# Signed features


def test_signed_features_are_sparse_and_of_either_sign():
    x = features.sample_signed_features(200_000, 2, 0.3, generator=Generator().manual_seed(0))
    present = x != 0
    assert present.float().mean().item() == pytest.approx(0.3, abs=0.005)
    values = x[present]
    assert values.min() >= -1 and values.max() < 1
    assert values.mean().item() == pytest.approx(0, abs=0.01)
    assert values.square().mean().item() == pytest.approx(1 / 3, abs=0.005)
    both = present.all(1).float().mean().item()
    assert both == pytest.approx(0.09, abs=0.005)  # independent of each other


def test_signed_features_at_the_ends_of_the_scale():
    generator = Generator().manual_seed(0)
    assert (features.sample_signed_features(50, 3, 0.0, generator=generator) == 0).all()
    assert (features.sample_signed_features(50, 3, 1.0, generator=generator) != 0).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        features.sample_signed_features(5, 3, 1.5)
    with pytest.raises(ValueError, match="n_features is 0"):
        features.sample_signed_features(5, 0, 0.5)


# Adam


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam_is_torchs(double, weight_decay):
    recipe = Recipe(30, 1e-2, 1, "constant", weight_decay)
    start = torch.randn(3, 4, generator=Generator().manual_seed(0))
    ours, theirs = start.clone(), start.clone().requires_grad_()
    optimizer = adam.Adam(ours, recipe)
    reference = torch.optim.AdamW(
        [theirs], lr=1e-2, betas=(adam.BETA_1, adam.BETA_2), weight_decay=weight_decay
    )
    for _ in range(30):
        optimizer.gradient.copy_(4 * ours**3 - ours)
        optimizer.step()
        theirs.grad = 4 * theirs.detach() ** 3 - theirs.detach()
        reference.step()
    assert torch.allclose(ours, theirs.detach(), atol=1e-12)


# A hidden layer of neurons


def test_reconstruct_with_neurons_agrees_with_loops(double):
    g = Generator().manual_seed(0)
    x, W, b = torch.rand(6, 4, generator=g), torch.randn(3, 4, generator=g), torch.randn(4)
    x_hat = reconstruct_with_neurons(x, W, b)
    for k in range(6):
        h = [max(0.0, sum(W[j, i] * x[k, i] for i in range(4))) for j in range(3)]
        for i in range(4):
            z = b[i] + sum(W[j, i] * h[j] for j in range(3))
            assert x_hat[k, i].item() == pytest.approx(max(0.0, float(z)))


def test_counts_and_shares_of_a_layer_read_by_hand():
    W = torch.tensor([[0.9, -0.6, 0.1], [0.2, 0.7, 0.5], [0.1, 0.0, -0.2]])
    assert features_per_neuron(W).tolist() == [2, 1, 0]
    assert features_per_neuron(W, 0.15).tolist() == [2, 3, 1]
    assert polysemantic_share(W).item() == 0.5  # the silent neuron does not count
    assert polysemantic_share(torch.zeros(2, 3)).item() == 0
    several = polysemantic_share(torch.stack([W, 0 * W, torch.eye(3), torch.ones(3, 3)]))
    assert several.tolist() == [0.5, 0, 0, 1]


@pytest.mark.parametrize("n_restarts", [1, 3])
def test_the_gradient_with_neurons_is_autograds(double, monkeypatch, n_restarts):
    # With an enormous epsilon and an equal learning rate, Adam's step is the gradient itself.
    monkeypatch.setattr(adam, "EPSILON", 1e12)
    config = ToyConfig(6, 4, 0.4, importance_decay(6, 0.7))
    recipe = Recipe(1, 1e12, 16, "constant")
    after = train_neurons(config, recipe, seed=5, n_restarts=n_restarts)
    generator = Generator().manual_seed(5)
    W, b = initial_weights(config, generator, n_restarts)
    (x,) = model.batches(config, recipe, generator, None)
    start = W.clone(), b.clone()
    W.requires_grad_(), b.requires_grad_()
    error = (reconstruct_with_neurons(x, W, b) - x) ** 2
    (config.importances * error).sum(-1).mean(-1).sum().backward()
    assert torch.allclose(start[0] - after.W, W.grad, atol=1e-9)
    assert torch.allclose(start[1] - after.b, b.grad, atol=1e-9)
    assert W.grad.abs().max() > 0.01


def test_restarts_train_as_they_would_alone_and_the_best_is_found():
    config = ToyConfig(10, 5, 0.2, TEN)
    together = train_neurons(config, Recipe(40), seed=3, n_restarts=4)
    assert together.W.shape == (4, 5, 10) and together.b.shape == (4, 10)
    assert together.losses[together.best] == together.losses.min()
    again = train_neurons(config, Recipe(40), seed=3, n_restarts=4)
    assert torch.equal(together.W, again.W)
    other = train_neurons(config, Recipe(40), seed=4, n_restarts=4)
    assert not torch.allclose(together.W, other.W, atol=0.01)


@pytest.mark.parametrize(
    ("config", "n_restarts"),
    [
        (ToyConfig(feature_probability=(0.1, 0.2)), 1),
        (ToyConfig(nonlinearity="linear"), 1),
        (ToyConfig(), 0),
    ],
)
def test_neurons_that_cannot_be_trained_are_refused(config, n_restarts):
    with pytest.raises(ValueError):
        train_neurons(config, seed=0, n_restarts=n_restarts)


@pytest.mark.parametrize("seed", range(3))
def test_dense_features_have_their_neurons_and_sparse_ones_share(seed):
    def best(p):
        run = train_neurons(ToyConfig(10, 5, p, TEN), CAREFUL_RECIPE, seed=seed, n_restarts=16)
        return run.W[run.best]

    dense, sparse = best(0.5), best(0.05)
    assert polysemantic_share(dense).item() == 0
    assert sorted(dense.abs().argmax(1).tolist()) == [0, 1, 2, 3, 4]  # the most important five
    assert polysemantic_share(sparse).item() >= 0.8


def test_the_quick_training_is_close_to_the_careful_one():
    for p, within in ((0.5, 1.1), (0.2, 1.2), (0.05, 1.7)):
        config = ToyConfig(10, 5, p, TEN)
        quick = train_neurons(config, seed=0)
        careful = train_neurons(config, CAREFUL_RECIPE, seed=0, n_restarts=16)
        assert quick.losses.min() < within * careful.losses.min()


# Absolute values


@pytest.mark.parametrize("n", [1, 2, 7])
def test_two_neurons_a_feature_are_exact(n):
    W_in, W_out = exact_absolute_value(n)
    network = AbsoluteNetwork(W_in, W_out, torch.zeros(n), ToyConfig(n, 2 * n, 0.5))
    x = torch.linspace(-1, 1, 9).repeat(n, 1).T
    assert torch.equal(network(x), x.abs())
    assert absolute_errors(network, seed=0, n_samples=100).max() == 0
    with pytest.raises(ValueError, match="at least 1"):
        exact_absolute_value(0)


def test_the_floor_is_what_a_network_of_20_exact_features_loses():
    W_in, W_out = exact_absolute_value(20)
    rest = torch.zeros(100 - 20, 40)
    for p in (0.9, 0.1):
        network = AbsoluteNetwork(
            torch.cat([W_in, rest.T[:, :80]], 1),
            torch.cat([W_out, rest]),
            torch.cat([torch.zeros(20), torch.full((80,), p / 2)]),
            ToyConfig(100, 40, p, HUNDRED),
        )
        importance = torch.tensor(HUNDRED)
        loss = absolute_errors(network, seed=0, n_samples=100_000) @ importance
        assert loss.item() == pytest.approx(exact_floor(importance, p, 40), rel=0.03)
    assert exact_floor(torch.ones(3), 0.2, 6) == 0


def test_the_gradient_of_the_absolute_network_is_autograds(double, monkeypatch):
    monkeypatch.setattr(adam, "EPSILON", 1e12)
    config, recipe = ToyConfig(5, 3, 0.6, importance_decay(5, 0.7)), Recipe(1, 1e12, 16, "constant")
    after = train_absolute(config, recipe, seed=5)
    generator, size = Generator().manual_seed(5), math.sqrt(2 / 8)
    W_in = (torch.randn(3, 5, generator=generator) * size).requires_grad_()
    W_out = (torch.randn(5, 3, generator=generator) * size / 10).requires_grad_()
    b = torch.zeros(5, requires_grad=True)
    x = features.sample_signed_features(16, 5, 0.6, generator=generator)
    y = (x @ W_in.T).relu() @ W_out.T + b  # in the first step the output leaks with slope 1
    (config.importances * (y - x.abs()) ** 2).sum(1).mean().backward()
    for start, end in ((W_in, after.W_in), (W_out, after.W_out), (b, after.b)):
        assert torch.allclose(start.detach() - end, start.grad, atol=1e-9)
        assert start.grad.abs().max() > 1e-3


def test_what_cannot_compute_is_refused():
    for config in (ToyConfig(feature_probability=(0.1, 0.2)), ToyConfig(nonlinearity="linear")):
        with pytest.raises(ValueError, match="give one feature_probability"):
            train_absolute(config, seed=0)


def test_sparse_features_are_computed_in_superposition():
    importance = torch.tensor(HUNDRED)
    ratio = {}
    for p in (1.0, 0.01):
        network = train_absolute(ToyConfig(100, 40, p, HUNDRED), seed=1)
        assert not network.W_in.requires_grad
        loss = absolute_errors(network, seed=100) @ importance
        ratio[p] = loss.item() / exact_floor(importance, p, 40)
    assert ratio[0.01] < 0.9 and 0.97 < ratio[1.0] < 2


def by_hand(neurons):
    """Two features on one neuron, and a third that is silent; weights (in, out) of each."""
    W_in, W_out = torch.zeros(len(neurons), 3), torch.zeros(3, len(neurons))
    for j, weights in enumerate(neurons):
        for i, (size_in, out) in enumerate(weights):
            W_in[j, i], W_out[i, j] = size_in, out
    return AbsoluteNetwork(W_in, W_out, torch.zeros(3), ToyConfig(3, len(neurons), 0.1))


@pytest.mark.parametrize(
    ("weights", "opposite", "same_way"),
    [
        ([(2.0, 0.2), (-0.3, 1.5)], [[0, 0, 1]], []),
        ([(0.3, 1.5), (-2.0, 0.2)], [[0, 1, 0]], []),
        ([(1.5, 1.0), (0.6, 0.4)], [], [[0, 0, 1]]),
        ([(0.8, 0.8), (0.7, 0.7)], [], []),
        ([(2.0, 0.2), (-0.1, 1.0)], [], []),  # does not serve the second
        ([(2.0, 0.2), (-0.3, -1.5)], [], []),  # takes it away
    ],
)
def test_a_neuron_is_lopsided_the_opposite_or_the_same_way(weights, opposite, same_way):
    found = lopsided_pairs(by_hand([weights]))
    assert [mask.nonzero().tolist() for mask in found] == [opposite, same_way]


def test_what_another_neuron_takes_away_is_no_interference():
    serving, taking = [(-2.0, 0.2), (0.3, 1.5)], [(-1.0, 0.0), (0.0, -2.4)]
    added, bias = additions(by_hand([serving, taking]), 0, 1, -1.0)
    assert added.tolist() == pytest.approx([3.0, -2.4]) and bias == 0
    assert interference_left(by_hand([serving]), 0, 0, 1) == pytest.approx(1.0)
    assert interference_left(by_hand([serving, taking]), 0, 0, 1) == pytest.approx(0.2)


def test_training_leaves_the_global_random_state_alone():
    state = torch.get_rng_state()
    train_absolute(ToyConfig(3, 2, 0.5), Recipe(3), seed=0)
    train_neurons(ToyConfig(3, 2, 0.5), Recipe(3), seed=0, n_restarts=2)
    assert torch.equal(state, torch.get_rng_state())
