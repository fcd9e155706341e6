"""How alike are two representations of the same samples, and how alike would they be by chance?

X has shape (n_samples, d1) and Y (n_samples, d2): row i of both belongs to sample i, and columns
are units. `linear_cka` compares the two as wholes, `matched_correlation` unit by unit. Either says
little alone: with few samples or many units anything looks like anything. So compare it with
`permuted`, where the samples no longer correspond.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Generator, Tensor

Statistic = Callable[[Tensor, Tensor], float | Tensor]


def linear_cka(
    X: Float[Tensor, "n_samples d1"], Y: Float[Tensor, "n_samples d2"], *, unbiased: bool = False
) -> float:
    """Linear centred kernel alignment: do the same pairs of samples look alike in X and in Y?

        ||Yc^T Xc||_F^2 / (||Xc^T Xc||_F ||Yc^T Yc||_F),   Xc: X with its column means taken out

    From 0 to 1; 1 exactly when Yc is Xc rotated, reflected and scaled, after zeros are added to
    the narrower one. Nothing changes when X or Y is multiplied by an orthogonal matrix, scaled, or
    shifted; a general invertible matrix does change it. It is biased upwards unless there are many
    more samples than units: for independent noise of d units it is about d / (d + n_samples).

    unbiased=True replaces both the numerator and what is under the roots by estimates without
    bias, from the Gram matrices with a zero diagonal. It is about 0 for independent X and Y, and
    may be negative.

    Degenerate case: 0 if no column of X, or none of Y, varies.

    Raises:
        ValueError: the numbers of rows differ, there are fewer than 2 (unbiased: 4), or a value
            is not finite.

    Source: Kornblith et al., "Similarity of Neural Network Representations Revisited" (2019).
    Unbiased: HSIC_1 of Song et al., "Feature Selection via Dependence Maximization" (2012),
    as used for CKA by Nguyen et al., "Do Wide and Deep Networks Learn the Same Things?" (2021).
    """
    _check_rows(X, Y, 4 if unbiased else 2)
    X, Y = _centred(X), _centred(Y)
    measure = _hsic_unbiased if unbiased else _gram_product
    own = measure(X, X) * measure(Y, Y)
    return measure(X, Y) / math.sqrt(own) if own > 0 else 0.0


def correlations(
    X: Float[Tensor, "n_samples d1"], Y: Float[Tensor, "n_samples d2"]
) -> Float[Tensor, "d1 d2"]:
    """Pearson's correlation of every column of X with every column of Y, from -1 to 1.

    Degenerate case: a column that does not vary has correlation 0 with all.

    Raises:
        ValueError: the numbers of rows differ, there are fewer than 2, or a value is not finite.
    """
    _check_rows(X, Y, 2)
    X, Y = (Z / Z.norm(dim=0).clamp_min(1e-300) for Z in (_centred(X), _centred(Y)))
    return (X.T @ Y).clamp(-1, 1)


def best_correlations(
    X: Float[Tensor, "n_samples d1"], Y: Float[Tensor, "n_samples d2"]
) -> Float[Tensor, " d1"]:
    """For each column of X its largest Pearson correlation with any column of Y, from -1 to 1.

        max_j corr(X_i, Y_j)

    Unlike in `matched_correlation` the sign counts: for units that are 0 or more, such as latents,
    to be active where another is silent is not to be the same. A maximum over many columns is
    above 0 by chance: compare it with `permuted`.

    Degenerate case: a column that does not vary has correlation 0 with all.

    Raises:
        ValueError: Y has no column, or as for `correlations`.
    """
    if not Y.shape[1]:
        raise ValueError("Y has no column; at least 1 is needed.")
    return correlations(X, Y).amax(1)


def matched_correlation(
    X: Float[Tensor, "n_samples d1"], Y: Float[Tensor, "n_samples d2"], *, one_to_one: bool = False
) -> tuple[Float[Tensor, " d1"], Int[Tensor, " d1"]]:
    """For each unit of X its partner in Y: how strongly they correlate, and which column it is.

        max_j |corr(X_i, Y_j)|

    from 0 to 1. The sign does not count. A maximum over many units is large by chance: compare it
    with `permuted`. Several units of X may have the same partner, unless one_to_one=True, which
    gives the pairs with the largest possible sum, no unit in two of them.

    Degenerate cases: a unit that does not vary has 0. One to one with d1 > d2, the units of X that
    are left over have correlation 0 and partner -1.

    Raises:
        ValueError: the numbers of rows differ, there are fewer than 2, or a value is not finite.

    Source: Li et al., "Convergent Learning" (2016): both matchings between two networks.
    """
    strength = correlations(X, Y).abs()
    if not one_to_one:
        return tuple(strength.max(dim=1))
    rows, columns = map(torch.from_numpy, linear_sum_assignment(strength.numpy(), maximize=True))
    best, partner = strength.new_zeros(len(strength)), torch.full((len(strength),), -1)
    best[rows], partner[rows] = strength[rows, columns], columns
    return best, partner


def permuted(
    f: Statistic,
    X: Float[Tensor, "n_samples d1"],
    Y: Float[Tensor, "n_samples d2"],
    *,
    n_permutations: int = 200,
    groups: Int[Tensor, " n_samples"] | None = None,
    generator: Generator | None = None,
) -> Float[Tensor, " {n_permutations}"]:
    """f(X, Y) with the rows of Y in random order: what it is when samples do not correspond.

    Args:
        f: the statistic, (X, Y) -> number.
        n_permutations: at least 1.
        groups: a number for each sample, such as its class. Rows are then shuffled within a group
            only, and what X and Y share beyond it is destroyed: the null "both know the class".
        generator: source of randomness; None uses torch's global one.

    Degenerate case: a group of one sample stays as it is.

    Raises:
        ValueError: the numbers of rows differ, n_permutations is below 1, or a value is not finite.
    """
    _check_rows(X, Y, 2)
    _check_count("n_permutations", n_permutations)
    null = []
    for _ in range(n_permutations):
        order = torch.randperm(len(Y), generator=generator)
        if (
            groups is not None
        ):  # the k-th row of a group gets the k-th in random order of that group
            within = order[groups[order].argsort(stable=True)]
            order = within[groups.argsort(stable=True).argsort()]
        null.append(float(f(X, Y[order])))
    return torch.tensor(null, dtype=torch.float64)


def p_value(statistic: float, null: Float[Tensor, " n_permutations"]) -> float:
    """The share of shuffles that do as well as the statistic, itself counted as one of them.

        (1 + #{null >= statistic}) / (1 + n_permutations)

    Never 0: 99 permutations cannot give less than 0.01. Equal to six digits counts as equal.

    Raises:
        ValueError: the null is empty.

    Source: Phipson and Smyth, "Permutation P-values Should Never Be Zero" (2010).
    """
    _check_count("the number of permutations", len(null))
    ties = 1e-6 * abs(statistic)
    return (1 + int((null >= statistic - ties).sum())) / (1 + len(null))


def half_sample_interval(
    f: Statistic,
    X: Float[Tensor, "n_samples d1"],
    Y: Float[Tensor, "n_samples d2"],
    *,
    n: int = 200,
    level: float = 0.95,
    generator: Generator | None = None,
) -> tuple[float, float]:
    """How far f(X, Y) would go up and down with other samples: quantiles over random halves.

    f is computed from n random halves of the samples, and the interval leaves out (1 - level) / 2
    of the values on each side. A half drawn without replacement is as far from the whole as the
    whole is from the truth, in standard deviations. The usual bootstrap, which draws with
    replacement, is WRONG here: a row that is drawn twice is a pair of samples alike in both X and
    Y, and lifts CKA, the unbiased one too, so far that the interval can miss the value itself.
    Use linear_cka(..., unbiased=True): the biased one is larger for fewer samples.

    Args:
        f: the statistic, (X, Y) -> number; its mean should not depend on the number of samples.
        n: number of halves, at least 1.
        level: between 0 and 1.
        generator: source of randomness; None uses torch's global one.

    Degenerate case: with an odd number of samples the half is rounded down.

    Raises:
        ValueError: there are fewer than 8 rows or their numbers differ, n is below 1, level is not
            between 0 and 1, or a value is not finite.

    Source: Politis and Romano, "Large Sample Confidence Regions Based on Subsamples" (1994).
    """
    _check_rows(X, Y, 8)
    _check_count("n", n)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; use a share between 0 and 1, such as 0.95.")
    halves = (torch.randperm(len(X), generator=generator)[: len(X) // 2] for _ in range(n))
    values = torch.tensor([float(f(X[half], Y[half])) for half in halves], dtype=torch.float64)
    low, high = values.quantile(values.new_tensor([(1 - level) / 2, (1 + level) / 2])).tolist()
    return low, high


def _centred(X: Tensor) -> Tensor:
    """The columns without their means, in double precision; exactly 0 where a column is constant.

    A mean is rounded, and dividing by what rounding leaves would make a constant look like noise.
    """
    X = X.double()
    return (X - X.mean(0)) * (X.amax(0) > X.amin(0))


def _gram_product(X: Tensor, Y: Tensor) -> float:
    """sum_ij K_ij L_ij with K = X X^T and L = Y Y^T, which is ||X^T Y||_F^2."""
    if len(X) < max(X.shape[1], Y.shape[1]):  # the same number from the smaller matrices
        return float(((X @ X.T) * (Y @ Y.T)).sum())
    return float((X.T @ Y).square().sum())


def _hsic_unbiased(X: Tensor, Y: Tensor) -> float:
    """HSIC_1 of Song et al. (2012): its mean over samples is 0 for independent X and Y.

    Of the Gram matrices, of which the diagonals do not count, only sums are needed.
    """
    n = len(X)
    diagonal_k, diagonal_l = X.square().sum(1), Y.square().sum(1)
    rows_k, rows_l = X @ X.sum(0) - diagonal_k, Y @ Y.sum(0) - diagonal_l
    whole, diagonal = _gram_product(X, Y), float(diagonal_k @ diagonal_l)
    between = float(rows_k.sum() * rows_l.sum() / (n - 1) - 2 * rows_k @ rows_l) / (n - 2)
    total = whole - diagonal + between
    # What cancels but for rounding is 0: a unit that only one sample activates, for instance.
    return total / (n * (n - 3)) if abs(total) > 1e-12 * (whole + diagonal) else 0.0


def _check_rows(X: Tensor, Y: Tensor, least: int) -> None:
    if len(X) != len(Y) or len(X) < least:
        raise ValueError(
            f"X has {len(X)} rows and Y has {len(Y)}; use the same samples for both, at least "
            f"{least} of them, one a row."
        )
    if not bool(X.isfinite().all() and Y.isfinite().all()):
        raise ValueError("a value of X or Y is not finite; leave out or replace what is NaN.")


def _check_count(name: str, count: int) -> None:
    if count < 1:
        raise ValueError(f"{name} is {count}; use at least 1.")
