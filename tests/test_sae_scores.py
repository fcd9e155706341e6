"""Scores of dictionaries: against definitions in loops, closed forms and what must hold of each."""

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils import sae, similarity

seeds = st.integers(0, 2**32)
sizes = st.integers(1, 6)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def sparse(n: int, d: int, seed: int = 0, rate: float = 0.3) -> torch.Tensor:
    """A code: 0 or more, and 0 for most."""
    g = Generator().manual_seed(seed)
    return torch.rand(n, d, generator=g) * (torch.rand(n, d, generator=g) < rate)


# What was found


def cosine(a, b):
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


@given(sizes, sizes, st.integers(2, 5), st.floats(0, 1), seeds)
def test_a_feature_is_recovered_if_one_latent_points_its_way(d_sae, n_features, d_in, least, seed):
    W_dec, features = normal(d_sae, d_in, seed=seed), normal(n_features, d_in, seed=seed + 1)
    table = [[cosine(feature, w) for w in W_dec] for feature in features]
    flat = [c for row in table for c in row]
    best = [max(row) for row in table]
    assert sae.cosines(W_dec, features).flatten().tolist() == pytest.approx(flat)
    assert sae.best_cosines(W_dec, features).tolist() == pytest.approx(best)
    want = sum(c > least for c in best) / n_features
    assert sae.recovered(W_dec, features, least) == pytest.approx(want)


@given(seeds)
def test_the_norms_of_rows_change_nothing(seed):
    W_dec, features = normal(7, 3, seed=seed), normal(5, 3, seed=seed + 1)
    before = sae.best_cosines(W_dec, features)
    longer = normal(7, 1, seed=seed + 2).exp(), normal(5, 1, seed=seed + 3).exp()
    after = sae.best_cosines(W_dec * longer[0], features * longer[1])
    torch.testing.assert_close(after, before)
    for scale in (1e-300, 1e300):  # the squares of these numbers are 0 and infinite
        torch.testing.assert_close(sae.best_cosines(W_dec * scale, features), before)


def test_a_dictionary_with_all_features_and_others_has_found_them_all():
    features = normal(6, 10)
    W_dec = torch.cat([normal(20, 10, seed=1), 0.3 * features, features])
    assert sae.recovered(W_dec, features) == 1
    assert sae.recovered(-features, features) == 0  # turned round is not found
    assert sae.recovered(features[:3], features) == 0.5


def test_what_was_found_by_chance_grows_with_latents_and_falls_with_dimensions():
    features = normal(200, 8)
    few, many = (
        sae.best_cosines(normal(d_sae, 8, seed=1), features).mean() for d_sae in (20, 2000)
    )
    wide = sae.best_cosines(normal(20, 100, seed=1), normal(200, 100)).mean()
    assert 0 < wide < few < many < 1


def test_a_row_of_zeros_matches_nothing():
    features, zero = normal(3, 4), torch.zeros(1, 4, dtype=torch.float64)
    assert sae.recovered(torch.cat([zero, features]), features) == 1
    assert sae.recovered(features, torch.cat([features, zero])) == 0.75
    assert sae.recovered(zero, zero, 0) == 0
    assert sae.cosines(zero, features).tolist() == [[0], [0], [0]]


# What comes out again


@given(st.integers(2, 9), sizes, seeds)
def test_variance_explained_is_one_less_the_share_that_is_missing(n, d_in, seed):
    x = normal(n, d_in, seed=seed) + 10 * normal(d_in, seed=seed + 1)
    x_hat = x + 0.5 * normal(n, d_in, seed=seed + 2)
    means = [sum(float(row[j]) for row in x) / n for j in range(d_in)]
    missing = sum(float(a - b) ** 2 for a, b in zip(x.flatten(), x_hat.flatten()))
    spread = sum((float(row[j]) - means[j]) ** 2 for row in x for j in range(d_in))
    assert sae.variance_explained(x, x_hat) == pytest.approx(1 - missing / spread)


def test_perfect_is_one_the_mean_is_zero_and_worse_is_below():
    x = normal(30, 4) + 3
    mean = x.mean(0).expand_as(x)
    assert sae.variance_explained(x, x) == 1
    assert sae.variance_explained(x, mean) == pytest.approx(0)
    assert sae.variance_explained(x, 2 * mean - x) == pytest.approx(-3)
    assert sae.variance_explained(x, (x + mean) / 2) == pytest.approx(0.75)


def test_a_large_mean_in_single_precision_does_not_hide_the_spread():
    x = (normal(200, 4) + 1000).float()
    x_hat = x + 0.1
    exact = sae.variance_explained(x.double(), x_hat.double())
    assert sae.variance_explained(x, x_hat) == pytest.approx(exact, abs=1e-4)


def test_nothing_can_be_explained_where_nothing_varies():
    same = torch.full((7, 2), 0.1)
    assert (same - same.mean(0)).any()  # a mean is rounded
    assert sae.variance_explained(same, same) == 0
    assert sae.variance_explained(same, same + 1) == 0


# What the penalty takes away


@pytest.mark.parametrize("l1", [0.0, 0.3, 1.0, 4.0])
def test_shrunk_is_where_the_penalised_error_is_smallest(l1):
    a = torch.linspace(-2, 3, 26, dtype=torch.float64)
    tried = torch.linspace(0, 4, 4001, dtype=torch.float64)
    loss = (a[:, None] - tried) ** 2 + l1 * tried
    torch.testing.assert_close(sae.shrunk(a, l1), tried[loss.argmin(1)], atol=1e-3, rtol=0)
    assert sae.shrunk(a.reshape(2, 13), l1).flatten().tolist() == sae.shrunk(a, l1).tolist()
    assert sae.shrunk(a[20], l1).shape == ()


