"""Neurons that fire for two features, and neurons that tell them apart, each beside its null.

`first` and `second` have one row a text and one column a neuron. A neuron's strength is its mean
over the texts in units of the error of that mean, t = mean / (std / sqrt(n)). Of 1,536 neurons the
best one is strong by chance, so the bar is what the *best* neuron reaches when labels are shuffled.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

First = Float[Tensor, "n_first n_neurons"]
Second = Float[Tensor, "n_second n_neurons"]


@dataclass(frozen=True)
class SharedNeurons:
    """What `shared_neurons` finds. Neurons are listed the strongest first."""

    both: Int[Tensor, " n_both"]  # fire for the first and for the second
    apart: Int[Tensor, " n_apart"]  # fire more for one of the two
    n_first: int  # fire for the first, whatever they do for the second
    n_second: int
    expected: float  # how many both would be, if the two picked their neurons independently
    most_by_chance: int  # 95 in 100 such picks have at most as many
    bar_first: float  # the strength above which a neuron counts
    bar_second: float
    bar_apart: float

    @property
    def n_both(self) -> int:
        return len(self.both)

    @property
    def n_apart(self) -> int:
        return len(self.apart)


def strength(rows: Float[Tensor, "n_texts n_neurons"]) -> Float[Tensor, " n_neurons"]:
    """t = mean / (std / sqrt(n)) of every neuron. 0 for one that is always the same.

    Raises:
        ValueError: there are fewer than 2 texts.
    """
    _check(rows)
    error = rows.std(0) / len(rows) ** 0.5
    return torch.where(error > 0, rows.mean(0) / error.clamp_min(1e-30), 0.0)


def neurons_for_both(first: First, second: Second, k: int) -> Int[Tensor, " {k}"]:
    """The k neurons that fire most clearly for both: the largest min(t_first, t_second), in order.

    The smaller of the two strengths decides: a neuron that fires for one of them only has a small
    one.

    Raises:
        ValueError: k is below 1 or more than there are neurons, or there are fewer than 2 texts.
    """
    if not 1 <= k <= first.shape[1]:
        raise ValueError(f"k is {k}; use 1 to {first.shape[1]}.")
    return torch.minimum(strength(first), strength(second)).topk(k).indices


def contrast(first: First, second: Second) -> Float[Tensor, " n_neurons"]:
    """Welch's t of every neuron: how clearly it is higher for the first. 0 if it never varies.

    Raises:
        ValueError: there are fewer than 2 texts in one of them.

    Source: Welch, "The Generalization of Student's Problem" (1947).
    """
    _check(first, second)
    error = (first.var(0) / len(first) + second.var(0) / len(second)).sqrt()
    return torch.where(error > 0, (first.mean(0) - second.mean(0)) / error.clamp_min(1e-30), 0.0)


def bar_for_firing(
    rows: Float[Tensor, "n_texts n_neurons"],
    *,
    n: int = 200,
    level: float = 0.95,
    generator: Generator | None = None,
) -> float:
    """The strength that the best neuron reaches by chance in 1 - level of the shuffles.

    In each shuffle every text has "at the sign" and "elsewhere" swapped with probability 1/2: its
    row changes its sign.

    Raises:
        ValueError: n is below 1, or there are fewer than 2 texts.
    """
    _check(rows, n=n)
    signs = torch.rand(n, len(rows), generator=generator).lt(0.5).to(rows.dtype) * 2 - 1
    means, square = signs @ rows / len(rows), rows.square().mean(0)
    errors = ((square - means.square()).clamp_min(0) / max(len(rows) - 1, 1)).sqrt()
    t = torch.where(errors > 1e-9, means.abs() / errors.clamp_min(1e-9), 0.0)
    return float(t.amax(1).quantile(level))


def bar_for_contrast(
    first: First,
    second: Second,
    *,
    n: int = 200,
    level: float = 0.95,
    generator: Generator | None = None,
) -> float:
    """The contrast that the best neuron reaches when the texts are dealt out to the two anew.

    Raises:
        ValueError: n is below 1, or there are fewer than 2 texts in one of them.
    """
    _check(first, second, n=n)
    rows, k = torch.cat([first, second]), len(first)
    rows = rows - rows.mean(0)
    order = torch.rand(n, len(rows), generator=generator).argsort(1)
    means, errors = [], []
    for places in (order[:, :k], order[:, k:]):
        m = places.shape[1]
        dealt = rows.new_zeros(n, len(rows)).scatter_(1, places, 1 / m)
        means.append(dealt @ rows)
        errors.append((dealt @ rows.square() - means[-1].square()).clamp_min(0) / (m - 1))
    error = (errors[0] + errors[1]).sqrt()
    t = torch.where(error > 1e-9, (means[0] - means[1]).abs() / error.clamp_min(1e-9), 0.0)
    return float(t.amax(1).quantile(level))


def shared_neurons(
    first: First, second: Second, *, n: int = 200, generator: Generator | None = None
) -> SharedNeurons:
    """Which neurons fire for both, and which tell the two apart, beyond what chance gives.

    Firing: a strength above the bar, so a neuron that falls silent does not count. Telling apart: a
    contrast above its bar, of either sign; such a neuron may fire for both as well. `expected` is
    n_first * n_second / n_neurons, and `most_by_chance` its 95 % limit (hypergeometric).

    Raises:
        ValueError: n is below 1, or there are fewer than 2 texts in one of them.
    """
    bars = [bar_for_firing(x, n=n, generator=generator) for x in (first, second)]
    bar = bar_for_contrast(first, second, n=n, generator=generator)
    a, b = strength(first), strength(second)
    t = contrast(first, second).abs()
    both = (a > bars[0]) & (b > bars[1])
    counts = int((a > bars[0]).sum()), int((b > bars[1]).sum())
    return SharedNeurons(
        both=_best(torch.minimum(a, b), both),
        apart=_best(t, t > bar),
        n_first=counts[0],
        n_second=counts[1],
        expected=counts[0] * counts[1] / len(a),
        most_by_chance=chance_limit(len(a), *counts),
        bar_first=bars[0],
        bar_second=bars[1],
        bar_apart=bar,
    )


def chance_limit(n_neurons: int, n_first: int, n_second: int, level: float = 0.95) -> int:
    """The number in common that two independent picks have at most, in `level` of the cases."""
    from scipy.stats import hypergeom  # takes long to import, and is seldom needed

    return int(hypergeom.ppf(level, n_neurons, n_first, n_second))


def _best(scores: Tensor, chosen: Tensor) -> Tensor:
    places = chosen.nonzero().flatten()
    return places[scores[places].argsort(descending=True)]


def _check(*rows: Tensor, n: int = 1) -> None:
    if min(len(x) for x in rows) < 2:
        raise ValueError("there are fewer than 2 texts; use at least 2 of each.")
    if n < 1:
        raise ValueError(f"n is {n}; use at least 1.")
