"""The pair lab: two lists of snippets in, one report on what they have in common inside a model.

Each feature's direction is the mean of its snippets minus that of ordinary sentences. Every other
one of those serves the first, the rest the second: with the same sentences for both, their noise
would make any two directions alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from course_utils.polysemanticity.directions import bootstrap_cosines, interval, unbiased_cosine
from course_utils.polysemanticity.shared import contrast
from course_utils.polysemanticity.verdict import Evidence, verdict

JUDGED_FROM = 8  # before this layer, directions are mostly about which tokens there are
STRONGEST = 0.05  # of the neurons: those that react most to a feature
N_NULL = 200

Rows = Float[Tensor, "layers _ _"]


@dataclass(frozen=True)
class Lists:
    """One row a snippet, in some layers: of the first list, the second, and ordinary sentences."""

    first: Rows
    second: Rows
    ordinary: Rows


@dataclass(frozen=True)
class PairReport:
    """Each number beside its null. Of layers, one value for each of `layers`.

    `probe_null` is the best of the shuffles. `first_in_second` is the share of the second's
    snippets of which a probe for the first says yes, in `first_in_ordinary` of ordinary sentences
    and in `first_in_first` of its own, held out each time.
    """

    n_first: int
    n_second: int
    layers: tuple[int, ...]
    cosine: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    null_low: tuple[float, ...]
    null_high: tuple[float, ...]
    judged: tuple[int, ...]  # the layers that the verdict is about; the means are over them
    mean_cosine: float
    mean_interval: tuple[float, float]
    mean_null: tuple[float, float]
    probe: tuple[float, ...]
    mean_probe: float
    probe_null: float
    neuron_layer: int
    n_neurons: int
    n_strongest: int
    n_shared: int
    shared_by_chance: float
    shared_null: int
    first_in_second: float
    second_in_first: float
    first_in_first: float
    second_in_second: float
    first_in_ordinary: float
    second_in_ordinary: float
    verdict: str
    reason: str


def pair_report(
    residual: Lists,
    neurons: Lists,
    layers: Sequence[int],
    *,
    probe: Callable[..., Any],
    says_yes: Callable[..., float],
    judged_from: int = JUDGED_FROM,
    generator: Generator | None = None,
) -> PairReport:
    """Compare two features.

    Args:
        residual, neurons: the residual stream, and the neurons' activations, in these layers.
        probe: probe(features, labels) -> something with `accuracy` and `null`; as
            `language.sparse_probe`.
        says_yes: says_yes(features, labels, asked) -> a share; as `language.says_yes`.
        judged_from: the first layer that counts for the verdict.

    Raises:
        ValueError: there are fewer than 4 snippets in a list, or than 8 ordinary sentences, or no
            layer is judged.
    """
    n_first, n_second = residual.first.shape[1], residual.second.shape[1]
    if min(n_first, n_second) < 4 or residual.ordinary.shape[1] < 8:
        raise ValueError(f"there are {n_first} and {n_second} snippets and "
                         f"{residual.ordinary.shape[1]} ordinary sentences; use at least 4, 4 and "
                         "8.")  # fmt: skip
    judged = [k for k, layer in enumerate(layers) if layer >= judged_from]
    if not judged:
        raise ValueError(f"layers are {list(layers)}; use one from {judged_from} on.")
    a = residual.first - residual.ordinary[:, ::2].mean(1, keepdim=True)
    b = residual.second - residual.ordinary[:, 1::2].mean(1, keepdim=True)
    cosine = unbiased_cosine(a, b)
    boot = bootstrap_cosines(a, b, generator=generator)
    random = _random_lists(residual.ordinary.shape[1], n_first, n_second, generator)
    null = F.cosine_similarity(
        (random[0] - random[2]) @ residual.ordinary,
        (random[1] - random[3]) @ residual.ordinary,
        dim=-1,
    )
    low_high, null_low_high = interval(boot), interval(null)
    mean_interval, mean_null = (_pair(interval(x[judged].mean(0))) for x in (boot, null))

    both = torch.cat([neurons.first, neurons.second], 1)
    is_first = torch.arange(both.shape[1]) < n_first
    probes = [probe(both[k], is_first) for k in range(len(layers))]
    shuffled = zip(*(probes[k].null for k in judged))
    mean_probe = _mean(probes[k].accuracy for k in judged)
    probe_null = max((_mean(values) for values in shuffled), default=0.5)

    middle = judged[len(judged) // 3]
    at = Lists(*(x[middle : middle + 1] for x in (neurons.first, neurons.second, neurons.ordinary)))
    strongest = max(1, round(STRONGEST * both.shape[2]))
    shared, limit = _shared(at, strongest, random)
    together = _together(at, says_yes, generator)
    word, reason = verdict(
        Evidence(
            n_first, n_second, mean_probe, probe_null,
            max(together["first_in_second"] / max(together["first_in_first"], 1e-9),
                together["second_in_first"] / max(together["second_in_second"], 1e-9)),
            float(cosine[judged].mean()), *mean_interval, *mean_null, shared, limit,
        )
    )  # fmt: skip
    return PairReport(
        n_first=n_first,
        n_second=n_second,
        layers=tuple(layers),
        cosine=_tuple(cosine),
        low=_tuple(low_high[0]),
        high=_tuple(low_high[1]),
        null_low=_tuple(null_low_high[0]),
        null_high=_tuple(null_low_high[1]),
        judged=tuple(layers[k] for k in judged),
        mean_cosine=float(cosine[judged].mean()),
        mean_interval=mean_interval,
        mean_null=mean_null,
        probe=tuple(float(p.accuracy) for p in probes),
        mean_probe=mean_probe,
        probe_null=probe_null,
        neuron_layer=layers[middle],
        n_neurons=both.shape[2],
        n_strongest=strongest,
        n_shared=shared,
        shared_by_chance=strongest**2 / both.shape[2],
        shared_null=limit,
        verdict=word,
        reason=reason,
        **together,
    )


def _random_lists(
    n: int, n_first: int, n_second: int, generator: Generator | None
) -> list[Float[Tensor, "draws n"]]:
    """Two lists out of n ordinary sentences, put together at random, and what each is compared to.

    Four matrices of weights, of which each row adds up to 1: first, second, and the others of both.
    """
    sizes = [min(k, n // 4) for k in (n_first, n_second)]
    rest = n - sum(sizes)
    sizes += [rest // 2, rest - rest // 2]
    order = torch.rand(N_NULL, n, generator=generator).argsort(1)
    return [
        torch.zeros(N_NULL, n).scatter_(1, places, 1 / places.shape[1])
        for places in order.split(sizes, 1)
    ]


def _shared(at: Lists, strongest: int, random: list[Tensor]) -> tuple[int, int]:
    """How many of the strongest neurons are the same, and at most how many for random lists."""
    first = contrast(at.first[0], at.ordinary[0, ::2])
    second = contrast(at.second[0], at.ordinary[0, 1::2])
    means = [w @ at.ordinary[0] for w in random]
    variances = [w @ at.ordinary[0].square() - m.square() for w, m in zip(random, means)]
    errors = [v.clamp_min(1e-12) * w.square().sum(1, keepdim=True)
              for v, w in zip(variances, random)]  # fmt: skip
    null = [(means[k] - means[k + 2]) / (errors[k] + errors[k + 2]).sqrt() for k in (0, 1)]

    def same(a: Tensor, b: Tensor) -> Tensor:
        chosen = [torch.zeros_like(t).scatter_(-1, t.topk(strongest).indices, 1) for t in (a, b)]
        return (chosen[0] * chosen[1]).sum(-1)

    return int(same(first, second)), int(same(*null).quantile(0.95).ceil())


def _together(
    at: Lists, says_yes: Callable[..., float], generator: Generator | None
) -> dict[str, float]:
    """Which snippets a probe for one feature says yes to. Against it stand, in equal numbers, the
    other's snippets and ordinary sentences: it shall learn what this one has and the other not."""
    shares = {}
    for name, own, other_name, other in (
        ("first", at.first[0], "second", at.second[0]),
        ("second", at.second[0], "first", at.first[0]),
    ):
        some = torch.randperm(at.ordinary.shape[1], generator=generator)[: len(other)]
        parts = {name: own, other_name: other, "ordinary": at.ordinary[0, some]}
        kind = torch.cat([torch.full((len(x),), k) for k, x in enumerate(parts.values())])
        rows = torch.cat(list(parts.values()))
        for k, asked in enumerate(parts):
            shares[f"{name}_in_{asked}"] = float(says_yes(rows, kind == 0, kind == k))
    return shares


def _mean(values: Any) -> float:
    listed = list(values)
    return float(sum(listed) / len(listed))


def _tuple(values: Tensor) -> tuple[float, ...]:
    return tuple(values.tolist())


def _pair(values: tuple[Tensor, Tensor]) -> tuple[float, float]:
    return float(values[0]), float(values[1])
