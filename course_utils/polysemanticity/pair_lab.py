"""The pair lab: two lists of snippets in, one report on what they have in common inside a model.

Each feature's direction is the mean of its snippets minus that of a pool of other texts. Every
other one of those serves the first, the rest the second: with the same texts for both, their noise
would make any two directions alike.

There are two pools, ordinary sentences and texts of many kinds. Seen from ordinary sentences, any
two things that are unlike them lie in one direction, and seen from many kinds, any two English
ones. What two features share beyond that shows from both.
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
from course_utils.polysemanticity.verdict import Evidence, View, verdict

JUDGED_FROM = 8  # before this layer, directions are mostly about which tokens there are
STRONGEST = 0.05  # of the neurons: those that react most to a feature
N_NULL = 200

Rows = Float[Tensor, "layers _ _"]


@dataclass(frozen=True)
class Lists:
    """One row a snippet, in some layers: of the first list, the second, ordinary sentences, and
    as many texts of each of many kinds."""

    first: Rows
    second: Rows
    ordinary: Rows
    kinds: Float[Tensor, "layers n_kinds n_each _"]


@dataclass(frozen=True)
class PairReport:
    """Each number beside its null. Of layers, one value for each of `layers`, seen from ordinary
    sentences.

    `probe_null` is the best of the shuffles. `first_in_second` is the share of the second's
    snippets of which a probe for the first says yes that has learned on the first's snippets and
    ordinary sentences; `first_in_ordinary` and `first_in_first` are of those, held out.
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
    from_ordinary: View
    from_kinds: View
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
    says_yes: Callable[..., Any],
    judged_from: int = JUDGED_FROM,
    generator: Generator | None = None,
) -> PairReport:
    """Compare two features.

    Args:
        residual, neurons: the residual stream, and the neurons' activations, in these layers.
        probe: probe(features, labels) -> something with `accuracy` and `null`; as
            `language.sparse_probe`.
        says_yes: says_yes(features, labels, others) -> three shares; as `language.says_yes`.
        judged_from: the first layer that counts for the verdict.

    Raises:
        ValueError: there are fewer than 4 snippets in a list, than 8 ordinary sentences or than 4
            texts of each kind, or no layer is judged.
    """
    n_first, n_second = residual.first.shape[1], residual.second.shape[1]
    n_ordinary, n_each = residual.ordinary.shape[1], residual.kinds.shape[2]
    if min(n_first, n_second, n_each) < 4 or n_ordinary < 8:
        raise ValueError(f"there are {n_first} and {n_second} snippets, {n_ordinary} ordinary "
                         f"sentences and {n_each} texts of each kind; use at least 4, 4, 8 and "
                         "4.")  # fmt: skip
    judged = [k for k, layer in enumerate(layers) if layer >= judged_from]
    if not judged:
        raise ValueError(f"layers are {list(layers)}; use one from {judged_from} on.")
    random = _random_lists(n_ordinary, n_first, n_second, generator)
    cosine, boot, null = _seen_from(residual.ordinary, residual, random, generator)
    other = _random_of_each(residual.kinds.shape[1], n_each, generator)
    kinds = residual.kinds.transpose(1, 2).flatten(1, 2)  # one text of each kind, then the next
    from_kinds = _view(judged, *_seen_from(kinds, residual, other, generator))
    from_ordinary = _view(judged, cosine, boot, null)
    low_high, null_low_high = interval(boot), interval(null)

    both = torch.cat([neurons.first, neurons.second], 1)
    is_first = torch.arange(both.shape[1]) < n_first
    probes = [probe(both[k], is_first) for k in range(len(layers))]
    shuffled = zip(*(probes[k].null for k in judged))
    mean_probe = _mean(probes[k].accuracy for k in judged)
    probe_null = max((_mean(values) for values in shuffled), default=0.5)

    middle = judged[len(judged) // 3]
    at = {name: getattr(neurons, name)[middle] for name in ("first", "second", "ordinary")}
    strongest = max(1, round(STRONGEST * both.shape[2]))
    shared, limit = _shared(at, strongest, random)
    overlap = _overlap(at, says_yes)
    word, reason = verdict(
        Evidence(
            n_first, n_second, mean_probe, probe_null,
            max(overlap["first_in_second"] / max(overlap["first_in_first"], 1e-9),
                overlap["second_in_first"] / max(overlap["second_in_second"], 1e-9)),
            from_ordinary, from_kinds, shared, limit,
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
        from_ordinary=from_ordinary,
        from_kinds=from_kinds,
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
        **overlap,
    )


def _seen_from(
    pool: Rows, lists: Lists, random: list[Tensor], generator: Generator | None
) -> tuple[Tensor, Tensor, Tensor]:
    """In each layer, the cosine, its bootstrap, and that of random lists out of the pool."""
    a = lists.first - pool[:, ::2].mean(1, keepdim=True)
    b = lists.second - pool[:, 1::2].mean(1, keepdim=True)
    null = F.cosine_similarity(
        (random[0] - random[2]) @ pool, (random[1] - random[3]) @ pool, dim=-1
    )
    return unbiased_cosine(a, b), bootstrap_cosines(a, b, generator=generator), null


def _view(judged: list[int], cosine: Tensor, boot: Tensor, null: Tensor) -> View:
    """The means over the layers that are judged."""
    low, high = interval(boot[judged].mean(0))
    null_low, null_high = interval(null[judged].mean(0))
    return View(*map(float, (cosine[judged].mean(), low, high, null_low, null_high)))


def _random_lists(
    n: int, n_first: int, n_second: int, generator: Generator | None
) -> list[Float[Tensor, "draws n"]]:
    """Two lists out of n texts, put together at random, and what each is compared to.

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


def _random_of_each(
    n_kinds: int, n_each: int, generator: Generator | None
) -> list[Float[Tensor, "draws n"]]:
    """The same, with one text of each kind in a list, so that no list is more of a kind."""
    order = torch.rand(N_NULL, n_each, n_kinds, generator=generator).argsort(1)
    half = 2 + (n_each - 2) // 2
    return [
        torch.zeros(N_NULL, n_each, n_kinds).scatter_(1, some, 1 / some[0].numel()).flatten(1)
        for some in (order[:, :1], order[:, 1:2], order[:, 2:half], order[:, half:])
    ]


def _shared(at: dict[str, Tensor], strongest: int, random: list[Tensor]) -> tuple[int, int]:
    """How many of the strongest neurons are the same, and at most how many for random lists."""
    pool = at["ordinary"]
    first, second = contrast(at["first"], pool[::2]), contrast(at["second"], pool[1::2])
    means = [w @ pool for w in random]
    variances = [w @ pool.square() - m.square() for w, m in zip(random, means)]
    errors = [v.clamp_min(1e-12) * w.square().sum(1, keepdim=True)
              for v, w in zip(variances, random)]  # fmt: skip
    null = [(means[k] - means[k + 2]) / (errors[k] + errors[k + 2]).sqrt() for k in (0, 1)]

    def same(a: Tensor, b: Tensor) -> Tensor:
        chosen = [torch.zeros_like(t).scatter_(-1, t.topk(strongest).indices, 1) for t in (a, b)]
        return (chosen[0] * chosen[1]).sum(-1)

    return int(same(first, second)), int(same(*null).quantile(0.95).ceil())


def _overlap(at: dict[str, Tensor], says_yes: Callable[..., Any]) -> dict[str, float]:
    """Which snippets a probe for one feature says yes to. It has never seen the other's: with them
    among those it shall say no to, it would say no."""
    shares = {}
    for name, other in (("first", "second"), ("second", "first")):
        own = at[name]
        ordinary = at["ordinary"][:: max(1, len(at["ordinary"]) // len(own))]
        rows = torch.cat([own, ordinary])
        answers = says_yes(rows, torch.arange(len(rows)) < len(own), at[other])
        for asked, share in zip((name, "ordinary", other), answers, strict=True):
            shares[f"{name}_in_{asked}"] = float(share)
    return shares


def _mean(values: Any) -> float:
    listed = list(values)
    return float(sum(listed) / len(listed))


def _tuple(values: Tensor) -> tuple[float, ...]:
    return tuple(values.tolist())
