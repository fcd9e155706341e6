"""TopK: exactly the k largest, gradients by hand against autograd, dead latents and their AuxK."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils.sae import Recipe, TopKConfig, TopKSAE, train
from course_utils.sae.largest import Largest, _left_factor, _right_factor, top_k
from course_utils.sae.model import SAE
from course_utils.sae.sparse import Places


def random_sae(config, seed=0, dtype=torch.float64):
    g = Generator().manual_seed(seed)
    d_in, d_sae = config.d_in, config.d_sae
    W_dec = torch.randn(d_sae, d_in, generator=g, dtype=dtype)
    W_dec /= W_dec.norm(dim=1, keepdim=True)
    W_enc = torch.randn(d_sae, d_in, generator=g, dtype=dtype).T
    b_enc = torch.randn(d_sae, generator=g, dtype=dtype)
    return TopKSAE(W_enc, b_enc, W_dec, torch.randn(d_in, generator=g, dtype=dtype), config)


def rows(n, d, seed=1, dtype=torch.float64):
    return torch.randn(n, d, generator=Generator().manual_seed(seed), dtype=dtype)


# The k largest


@given(
    batch=st.integers(1, 5),
    d_sae=st.sampled_from([1, 7, 64, 96, 256, 1024]),
    k=st.integers(1, 64),
    values=st.sampled_from([2, 5, 10**6]),
    seed=st.integers(0, 10**6),
    dtype=st.sampled_from([torch.bfloat16, torch.float32, torch.float64]),
)
def test_top_k_takes_exactly_the_k_largest_also_of_equal_ones(batch, d_sae, k, values, seed, dtype):
    k = min(k, d_sae)
    g = Generator().manual_seed(seed)
    scores = torch.randint(-values, values, (batch, d_sae), generator=g).to(dtype)
    found, columns = top_k(scores, k)
    assert torch.equal(scores.gather(1, columns), found)  # they are where it says
    assert all(len(set(row)) == k for row in columns.tolist())  # each counts once
    expected = torch.topk(scores, k).values
    assert torch.equal(found.sort(descending=True).values, expected)


@pytest.mark.parametrize("k", [0, -1, 9])
def test_top_k_says_which_k_is_possible(k):
    with pytest.raises(ValueError, match=f"k is {k}; use a number between 1 and 8"):
        top_k(torch.zeros(2, 8), k)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("ties", [False, True])
def test_screening_with_two_digits_takes_the_same_k_largest(size, ties):
    table, bias = rows(1024, 16, 1, torch.float32), size * rows(1, 1024, 2, torch.float32)[0]
    x = size * rows(200, 16, 3, torch.float32)
    if ties:  # half of the numbers are nearly those of the other half: seven digits are needed
        table[512:], bias[512:] = table[:512] * (1 + 1e-6), bias[:512]
    found = {}
    for screened in (True, False):
        values, columns = Largest(table, bias, 8, screened=screened)(x)
        assert all(len(set(row)) == 8 for row in columns.tolist())
        z = torch.addmm(bias, x, table.T)
        torch.testing.assert_close(values, z.gather(1, columns), rtol=1e-5, atol=1e-5 * size)
        found[screened] = values.sort(descending=True).values
    torch.testing.assert_close(found[True], found[False], rtol=1e-5, atol=1e-5 * size)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_the_bounds_of_screening_are_bounds(size):
    table, bias = rows(2048, 16, 1, torch.float32), size * rows(1, 2048, 2, torch.float32)[0]
    x = size * rows(300, 16, 3, torch.float32)
    x[0], table[0], bias[0] = 0, 0, 0
    # the hardest case of Cauchy and Schwarz: all that rounding takes away points one way
    table[1:200] = table[1:200].bfloat16().float() * (1 + 2**-9)
    x[1:200] = table[1:200]
    left, right = _left_factor(x).double(), _right_factor(table, bias).double()
    bounds, z = left @ right.T, x.double() @ table.double().T + bias
    assert (bounds >= z).all()
    # and no idle ones: rounding to two digits moves a product by a hundredth of |x| |w| at most
    scale = x.double().norm(dim=1)[:, None] * table.double().norm(dim=1) + bias.abs()
    assert (bounds - z <= 0.015 * scale).all()


# The products


@pytest.mark.parametrize("counts", [[4] * 6, [0, 3, 1, 0, 9, 0], [0, 0]])
def test_sparse_products_are_the_dense_ones(counts):
    g = Generator().manual_seed(0)
    batch, places_a_sample = len(counts), [torch.randperm(32, generator=g)[:c] for c in counts]
    values, table, x = rows(1, sum(counts))[0], rows(32, 5), rows(batch, 5, 3)
    code, mask = torch.zeros(2, batch, 32, dtype=torch.float64)
    for s, (latents, some) in enumerate(zip(places_a_sample, values.split(counts))):
        code[s, latents], mask[s, latents] = some, 1
    offsets = torch.tensor([0, *counts]).cumsum(0)
    places = Places(torch.cat(places_a_sample), offsets, 32)
    torch.testing.assert_close(places.decode(values, table), code @ table)
    torch.testing.assert_close(places.sums(values, x), code.T @ x)
    torch.testing.assert_close(places.totals(values), code.sum(0))
    dots = (x @ table.T * mask).T[places.latent, places.sample]
    torch.testing.assert_close(places.dots(x, table), dots)


# The definition and its gradients


def test_the_code_has_the_k_largest_of_the_equation():
    sae = random_sae(TopKConfig(5, 32, 3))
    x = rows(7, 5)
    for sample, code in zip(x, sae.encode(x)):
        z = (sample - sae.b_dec) @ sae.W_enc + sae.b_enc
        expected = torch.zeros(32, dtype=torch.float64)
        for i in z.argsort(descending=True)[:3]:
            expected[i] = max(z[i].item(), 0)
        torch.testing.assert_close(code, expected)
    torch.testing.assert_close(sae(x), sae.encode(x) @ sae.W_dec + sae.b_dec)


def by_autograd(sae, x, dead=None, k_aux=None):
    weights = [
        w.detach().clone().requires_grad_() for w in (sae.W_enc, sae.b_enc, sae.W_dec, sae.b_dec)
    ]
    W_enc, b_enc, W_dec, b_dec = weights
    z = (x - b_dec) @ W_enc + b_enc
    best = z.topk(sae.config.k)
    code = torch.zeros_like(z).scatter(1, best.indices, best.values.relu())
    x_hat = code @ W_dec + b_dec
    loss = (x - x_hat).square().sum(1).mean()
    if dead is not None:
        count = int(dead.sum())
        best = z.masked_fill(~dead, -torch.inf).topk(min(k_aux, count))
        e_hat = torch.zeros_like(z).scatter(1, best.indices, best.values) @ W_dec
        e = (x - x_hat).detach()
        share = sae.config.aux_coefficient * min(1, count / k_aux)
        loss = loss + share * (e - e_hat).square().sum(1).mean()
    loss.backward()
    return loss.item(), [w.grad for w in weights]


@pytest.mark.parametrize("n_dead", [0, 1, 4, 10, 64])
@pytest.mark.parametrize("k_aux", [4, None])
def test_gradients_by_hand_are_those_of_autograd(n_dead, k_aux):
    sae = random_sae(TopKConfig(12, 64, 5, k_aux=k_aux, aux_coefficient=0.3))
    sae.b_enc.sub_(2)  # so that some of the k largest are below 0
    x = rows(40, 12)
    dead = torch.zeros(64, dtype=torch.bool)
    dead[torch.randperm(64, generator=Generator().manual_seed(2))[:n_dead]] = True
    found = sae.gradients(x, dead)
    loss, expected = by_autograd(sae, x, dead if n_dead else None, k_aux or 6)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    for name, gradient in zip(("W_enc", "b_enc", "W_dec", "b_dec"), expected):
        torch.testing.assert_close(getattr(found, name), gradient, msg=name)
    code = sae.encode(x)
    assert found.l0 == pytest.approx((code > 0).sum(1).double().mean().item())
    assert torch.equal(found.fired, (code > 0).any(0))
    assert found.error == pytest.approx((x - sae(x)).square().sum(1).mean().item())


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"d_in": 0}, "d_in is 0; use at least 1"),
        ({"d_sae": 0}, "d_sae is 0; use at least 1"),
        ({"k": 0}, "k is 0; use at least 1"),
        ({"k": 33}, "k is 33; use at most d_sae = 32"),
        ({"k_aux": 0}, "k_aux is 0; use at least 1"),
        ({"aux_coefficient": -1.0}, "aux_coefficient is -1.0; use a number of 0 or more"),
    ],
)
def test_the_config_says_what_is_wrong(bad, sentence):
    with pytest.raises(ValueError, match=sentence):
        TopKConfig(**({"d_in": 4, "d_sae": 32, "k": 2} | bad))


@pytest.mark.parametrize("shape", [(3, 4), (0, 5)])
def test_samples_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(batch, 5\) is needed"):
        random_sae(TopKConfig(5, 32, 3)).encode(torch.zeros(shape, dtype=torch.float64))


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_directions_that_begin_near_the_data_are_as_near_as_was_asked_and_fit_it(share):
    config, x = TopKConfig(32, 64, k=4), rows(500, 32, dtype=torch.float32) + 3
    centre = x.mean(0)
    sae = TopKSAE.begin(config, x, centre, Generator().manual_seed(0), data_share=share)
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(64))
    cosines = sae.W_dec @ torch.nn.functional.normalize(x - centre, dim=1).T
    # share * r + (1 - share) * other, for two directions nearly at right angles
    expected = share / (share**2 + (1 - share) ** 2) ** 0.5
    assert cosines.max(1).values.median() == pytest.approx(expected, abs=0.15)
    g = sae.W_enc[0, 0] / sae.W_dec[0, 0]
    torch.testing.assert_close(sae.W_enc, g * sae.W_dec.T)
    fit = sae(x) - centre  # no other factor than 1 would bring it nearer to the data
    assert float((fit * (x - centre)).sum() / fit.square().sum()) == pytest.approx(1, rel=1e-4)


def test_directions_begin_at_random_if_nothing_is_asked():
    config, x = TopKConfig(32, 64, k=4), rows(500, 32, dtype=torch.float32)
    begun = [TopKSAE.begin(config, x * f, x[0], Generator().manual_seed(0)) for f in (1, 2)]
    assert begun[0].W_dec.equal(begun[1].W_dec)
    assert begun[0].W_enc.equal(begun[0].W_dec.T)


def test_auxk_brings_dead_latents_back(monkeypatch):
    """Half of all latents are born dead: nothing but AuxK gives them a gradient."""

    def half_dead(config, x, b_dec, generator, **_):
        sae = SAE.begin.__func__(TopKSAE, config, x, b_dec, generator)
        sae.b_enc[: config.d_sae // 2] = -5
        return sae

    monkeypatch.setattr(TopKSAE, "begin", half_dead)
    g = Generator().manual_seed(0)
    directions = torch.randn(100, 16, generator=g)
    on = torch.rand(4000, 100, generator=g) < 0.03
    x = torch.rand(4000, 100, generator=g) * on @ directions
    recipe = Recipe(steps=300, batch_size=256, learning_rate=3e-3, dead_after=3_000)
    dead = {}
    for coefficient in (0.0, 1 / 32):
        config = TopKConfig(16, 128, k=4, aux_coefficient=coefficient)
        trained = train(config, x, recipe, seed=0, progress=False)
        dead[coefficient] = trained.history["dead"][-1].item()
    assert dead[0.0] > 55
    assert dead[1 / 32] < dead[0.0] / 3
