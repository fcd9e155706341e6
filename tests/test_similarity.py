"""Similarity of representations: against definitions in loops; nulls are where they should be."""

import inspect
from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils import similarity
from course_utils.similarity import linear_cka, matched_correlation

seeds = st.integers(0, 2**32)
widths = st.integers(1, 6)
either = st.booleans()
both = pytest.mark.parametrize("unbiased", [False, True])


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def related(n: int, d1: int, d2: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two representations that share something."""
    X = normal(n, d1, seed=seed)
    return X, X @ normal(d1, d2, seed=seed + 1) + normal(n, d2, seed=seed + 2)


def unbiased_cka(X, Y):
    return linear_cka(X, Y, unbiased=True)


# CKA


@given(st.integers(2, 12), widths, widths, seeds)
def test_cka_is_the_alignment_of_centred_gram_matrices(n, d1, d2, seed):
    """The definition with n x n matrices: tr(KHLH) / sqrt(tr(KHKH) tr(LHLH))."""
    X, Y = related(n, d1, d2, seed)
    H = torch.eye(n, dtype=torch.float64) - 1 / n
    K, L = H @ (X @ X.T) @ H, H @ (Y @ Y.T) @ H
    expected = torch.trace(K @ L) / (torch.trace(K @ K) * torch.trace(L @ L)).sqrt()
    assert linear_cka(X, Y) == pytest.approx(expected.item(), rel=1e-9)
    assert linear_cka(Y, X) == pytest.approx(expected.item(), rel=1e-9)


def hsic_over_quadruples(K, L):
    """The mean of K_ij (L_ij + L_qr - 2 L_iq) over all ordered choices of four samples."""
    terms = [
        K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q]) for i, j, q, r in permutations(range(len(K)), 4)
    ]
    return sum(terms) / len(terms)


@pytest.mark.parametrize(("n", "d1", "d2"), [(4, 3, 2), (5, 1, 4), (6, 7, 3), (7, 2, 2)])
def test_the_unbiased_cka_is_a_mean_over_quadruples_of_samples(n, d1, d2):
    X, Y = related(n, d1, d2, seed=n)
    K, L = X @ X.T, Y @ Y.T
    own = hsic_over_quadruples(K, K) * hsic_over_quadruples(L, L)
    expected = (hsic_over_quadruples(K, L) / own.sqrt()).item()
    assert unbiased_cka(X, Y) == pytest.approx(expected, rel=1e-6)


@given(st.integers(4, 12), widths, widths, seeds, either)
def test_rotations_scales_and_shifts_change_nothing(n, d1, d2, seed, unbiased):
    X, Y = related(n, d1, d2, seed)
    Q, _ = torch.linalg.qr(normal(d1, d1, seed=seed + 3))
    moved = -3.7 * X @ Q + normal(d1, seed=seed + 4)
    order = torch.randperm(n, generator=Generator().manual_seed(seed))
    before = linear_cka(X, Y, unbiased=unbiased)
    assert linear_cka(moved, Y, unbiased=unbiased) == pytest.approx(before, abs=1e-8)
    assert linear_cka(X[order], Y[order], unbiased=unbiased) == pytest.approx(before, abs=1e-8)
    assert before <= 1 + 1e-9
    assert unbiased or before >= 0


@given(st.integers(6, 12), widths, seeds, either)
def test_a_rotated_copy_is_entirely_alike_also_among_more_units(n, d, seed, unbiased):
    X = normal(n, d, seed=seed)
    Q, _ = torch.linalg.qr(normal(d + 2, d, seed=seed + 1))
    assert linear_cka(X, 5 * X @ Q.T, unbiased=unbiased) == pytest.approx(1)


@both
def test_a_general_invertible_map_is_not_forgiven(unbiased):
    X = normal(200, 2)
    stretched = X * torch.tensor([1.0, 100.0])
    assert linear_cka(X, stretched, unbiased=unbiased) < 0.8  # sqrt(1/2), for a long sample


@both
def test_units_that_do_not_vary(unbiased):
    X, Y = related(150, 3, 4, seed=0)
    constant = torch.full((150, 2), 0.1, dtype=torch.float64)
    assert (constant - constant.mean(0)).any()  # a mean is rounded
    for Z in (constant, constant.float(), torch.zeros(150, 2)):
        assert linear_cka(X, Z, unbiased=unbiased) == 0
        assert linear_cka(Z, Y, unbiased=unbiased) == 0
        assert linear_cka(Z, Z, unbiased=unbiased) == 0
    with_constant = torch.cat([X, constant], dim=1)
    expected = linear_cka(X, Y, unbiased=unbiased)
    assert linear_cka(with_constant, Y, unbiased=unbiased) == pytest.approx(expected)


@pytest.mark.parametrize("n", [4, 5, 17])
def test_one_sample_that_differs_from_all_others_gives_the_unbiased_cka_nothing(n):
    """Every choice of four has the others alike but for one: mathematically 0 / 0."""
    alone = torch.zeros(n, 3)
    alone[1] = torch.tensor([0.3, 1.7, -2.9])
    assert unbiased_cka(alone, alone) == 0
    assert unbiased_cka(alone, normal(n, 2)) == 0


def test_small_and_large_numbers_in_single_precision():
    X, Y = (Z.float() for Z in related(30, 4, 5, seed=0))
    for scale in (1e-30, 1e30):
        assert linear_cka(X * scale, Y) == pytest.approx(linear_cka(X, Y), rel=1e-5)
        values, _ = matched_correlation(X * scale, Y)
        assert torch.allclose(values, matched_correlation(X, Y)[0], atol=1e-5)


def test_by_chance_the_biased_cka_is_high_and_the_unbiased_zero():
    for n, d in ((50, 10), (50, 50), (50, 200)):
        biased, unbiased = [], []
        for seed in range(0, 60, 2):
            X, Y = normal(n, d, seed=seed), normal(n, d, seed=seed + 1)
            biased.append(linear_cka(X, Y))
            unbiased.append(unbiased_cka(X, Y))
        assert sum(biased) / 30 == pytest.approx(d / (d + n), abs=0.03)
        assert sum(unbiased) / 30 == pytest.approx(0, abs=0.02)


# Matched correlation


@given(st.integers(2, 12), widths, widths, seeds)
def test_correlations_are_pearsons(n, d1, d2, seed):
    X, Y = related(n, d1, d2, seed)
    whole = torch.corrcoef(torch.cat([X, Y], dim=1).T).reshape(d1 + d2, d1 + d2)
    assert torch.allclose(similarity.correlations(X, Y), whole[:d1, d1:], atol=1e-9)


@given(st.integers(3, 12), widths, widths, seeds)
def test_every_unit_finds_its_best_partner(n, d1, d2, seed):
    X, Y = related(n, d1, d2, seed)
    values, partners = matched_correlation(X, Y)
    for i in range(d1):
        each = [abs(float(torch.corrcoef(torch.stack([X[:, i], y]))[0, 1])) for y in Y.T]
        assert values[i].item() == pytest.approx(max(each))
        assert each[int(partners[i])] == pytest.approx(max(each))


@given(st.integers(3, 12), widths, widths, seeds)
def test_the_best_correlation_is_the_largest_with_its_sign(n, d1, d2, seed):
    X, Y = related(n, d1, d2, seed)
    found = similarity.best_correlations(X, Y)
    for i in range(d1):
        each = [float(torch.corrcoef(torch.stack([X[:, i], y]))[0, 1]) for y in Y.T]
        assert found[i].item() == pytest.approx(max(each))


def test_a_partner_turned_round_is_no_partner():
    X = normal(30, 1)
    assert similarity.best_correlations(X, -X).tolist() == pytest.approx([-1])
    assert similarity.best_correlations(X, torch.cat([-X, 3 * X + 1], 1)).tolist() == pytest.approx(
        [1]
    )


@given(st.integers(3, 8), st.integers(1, 4), st.integers(1, 4), seeds)
def test_pairs_one_to_one_have_the_largest_sum_of_all(n, d1, d2, seed):
    X, Y = related(n, d1, d2, seed)
    strength = similarity.correlations(X, Y).abs().tolist()
    values, partners = matched_correlation(X, Y, one_to_one=True)
    pairs = [(i, j) for i, j in enumerate(partners.tolist()) if j >= 0]
    assert len({j for _, j in pairs}) == len(pairs) == min(d1, d2)
    assert values.sum().item() == pytest.approx(sum(strength[i][j] for i, j in pairs))
    longer, shorter = range(max(d1, d2)), range(min(d1, d2))
    best = max(
        sum(strength[i][j] if d1 <= d2 else strength[j][i] for i, j in zip(shorter, order))
        for order in permutations(longer, len(shorter))
    )
    assert values.sum().item() == pytest.approx(best)


@given(st.integers(3, 8), st.integers(1, 4), seeds)
def test_shuffled_and_flipped_units_are_found_one_to_one(n, extra, seed):
    d = 4
    X = normal(n, d, seed=seed)
    order = torch.randperm(d + extra, generator=Generator().manual_seed(seed))
    Y = torch.cat([-2 * X + 1, normal(n, extra, seed=seed + 1)], dim=1)[:, order]
    values, partners = matched_correlation(X, Y, one_to_one=True)
    assert torch.allclose(values, torch.ones(d, dtype=torch.float64))
    assert order[partners].tolist() == list(range(d))


def test_partners_may_be_shared_unless_one_to_one():
    shared = normal(50, 1)
    X = shared + 0.1 * normal(50, 3, seed=1)
    Y = torch.cat([shared, normal(50, 1, seed=2)], dim=1)
    assert matched_correlation(X, Y)[1].tolist() == [0, 0, 0]
    values, partners = matched_correlation(X, Y, one_to_one=True)
    assert sorted(partners.tolist()) == [-1, 0, 1]  # three units, two partners
    assert values[partners == -1].item() == 0
    assert values[partners == 0].item() > 0.9


def test_a_unit_that_does_not_vary_correlates_with_nothing():
    X = torch.cat([normal(30, 1), torch.full((30, 1), 0.1, dtype=torch.float64)], dim=1)
    for one_to_one in (False, True):
        values, _ = matched_correlation(X, X, one_to_one=one_to_one)
        assert values.tolist() == pytest.approx([1, 0])
    assert similarity.best_correlations(X, X).tolist() == pytest.approx([1, 0])
    assert similarity.best_correlations(-X[:, :1], X).tolist() == [0]  # 0 is more than -1


# Nulls


def test_shuffles_use_every_row_once_and_leave_x_alone():
    X = torch.arange(9.0).unsqueeze(1)
    seen = []

    def look(A, B):
        assert torch.equal(A, X)
        assert sorted(B.flatten().tolist()) == X.flatten().tolist()
        seen.append(tuple(B.flatten().tolist()))
        return 0.0

    null = similarity.permuted(look, X, X, n_permutations=20, generator=Generator().manual_seed(0))
    assert null.shape == (20,)
    assert len(set(seen)) == 20


@given(st.lists(st.integers(0, 3), min_size=2, max_size=12), seeds)
def test_shuffles_within_groups_stay_there(labels, seed):
    groups = torch.tensor(labels)
    X = torch.stack([torch.arange(len(labels)), groups], dim=1).double()

    def look(A, B):
        assert torch.equal(B[:, 1], groups.double())
        assert sorted(B[:, 0].tolist()) == A[:, 0].tolist()
        return B[0, 0]

    generator = Generator().manual_seed(seed)
    null = similarity.permuted(look, X, X, n_permutations=60, groups=groups, generator=generator)
    # The first row comes from everywhere in its group (and misses one of 12 by bad luck only).
    assert set(null.tolist()) <= set((groups == labels[0]).nonzero().flatten().tolist())
    assert len(set(null.tolist())) >= min(2, labels.count(labels[0]))


@pytest.mark.parametrize(
    "f", [linear_cka, unbiased_cka, lambda X, Y: matched_correlation(X, Y)[0].mean()]
)
def test_independent_representations_are_within_the_null(f):
    """p-values of what is not there are uniform: 5 % of them are up to 0.05."""
    generator = Generator().manual_seed(0)
    p = []
    for seed in range(0, 160, 2):
        X, Y = normal(15, 3, seed=seed), normal(15, 4, seed=seed + 1)
        null = similarity.permuted(f, X, Y, n_permutations=19, generator=generator)
        p.append(similarity.p_value(float(f(X, Y)), null))
    p = torch.tensor(p)
    assert (p <= 0.05).double().mean() <= 0.12  # 80 draws: 0.05 and three standard errors of 0.024
    assert p.mean().item() == pytest.approx(0.5, abs=0.1)


def test_the_null_within_classes_keeps_what_the_class_explains():
    """X and Y know the class and nothing else together: alike, but not beyond the class."""
    groups = torch.arange(60) % 3
    classes = 3 * torch.eye(3, dtype=torch.float64)[groups]
    X, Y = classes + normal(60, 3), classes + normal(60, 3, seed=1)
    statistic = linear_cka(X, Y)

    def p_value(**which):
        generator = Generator().manual_seed(0)
        null = similarity.permuted(linear_cka, X, Y, generator=generator, **which)
        return similarity.p_value(statistic, null)

    assert p_value() < 0.01
    assert p_value(groups=groups) > 0.05


def test_p_values_are_never_zero_and_count_ties():
    null = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    assert similarity.p_value(0.5, null) == pytest.approx(1 / 5)
    assert similarity.p_value(0.3, null) == pytest.approx(3 / 5)
    assert similarity.p_value(0.3 + 1e-12, null) == pytest.approx(3 / 5)
    assert similarity.p_value(0.0, null) == 1


# Intervals


def pairs_with_a_known_cka(n_repeats):
    for seed in range(0, 3 * n_repeats, 3):
        yield related_by(normal(40, 8, seed=seed), normal(40, 8, seed=seed + 1))


def related_by(shared, other):
    return shared, 0.7 * shared + other


def test_half_samples_cover_the_true_value_and_the_bootstrap_does_not():
    truth = unbiased_cka(*related_by(normal(3000, 8, seed=10**6), normal(3000, 8, seed=10**6 + 1)))
    generator = Generator().manual_seed(0)
    covered = covered_by_bootstrap = 0
    for X, Y in pairs_with_a_known_cka(40):
        low, high = similarity.half_sample_interval(
            unbiased_cka, X, Y, n=60, level=0.9, generator=generator
        )
        assert low < high
        covered += low <= truth <= high
        draws = [torch.randint(40, (40,), generator=generator) for _ in range(60)]
        values = torch.tensor([unbiased_cka(X[i], Y[i]) for i in draws])
        covered_by_bootstrap += values.quantile(0.05) <= truth <= values.quantile(0.95)
    assert covered >= 31  # 0.9 of 40, less about three standard errors
    assert covered_by_bootstrap <= 20


def test_halves_have_no_row_twice_and_a_wider_level_is_wider():
    X = normal(21, 2)

    def look(A, B):
        assert torch.equal(A, B)
        assert len(A) == 10 == len(A.unique(dim=0))
        return A.mean()

    def interval(level):
        generator = Generator().manual_seed(0)
        return similarity.half_sample_interval(look, X, X, level=level, generator=generator)

    narrow, wide = interval(0.5), interval(0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


# Randomness, and what is refused


def test_the_generator_decides_and_the_global_state_is_left_alone():
    X, Y = related(20, 3, 3, seed=0)
    before = torch.get_rng_state()
    for draw in (similarity.permuted, similarity.half_sample_interval):
        first, again, other = (
            tuple(draw(linear_cka, X, Y, generator=Generator().manual_seed(k))) for k in (1, 1, 2)
        )
        assert first == again != other
    assert torch.equal(before, torch.get_rng_state())


def test_representations_of_other_samples_are_refused():
    X, Y = normal(9, 2), normal(10, 2)
    draws = [similarity.permuted, similarity.half_sample_interval]
    for f in (linear_cka, similarity.correlations):
        with pytest.raises(ValueError, match="use the same samples for both"):
            # Without the check of shapes, which says it first in the tests but not to learners.
            inspect.unwrap(f)(X, Y)
    for f in draws:
        with pytest.raises(ValueError, match="use the same samples for both"):
            inspect.unwrap(f)(linear_cka, X, Y)


@pytest.mark.parametrize(("unbiased", "least"), [(False, 2), (True, 4)])
def test_too_few_samples_are_refused(unbiased, least):
    linear_cka(normal(least, 2), normal(least, 2), unbiased=unbiased)
    with pytest.raises(ValueError, match=f"at least {least}"):
        linear_cka(normal(least - 1, 2), normal(least - 1, 2), unbiased=unbiased)


def test_a_partner_is_needed():
    with pytest.raises(ValueError, match="Y has no column"):
        similarity.best_correlations(normal(9, 2), normal(9, 0))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(value):
    X = normal(9, 2)
    bad = X.clone()
    bad[3, 1] = value
    for f in (linear_cka, matched_correlation):
        for pair in ((X, bad), (bad, X)):
            with pytest.raises(ValueError, match="leave out or replace"):
                f(*pair)


def test_impossible_counts_and_levels_are_refused():
    X = normal(9, 2)
    with pytest.raises(ValueError, match="n_permutations is 0; use at least 1"):
        similarity.permuted(linear_cka, X, X, n_permutations=0)
    with pytest.raises(ValueError, match="use at least 1"):
        similarity.p_value(0.5, torch.zeros(0))
    with pytest.raises(ValueError, match="n is 0; use at least 1"):
        similarity.half_sample_interval(linear_cka, X, X, n=0)
    for level in (0.0, 1.0, 95, float("nan")):
        with pytest.raises(ValueError, match=r"such as 0\.95"):
            similarity.half_sample_interval(linear_cka, X, X, level=level)
    with pytest.raises(ValueError, match="at least 8"):
        similarity.half_sample_interval(linear_cka, X[:7], X[:7])
