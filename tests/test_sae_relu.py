"""ReLU with L1: gradients by hand against autograd on both ways, and dead latents born again."""

import pytest
import torch
from torch import Generator

from course_utils.sae import Recipe, ReluConfig, ReluSAE, relu, train


def random_sae(config, shift=0.0, seed=0):
    """Weights without any pattern; `shift` is added to b_enc, so that fewer latents are active."""
    g = Generator().manual_seed(seed)
    d_in, d_sae, exact = config.d_in, config.d_sae, torch.float64
    W_dec = torch.randn(d_sae, d_in, generator=g, dtype=exact)
    W_dec /= W_dec.norm(dim=1, keepdim=True)
    W_enc = torch.randn(d_sae, d_in, generator=g, dtype=exact).T
    b_enc = torch.randn(d_sae, generator=g, dtype=exact) + shift
    return ReluSAE(W_enc, b_enc, W_dec, torch.randn(d_in, generator=g, dtype=exact), config)


def rows(n, d, seed=1):
    return torch.randn(n, d, generator=Generator().manual_seed(seed), dtype=torch.float64)


def by_autograd(sae, x, l1):
    weights = [
        w.detach().clone().requires_grad_() for w in (sae.W_enc, sae.b_enc, sae.W_dec, sae.b_dec)
    ]
    W_enc, b_enc, W_dec, b_dec = weights
    code = ((x - b_dec) @ W_enc + b_enc).relu()
    x_hat = code @ W_dec + b_dec
    loss = ((x - x_hat).square().sum(1) + l1 * code.sum(1)).mean()
    loss.backward()
    return loss.item(), [w.grad for w in weights]


WAYS = {"sparse": 1.0, "dense": -1.0}  # the largest share of active latents for sparse products


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("block", [64 * 7, 2**22], ids=["in blocks of 7", "in one block"])
@pytest.mark.parametrize("shift", [0.0, -8.0, -100.0], ids=["dense", "sparse", "empty"])
def test_gradients_by_hand_are_those_of_autograd(monkeypatch, way, block, shift):
    monkeypatch.setattr(relu, "SPARSE", WAYS[way])
    monkeypatch.setattr(relu, "BLOCK", block)
    sae, x = random_sae(ReluConfig(12, 64, l1_coefficient=0.7), shift), rows(40, 12)
    found = sae.gradients(x)
    loss, expected = by_autograd(sae, x, 0.7)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    for name, gradient in zip(("W_enc", "b_enc", "W_dec", "b_dec"), expected):
        torch.testing.assert_close(getattr(found, name), gradient, msg=name)
    code = sae.encode(x)
    assert found.l0 == pytest.approx((code > 0).sum(1).double().mean().item())
    assert torch.equal(found.fired, (code > 0).any(0))
    assert found.error == pytest.approx((x - sae(x)).square().sum(1).mean().item())
    share = (code > 0).double().mean().item()
    assert {0.0: share > 0.2, -8.0: 0 < share < 0.1, -100.0: share == 0}[shift]


def test_few_active_latents_are_multiplied_sparsely_and_many_densely(monkeypatch):
    taken = []
    for name in ("_sparse_gradients", "_dense_gradients"):
        way = getattr(ReluSAE, name)

        def noted(*arguments, way=way, name=name):
            taken.append(name)
            return way(*arguments)

        monkeypatch.setattr(ReluSAE, name, noted)
    for shift in (-8.0, 0.0):
        random_sae(ReluConfig(12, 64), shift).gradients(rows(40, 12))
    assert taken == ["_sparse_gradients", "_dense_gradients"]


@pytest.mark.parametrize("way", WAYS)
def test_parts_of_a_batch_add_up_to_the_whole(monkeypatch, way):
    monkeypatch.setattr(relu, "SPARSE", WAYS[way])
    sae, x = random_sae(ReluConfig(12, 64, 0.7)), rows(40, 12)
    whole = sae.gradients(x)
    parts = [sae.gradients(some, batch=40) for some in x.split(13)]
    for name in ("W_enc", "b_enc", "W_dec", "b_dec", "loss", "error", "l0"):
        total = sum(getattr(part, name) for part in parts)
        torch.testing.assert_close(torch.as_tensor(total), torch.as_tensor(getattr(whole, name)))


