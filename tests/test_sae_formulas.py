"""The formulas of exercises 5.1 to 5.5, against loops, autograd, and what the training uses."""

from dataclasses import replace

import pytest
import torch
from torch import Generator

from course_utils.sae import (
    ReluConfig,
    ReluSAE,
    TopKConfig,
    TopKSAE,
    encode,
    keep_norms,
    matching_pursuit,
    pursue,
    sae_loss,
    top_k,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def dictionary(n, d_in, seed=0):
    return torch.nn.functional.normalize(normal(n, d_in, seed=seed), dim=1)


def autoencoder(kind, config, seed=0):
    """Any weights, but for rows of norm 1."""
    d_in, d_sae = config.d_in, config.d_sae
    W_enc, b_enc = normal(d_sae, d_in, seed=seed).T, normal(d_sae, seed=seed + 1)
    W_dec, b_dec = dictionary(d_sae, d_in, seed=seed + 2), normal(d_in, seed=seed + 3)
    return kind(*(w.float() for w in (W_enc, b_enc, W_dec, b_dec)), config)


def relu_autoencoder():
    return autoencoder(ReluSAE, ReluConfig(d_in=6, d_sae=15, l1_coefficient=0.3))


# Matching pursuit ------------------------------------------------------------------------


def pursuit_in_lists(x, D, n_steps):
    """The same, without a tensor."""
    r, code = list(x), [0.0] * len(D)
    for _ in range(n_steps):
        products = [sum(d * a for d, a in zip(row, r)) for row in D]
        best = max(products)
        if best <= 0:
            break
        i = products.index(best)
        code[i] += best
        r = [a - best * d for a, d in zip(r, D[i])]
    return code


@pytest.mark.parametrize("n_steps", [0, 1, 2, 5, 30])
def test_a_pursuit_is_what_the_definition_says(n_steps):
    D = dictionary(9, 4)
    for x in normal(20, 4, seed=1):
        want = pursuit_in_lists(x.tolist(), D.tolist(), n_steps)
        torch.testing.assert_close(
            matching_pursuit(x, D, n_steps), torch.tensor(want, dtype=x.dtype)
        )


@pytest.mark.parametrize("n_steps", [0, 1, 2, 5, 30])
def test_many_samples_at_once_give_what_each_gives_alone(n_steps):
    x, D = normal(40, 5, seed=2), dictionary(12, 5)
    alone = torch.stack([matching_pursuit(row, D, n_steps) for row in x])
    torch.testing.assert_close(pursue(x, D, n_steps), alone)


def test_each_step_takes_the_square_of_its_product_from_what_is_left():
    x, D = normal(7), dictionary(20, 7)
    left = [(x - matching_pursuit(x, D, n) @ D).square().sum() for n in range(6)]
    taken = [(D @ (x - matching_pursuit(x, D, n) @ D)).max() ** 2 for n in range(5)]
    for before, after, square in zip(left, left[1:], taken):
        torch.testing.assert_close(before - after, square)
        assert after < before


def test_with_orthogonal_rows_it_finds_the_code_that_was_put_in():
    D = torch.linalg.qr(normal(8, 8)).Q
    code = torch.zeros(8, dtype=torch.float64)
    code[[1, 4, 6]] = torch.tensor([0.5, 2.0, 1.1], dtype=torch.float64)
    torch.testing.assert_close(matching_pursuit(code @ D, D, 3), code)


def test_a_row_is_chosen_again_where_another_has_uncovered_it():
    D = torch.tensor([[1.0, 0.0], [-0.6, 0.8]])
    code = matching_pursuit(torch.tensor([2.0, 3.0]), D, 3)
    torch.testing.assert_close(code, torch.tensor([2 + 1.44, 2.4]))


def test_what_points_along_no_row_has_an_empty_code():
    D = torch.eye(3)
    assert not matching_pursuit(torch.tensor([-1.0, -2.0, 0.0]), D, 5).any()
    x = torch.tensor([[-1.0, -2.0, 0.0], [1.0, -2.0, 0.0]])
    assert torch.equal(pursue(x, D, 5), x.relu())


def test_a_pursuit_leaves_its_sample_as_it_was():
    x, D = normal(1, 4), dictionary(6, 4)
    before = x.clone()
    matching_pursuit(x[0], D, 3), pursue(x, D, 3)
    assert torch.equal(x, before)


def test_a_negative_number_of_steps_is_refused():
    x, D = normal(1, 4), dictionary(6, 4)
    with pytest.raises(ValueError, match="n_steps is -1; use 0 or more"):
        matching_pursuit(x[0], D, -1)
    with pytest.raises(ValueError, match="n_steps is -1; use 0 or more"):
        pursue(x, D, -1)


# The encoder and the loss ----------------------------------------------------------------


def test_the_encoder_is_the_one_of_the_training():
    sae, x = relu_autoencoder(), normal(10, 6, seed=9).float()
    f = encode(x, sae.W_enc, sae.b_enc, sae.b_dec)
    torch.testing.assert_close(f, sae.encode(x))
    assert 0 < (f > 0).float().mean() < 1


def test_the_encoder_number_by_number():
    sae, x = relu_autoencoder(), normal(3, 6, seed=9).float()
    f = encode(x, sae.W_enc, sae.b_enc, sae.b_dec)
    for s in range(3):
        for i in range(15):
            z = sae.b_enc[i] + sum((x[s, j] - sae.b_dec[j]) * sae.W_enc[j, i] for j in range(6))
            assert float(f[s, i]) == pytest.approx(max(0.0, float(z)), abs=1e-5)


def test_the_loss_is_the_one_of_the_training_and_so_are_its_gradients():
    sae, x = relu_autoencoder(), normal(10, 6, seed=9).float()
    names = ("W_enc", "b_enc", "W_dec", "b_dec")
    weights = {name: getattr(sae, name).clone().requires_grad_() for name in names}
    f = encode(x, weights["W_enc"], weights["b_enc"], weights["b_dec"])
    loss = sae_loss(x, f @ weights["W_dec"] + weights["b_dec"], f, sae.config.l1_coefficient)
    loss.backward()
    by_hand = sae.gradients(x)
    assert loss.item() == pytest.approx(by_hand.loss, rel=1e-5)
    for name in names:
        torch.testing.assert_close(weights[name].grad, getattr(by_hand, name))


def test_the_loss_in_plain_numbers():
    x, x_hat = torch.tensor([[3.0, 1.0], [0.0, 0.0]]), torch.tensor([[1.0, 1.0], [0.0, 3.0]])
    f = torch.tensor([[1.0, 0.0, 2.0], [0.0, 5.0, 0.0]])
    assert float(sae_loss(x, x_hat, f, 0.5)) == (4 + 9) / 2 + 0.5 * (3 + 5) / 2
    assert float(sae_loss(x, x_hat, f, 0.0)) == (4 + 9) / 2


def test_without_a_sample_there_is_no_loss():
    with pytest.raises(ValueError, match="at least 1"):
        sae_loss(torch.zeros(0, 2), torch.zeros(0, 2), torch.zeros(0, 3), 1.0)


# The gradient ----------------------------------------------------------------------------


def test_what_is_kept_is_the_gradient_by_the_directions_alone():
    """If the loss sees rows only after they were given norm 1, autograd finds the same."""
    W, target = dictionary(5, 4), normal(5, 4, seed=1)

    def loss(rows):
        return ((rows - target) ** 4).sum()

    plain = W.clone().requires_grad_()
    loss(plain).backward()
    free = W.clone().requires_grad_()
    loss(free / free.norm(dim=1, keepdim=True)).backward()
    torch.testing.assert_close(keep_norms(plain.grad, W), free.grad)


def test_what_is_kept_is_at_right_angles_to_each_row_and_the_rest_lies_along_it():
    G, W = normal(5, 4, seed=1), dictionary(5, 4)
    before = G.clone()
    kept = keep_norms(G, W)
    assert torch.equal(G, before)
    for i in range(5):
        assert float(kept[i] @ W[i]) == pytest.approx(0, abs=1e-12)
        removed = G[i] - kept[i]
        assert float(removed @ W[i]) ** 2 == pytest.approx(float(removed @ removed))
    torch.testing.assert_close(keep_norms(kept, W), kept)


def test_a_gradient_along_the_rows_leaves_nothing():
    W = dictionary(5, 4)
    torch.testing.assert_close(keep_norms(-3 * W, W), torch.zeros_like(W))


# TopK ------------------------------------------------------------------------------------


def test_top_k_is_the_code_of_the_training():
    sae = autoencoder(TopKSAE, TopKConfig(d_in=6, d_sae=15, k=4))
    x = normal(10, 6, seed=9).float()
    z = (x - sae.b_dec) @ sae.W_enc + sae.b_enc
    torch.testing.assert_close(top_k(z, 4), sae.encode(x))
    all_latents = replace(sae, config=replace(sae.config, k=15))
    torch.testing.assert_close(top_k(z, 15), all_latents.encode(x))


@pytest.mark.parametrize("k", [1, 2, 5, 7])
def test_top_k_in_lists(k):
    z = normal(20, 7) - 0.5
    for row, f in zip(z.tolist(), top_k(z, k).tolist()):
        kept = sorted(row)[-k:]
        assert f == [value if value in kept and value > 0 else 0 for value in row]


def test_only_what_is_kept_gets_a_gradient():
    z = torch.tensor([[3.0, 1.0, 2.0], [-1.0, -3.0, 0.5]], requires_grad=True)
    top_k(z, 2).sum().backward()
    assert torch.equal(z.grad, torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]))


@pytest.mark.parametrize("k", [0, 4])
def test_a_k_that_does_not_fit_is_refused(k):
    with pytest.raises(ValueError, match=f"k is {k}; use a number between 1 and d_sae = 3"):
        top_k(torch.zeros(2, 3), k)