# Acting


@given(sizes, sizes, sizes, st.floats(-3, 9), seeds)
def test_setting_a_latent_keeps_what_the_autoencoder_does_not_explain(n, d_in, d_sae, value, seed):
    x, W_dec = normal(n, d_in, seed=seed), normal(d_sae, d_in, seed=seed + 1)
    f, b_dec = sparse(n, d_sae, seed).double(), normal(d_in, seed=seed + 2)
    before = [t.clone() for t in (x, f, W_dec)]
    for latent in range(d_sae):
        changed = f.clone()
        changed[:, latent] = value
        error = x - (f @ W_dec + b_dec)
        want = changed @ W_dec + b_dec + error
        torch.testing.assert_close(sae.set_latent(x, f, W_dec, latent, value), want)
    assert all(map(torch.equal, before, (x, f, W_dec)))


def test_a_latent_set_to_what_it_is_changes_nothing():
    x, W_dec, f = normal(5, 3), normal(4, 3, seed=1), torch.full((5, 4), 0.7, dtype=torch.float64)
    torch.testing.assert_close(sae.set_latent(x, f, W_dec, 2, 0.7), x)


# Agreement


def as_sparse(code: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(code.topk(k, sorted=False))


@given(st.integers(2, 40), sizes, sizes, seeds)
def test_agreement_of_sparse_codes_is_that_of_dense_ones(n, d_sae_a, d_sae_b, seed):
    a, b = sparse(n, d_sae_a, seed), sparse(n, d_sae_b, seed + 1)
    codes = as_sparse(a, d_sae_a), as_sparse(b, d_sae_b)
    found = sae.code_correlations(*codes, d_sae_a, d_sae_b)
    torch.testing.assert_close(found, similarity.best_correlations(a, b))


@pytest.mark.parametrize("pairs", [1, 100, 2**20])
def test_it_does_not_matter_how_many_are_multiplied_at_a_time(pairs, monkeypatch):
    monkeypatch.setattr("course_utils.sae.agreement.PAIRS", pairs)
    a, b = sparse(57, 40, rate=0.1), sparse(57, 30, 1, rate=0.1)
    ka, kb = (int((code > 0).sum(1).max()) for code in (a, b))
    assert ka != kb
    found = sae.code_correlations(as_sparse(a, ka), as_sparse(b, kb), 40, 30)
    torch.testing.assert_close(found, similarity.best_correlations(a, b))


def test_two_autoencoders_with_the_same_latents_in_another_order_agree():
    g = Generator().manual_seed(0)
    config = sae.TopKConfig(d_in=8, d_sae=40, k=4)
    one = sae.TopKSAE.begin(config, torch.empty(0, 8), torch.zeros(8), g)
    order = torch.randperm(40, generator=g)
    two = sae.TopKSAE(one.W_enc[:, order], one.b_enc, one.W_dec[order], one.b_dec, config)
    x = normal(2000, 8).float()
    codes = one.encode_sparse(x), two.encode_sparse(x)
    found = sae.code_correlations(*codes, 40, 40)
    torch.testing.assert_close(found, torch.ones_like(found))
    values, indices = codes[1]
    shuffled = torch.randperm(2000, generator=g)
    null = sae.code_correlations(codes[0], (values[shuffled], indices[shuffled]), 40, 40)
    assert null.max() < 0.2


def test_latents_that_do_not_vary_agree_with_nothing():
    dense = torch.tensor([[0.1, 0, 1], [0.1, 0, 2], [0.1, 0, 0], [0.1, 0, 5], [0.1, 0, 1]])
    code = as_sparse(dense, 3)
    assert sae.code_correlations(code, code, 3, 3).tolist() == pytest.approx([0, 0, 1])
    assert sae.code_correlations(code, code, 5, 4).tolist() == pytest.approx([0, 0, 1, 0, 0])


# What is refused


def test_impossible_values_are_refused():
    x, none = normal(3, 2), torch.zeros(0, 2, dtype=torch.float64)
    for threshold in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"such as 0\.9"):
            sae.recovered(x, x, threshold)
    with pytest.raises(ValueError, match="W_dec has no row"):
        sae.recovered(none, x)
    with pytest.raises(ValueError, match="features has no row"):
        sae.recovered(x, none)
    with pytest.raises(ValueError, match="x has no row"):
        sae.variance_explained(none, none)
    for l1 in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="use a number of 0 or more"):
            sae.shrunk(x, l1)
    for latent in (-1, 3):
        with pytest.raises(ValueError, match="use 0 to 2"):
            sae.set_latent(x, x[:, :1].expand(3, 3), x, latent, 1.0)


def test_codes_that_do_not_fit_are_refused():
    code, shorter = as_sparse(sparse(9, 5), 2), as_sparse(sparse(8, 5), 2)
    agreement = inspect.unwrap(sae.code_correlations)
    with pytest.raises(ValueError, match="use the same for both"):
        agreement(code, shorter, 5, 5)
    with pytest.raises(ValueError, match="at least 2"):
        one = tuple(part[:1] for part in code)
        agreement(one, one, 5, 5)
    for sizes_, name in (((2, 5), "A"), ((5, 2), "B")):
        with pytest.raises(ValueError, match=f"an index of {name} is not from 0 to 1"):
            agreement(code, code, *sizes_)