def test_the_penalty_rises_to_its_coefficient_while_it_warms_up():
    config = ReluConfig(12, 64, l1_coefficient=0.8, l1_warmup_steps=3)
    assert [config.l1_at(step) for step in range(6)] == [
        0.2,
        0.4,
        0.6000000000000001,
        0.8,
        0.8,
        0.8,
    ]
    sae, x = random_sae(config), rows(40, 12)
    price = sae.encode(x).sum(1).mean().item()
    for step, l1 in ((0, 0.2), (2, 0.6), (9, 0.8), (None, 0.8)):
        found = sae.gradients(x, step=step)
        assert found.loss - found.error == pytest.approx(l1 * price)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"d_in": 0}, "d_in is 0; use at least 1"),
        ({"d_sae": 0}, "d_sae is 0; use at least 1"),
        ({"l1_coefficient": -1.0}, "l1_coefficient is -1.0; use a number of 0 or more"),
        ({"l1_warmup_steps": -1}, "l1_warmup_steps is -1; use at least 0"),
        ({"resample_every": 0}, "resample_every is 0; use at least 1"),
    ],
)
def test_the_config_says_what_is_wrong(bad, sentence):
    with pytest.raises(ValueError, match=sentence):
        ReluConfig(**({"d_in": 4, "d_sae": 32} | bad))


# The start


def test_it_begins_with_directions_of_norm_1_and_a_fit_to_the_data():
    config, x = ReluConfig(12, 64, l1_coefficient=0.5), rows(500, 12).float()
    centre = x.mean(0)
    sae = ReluSAE.begin(config, x, centre, Generator().manual_seed(0))
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(64))
    g = sae.W_enc[0, 0] / sae.W_dec[0, 0]
    torch.testing.assert_close(sae.W_enc, g * sae.W_dec.T)
    torch.testing.assert_close(sae.b_enc, -g * torch.full((64,), 0.25))
    fit = sae(x) - centre  # no other factor than 1 would bring it nearer to the data
    assert float((fit * (x - centre)).sum() / fit.square().sum()) == pytest.approx(1, rel=1e-4)


# Dead latents


def dead_ones(*numbers):
    dead = torch.zeros(64, dtype=torch.bool)
    dead[list(numbers)] = True
    return dead


def test_dead_latents_are_born_again_as_samples_that_were_reconstructed_badly():
    sae = random_sae(ReluConfig(12, 64, resample_every=10), shift=-100.0)
    x = sae.b_dec.repeat(50, 1)  # with no latent active, x_hat = b_dec: no error
    x[[3, 8]] += rows(2, 12)
    before = sae.W_dec.clone(), sae.W_enc.clone()
    dead = dead_ones(5, 6, 20)
    reborn = sae.revive(lambda: x, dead, 10, Generator().manual_seed(0))
    assert reborn.tolist() == [5, 6]  # there are no more samples with an error
    wanted = torch.nn.functional.normalize(x[[3, 8]] - sae.b_dec, dim=1)
    found = sae.W_dec[reborn]
    assert torch.allclose(found, wanted) or torch.allclose(found, wanted.flip(0))
    living = before[1].norm(dim=0)[~dead].mean()
    torch.testing.assert_close(sae.W_enc[:, reborn], (0.2 * living * found).T)
    assert (sae.b_enc[reborn] == 0).all()
    others = [i for i in range(64) if i not in (5, 6)]
    assert torch.equal(sae.W_dec[others], before[0][others])
    assert torch.equal(sae.W_enc[:, others], before[1][:, others])


@pytest.mark.parametrize("step", [1, 9, 11])
def test_nobody_is_born_again_between_the_times_for_it(step):
    sae = random_sae(ReluConfig(12, 64, resample_every=10))
    reborn = sae.revive(lambda: rows(50, 12), dead_ones(5), step, Generator().manual_seed(0))
    assert not len(reborn)


def test_bad_samples_are_chosen_by_the_square_of_their_loss():
    sae = random_sae(ReluConfig(12, 64, resample_every=1), shift=-100.0)
    x = sae.b_dec.repeat(2, 1)
    x[0, 0] += 1.0
    x[1, 1] += 3**0.25  # losses 1 and sqrt(3): 3 times as often
    g, counts = Generator().manual_seed(0), [0, 0]
    for _ in range(400):
        sae.b_enc[5] = -100
        sae.revive(lambda: x, dead_ones(5), 1, g)
        counts[int(sae.W_dec[5].argmax())] += 1
    assert counts[1] / 400 == pytest.approx(0.75, abs=0.06)
    assert counts[0] > 0


def test_training_that_resamples_ends_with_fewer_dead():
    g = Generator().manual_seed(0)
    directions = torch.randn(60, 16, generator=g)
    on = torch.rand(2000, 60, generator=g) < 0.05
    x = torch.rand(2000, 60, generator=g) * on @ directions
    recipe = Recipe(steps=220, batch_size=256, learning_rate=3e-3, dead_after=5_000)
    dead = {}
    for every in (None, 50):
        config = ReluConfig(16, 256, l1_coefficient=8.0, resample_every=every)
        trained = train(config, x, recipe, seed=0, progress=False)
        dead[every] = trained.history["dead"][-1].item()
        torch.testing.assert_close(trained.sae.W_dec.norm(dim=1), torch.ones(256))
    assert dead[None] > 50
    assert dead[50] < dead[None] / 2
