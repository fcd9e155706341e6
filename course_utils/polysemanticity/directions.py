"""Directions as differences of means, how they compare, and how sure one can be of that.

`first` and `second` have one row a text, (..., n_texts, n_units), with layers in front if there
are several: see `differences`. Their texts must not be the same.

A mean of few texts is the true mean plus noise. Noise of two sets of texts has no direction in
common, so it makes the cosine of two means too small: for means whose noise is as long as
themselves it is half. `unbiased_cosine` takes that out. It needs products of different texts
only, and so does its bootstrap: a text that is drawn twice is not two texts.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

First = Float[Tensor, "*layers n_first n_units"]
Second = Float[Tensor, "*layers n_second n_units"]
TINY = 1e-30


def direction(
    at_sign: Float[Tensor, "n_sign n_units"], elsewhere: Float[Tensor, "n_other n_units"]
) -> Float[Tensor, " n_units"]:
    """The difference of two means, with the length 1.

        d = mean(at_sign) - mean(elsewhere),   d / ||d||

    Degenerate case: zeros if the two means are the same.
    """
    return F.normalize(at_sign.mean(0) - elsewhere.mean(0), dim=0)


def cosine(first: First, second: Second) -> Float[Tensor, "*layers"]:
    """Of the two mean rows, from -1 to 1; noise makes it smaller than it is. 0 for a mean of 0."""
    return F.cosine_similarity(first.mean(-2), second.mean(-2), dim=-1)


def unbiased_cosine(first: First, second: Second) -> Float[Tensor, "*layers"]:
    """The cosine of the true means, as far as one can tell: noise does not make it smaller.

        mean_ij a_i . b_j / sqrt(|mean_{i != j} a_i . a_j| |mean_{i != j} b_i . b_j|)

    The pairs i = j are left out, as only there is a text's noise multiplied by itself. It is an
    estimate, and cut to -1 and 1. Degenerate case: 0 where a squared length comes out as 0 or
    less, that is, where there is nothing but noise.

    Raises:
        ValueError: there are fewer than 2 texts in one of them.

    Source: Spearman, "The Proof and Measurement of Association between Two Things" (1904),
    correction for attenuation.
    """
    _check(first, second)
    ones = first.new_ones(1, first.shape[-2]), first.new_ones(1, second.shape[-2])
    return _weighted(_products(first, second), *ones)[..., 0]


def reliability(rows: Float[Tensor, "*layers n_texts n_units"]) -> Float[Tensor, "*layers"]:
    """How much of a mean's squared length is no noise, from 0 to 1.

    It is about the cosine that it would have with the mean of as many other texts.
    """
    _check(rows, rows)
    G = (rows @ rows.mT).double()
    own = _off_diagonal(G, G.new_ones(1, G.shape[-1]))[..., 0]
    return (own / rows.double().mean(-2).square().sum(-1).clamp_min(TINY)).clamp(0, 1).float()


def bootstrap(
    statistic: Callable[[Tensor, Tensor], Tensor | float],
    first: Float[Tensor, "n_first n_units"],
    second: Float[Tensor, "n_second n_units"],
    n: int,
    generator: Generator | None = None,
) -> Float[Tensor, " {n}"]:
    """What a statistic would be for other texts: its values for texts drawn again from these.

    Each time as many rows as there are, with replacement, of both independently.

    Raises:
        ValueError: n is below 1.
    """
    _check(first, second, n)

    def drawn(rows: Tensor) -> Tensor:
        return rows[torch.randint(len(rows), (len(rows),), generator=generator)]

    values = [float(statistic(drawn(first), drawn(second))) for _ in range(n)]
    return torch.tensor(values, dtype=first.dtype)


def bootstrap_cosines(
    first: First, second: Second, *, n: int = 1000, generator: Generator | None = None
) -> Float[Tensor, "*layers {n}"]:
    """`unbiased_cosine` of n sets of as many texts, drawn again with replacement from these.

    The same texts are drawn for all layers.

    Raises:
        ValueError: n is below 1, or there are fewer than 2 texts in one of them.
    """
    _check(first, second, n)
    draws = [_drawn(x.shape[-2], n, generator) for x in (first, second)]
    return _weighted(_products(first, second), *draws)


def bootstrap_interval(
    first: First,
    second: Second,
    *,
    n: int = 1000,
    level: float = 0.95,
    generator: Generator | None = None,
) -> tuple[Float[Tensor, "*layers"], Float[Tensor, "*layers"]]:
    """How far `unbiased_cosine` would go down and up with other texts: quantiles of the bootstrap.

    Args:
        level: between 0 and 1; (1 - level) / 2 of the draws are left out on each side.

    Raises:
        ValueError: level is not between 0 and 1, or as for `bootstrap_cosines`.

    Source: Efron, "Bootstrap Methods: Another Look at the Jackknife" (1979), percentile interval.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; use a share between 0 and 1, such as 0.95.")
    return interval(bootstrap_cosines(first, second, n=n, generator=generator), level)


def interval(
    values: Float[Tensor, "*layers n"], level: float = 0.95
) -> tuple[Float[Tensor, "*layers"], Float[Tensor, "*layers"]]:
    """The middle share of the values, along the last dimension."""
    low, high = values.quantile(values.new_tensor([(1 - level) / 2, (1 + level) / 2]), dim=-1)
    return low, high


def shuffled_classes(
    first: First, second: Second, *, n: int = 200, generator: Generator | None = None
) -> Float[Tensor, "*layers {n}"]:
    """`unbiased_cosine` when the texts of both are put in one heap and dealt out anew.

    The null "one meaning": then nothing but chance tells the two apart, and the cosine is
    about 1. What lies below is two things, not one.

    Raises:
        ValueError: as for `bootstrap_cosines`.
    """
    _check(first, second, n)
    k, rows = first.shape[-2], torch.cat([first, second], -2)
    order = torch.rand(n, rows.shape[-2], generator=generator).argsort(1)
    one = torch.zeros(n, rows.shape[-2]).scatter_(1, order[:, :k], 1.0)
    return _weighted((rows @ rows.mT).double(), one, 1 - one)


def _products(first: Tensor, second: Tensor) -> Tensor:
    """The products of all rows with all, of both: (..., n, n)."""
    rows = torch.cat([first, second], -2)
    return (rows @ rows.mT).double()


def _weighted(G: Tensor, w_first: Tensor, w_second: Tensor) -> Tensor:
    """The cosine for each row of weights; of all texts of G, or of those of each class."""
    n = G.shape[-1]
    w = [F.pad(w_first, (0, n - w_first.shape[1])), F.pad(w_second, (n - w_second.shape[1], 0))]
    a, b = (x.to(G.dtype) for x in w)
    between = (a @ G * b).sum(-1) / (a.sum(-1) * b.sum(-1))
    own = [_off_diagonal(G, x) for x in (a, b)]
    real = (own[0] > TINY) & (own[1] > TINY)
    lengths = (own[0] * own[1]).abs().sqrt().clamp_min(TINY)
    return torch.where(real, between / lengths, 0.0).clamp(-1, 1).float()


def _off_diagonal(G: Tensor, w: Tensor) -> Tensor:
    """The mean product of two different texts, which is the squared length without noise."""
    squares = w.square()
    all_pairs = (w @ G * w).sum(-1) - (squares * G.diagonal(dim1=-2, dim2=-1)[..., None, :]).sum(-1)
    return all_pairs / (w.sum(-1).square() - squares.sum(-1)).clamp_min(TINY)


def _drawn(k: int, n: int, generator: Generator | None) -> Tensor:
    """How often each of k texts is drawn, n times; never one text alone."""
    picks = torch.randint(k, (n, k), generator=generator)
    counts = torch.zeros(n, k).scatter_add_(1, picks, torch.ones(n, k))
    counts[(counts > 0).sum(1) == 1] = 1.0
    return counts


def _check(first: Tensor, second: Tensor, n: int = 1) -> None:
    if min(first.shape[-2], second.shape[-2]) < 2:
        raise ValueError(
            f"there are {first.shape[-2]} and {second.shape[-2]} texts; use at least 2 of each."
        )
    if n < 1:
        raise ValueError(f"n is {n}; use at least 1.")
