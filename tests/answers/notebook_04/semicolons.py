"""What learners write for exercises 4.8 to 4.10: right answers of different kinds, and wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import torch
from answers.tables import Tables
from torch.nn import functional as F

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []

# 4.8 A direction -------------------------------------------------------------------------


@right("4.8")
def by_normalize(at_sign, elsewhere):
    return F.normalize(at_sign.mean(0) - elsewhere.mean(0), dim=0)


@right("4.8")
def with_loops_in_float64(at_sign, elsewhere):
    d = torch.zeros(at_sign.shape[1], dtype=torch.float64)
    for row in at_sign:
        d += row / len(at_sign)
    for row in elsewhere:
        d -= row / len(elsewhere)
    return d / (d * d).sum().sqrt()


@right("4.8")
class DirectionByNumpy:
    def __call__(self, at_sign, elsewhere):
        d = at_sign.numpy().mean(axis=0) - elsewhere.numpy().mean(axis=0)
        return torch.from_numpy(d / np.linalg.norm(d))


@right("4.8")
def by_einsum(at_sign, elsewhere):
    d = torch.einsum("ij->j", at_sign) / len(at_sign) - elsewhere.sum(0) / elsewhere.shape[0]
    return d / torch.linalg.vector_norm(d)


WRONG["4.8"] = [
    ("not-unit", lambda a, b: a.mean(0) - b.mean(0)),
    ("reversed", lambda a, b: F.normalize(b.mean(0) - a.mean(0), dim=0)),
    ("reversed", lambda a, b: b.mean(0) - a.mean(0)),
    ("sums", lambda a, b: F.normalize(a.sum(0) - b.sum(0), dim=0)),
    ("sums", lambda a, b: a.sum(0) - b.sum(0)),
    ("normalises-each", lambda a, b: F.normalize(a.mean(0), dim=0) - F.normalize(b.mean(0), dim=0)),
    (
        "normalises-each",
        lambda a, b: F.normalize(
            F.normalize(a.mean(0), dim=0) - F.normalize(b.mean(0), dim=0), dim=0
        ),
    ),
    ("forgets-elsewhere", lambda a, b: F.normalize(a.mean(0), dim=0)),
    ("forgets-elsewhere", lambda a, b: a.mean(0)),
    (
        "squared-length",
        lambda a, b: (a.mean(0) - b.mean(0)) / (a.mean(0) - b.mean(0)).square().sum(),
    ),
    ("largest-entry", lambda a, b: (a.mean(0) - b.mean(0)) / (a.mean(0) - b.mean(0)).abs().max()),
    ("largest-entry", lambda a, b: F.normalize(a.mean(0) - b.mean(0), p=1, dim=0)),
    ("all-tokens", lambda a, b: a.mean(0) - torch.cat([a, b]).mean(0)),
    ("wrong-shape", lambda a, b: a.mean(1)),
    ("wrong-shape", lambda a, b: (a.mean(0) - b.mean(0)).norm()),
    ("raises", lambda a, b: (a - b).mean(0)),
    ("wrong-type", lambda a, b: (a.mean(0) - b.mean(0)).tolist()),
    (None, lambda a, b: F.normalize(a.median(0).values - b.median(0).values, dim=0)),
    (None, lambda a, b: F.normalize(a[0] - b[0], dim=0)),
]

# 4.9 With other snippets -----------------------------------------------------------------


@right("4.9")
def in_one_line_each(statistic, first, second, n, generator):
    def drawn(rows):
        return rows[torch.randint(len(rows), (len(rows),), generator=generator)]

    return torch.stack([torch.as_tensor(statistic(drawn(first), drawn(second))) for _ in range(n)])


@right("4.9")
def all_places_first(statistic, first, second, n, generator):
    a = torch.randint(0, first.shape[0], (n, first.shape[0]), generator=generator)
    b = torch.randint(0, second.shape[0], (n, second.shape[0]), generator=generator)
    values = torch.empty(n, dtype=torch.float64)
    for i in range(n):
        values[i] = statistic(first[a[i]], second[b[i]])
    return values


@right("4.9")
class ByRandomNumbers:
    def __call__(self, statistic, first, second, n, generator):
        out = []
        while len(out) < n:
            pair = []
            for rows in (first, second):
                places = (torch.rand(len(rows), generator=generator) * len(rows)).long()
                pair.append(torch.index_select(rows, 0, places))
            out.append(float(statistic(*pair)))
        return torch.tensor(out)


@right("4.9")
def by_multinomial(statistic, first, second, n, generator):
    def drawn(rows):
        weights = torch.ones(len(rows))
        return rows[torch.multinomial(weights, len(rows), replacement=True, generator=generator)]

    return torch.tensor([float(statistic(drawn(first), drawn(second))) for _ in range(n)])


def draws(draw_first, draw_second):
    """A bootstrap with another way to draw: each is draw(rows, generator)."""

    def bootstrap(statistic, first, second, n, generator):
        values = [
            float(statistic(draw_first(first, generator), draw_second(second, generator)))
            for _ in range(n)
        ]
        return torch.tensor(values)

    return bootstrap


def usual(rows, generator):
    return rows[torch.randint(len(rows), (len(rows),), generator=generator)]


def whole(rows, generator):
    return rows


def permuted(rows, generator):
    return rows[torch.randperm(len(rows), generator=generator)]


def half(rows, generator):
    return rows[torch.randint(len(rows), (len(rows) // 2,), generator=generator)]


def all_but_the_last(rows, generator):
    return rows[torch.randint(0, len(rows) - 1, (len(rows),), generator=generator)]


def all_but_the_first(rows, generator):
    return rows[torch.randint(1, len(rows), (len(rows),), generator=generator)]


def all_but_two(rows, generator):
    return rows[torch.randint(1, len(rows) - 1, (len(rows),), generator=generator)]


def without_generator(rows, generator):
    return rows[torch.randint(len(rows), (len(rows),))]


def always_the_same(rows, generator):
    return rows[torch.randint(len(rows), (len(rows),), generator=torch.Generator().manual_seed(0))]


def columns(rows, generator):
    return rows[:, torch.randint(rows.shape[1], (rows.shape[1],), generator=generator)]


def numbers(rows, generator):
    flat = rows.flatten()
    return flat[torch.randint(len(flat), (len(flat),), generator=generator)].reshape(rows.shape)


def same_places(statistic, first, second, n, generator):
    values = []
    for _ in range(n):
        places = torch.randint(len(first), (len(first),), generator=generator)
        values.append(float(statistic(first[places], second[places])))
    return torch.tensor(values)


def draws_before_the_loop(statistic, first, second, n, generator):
    a, b = usual(first, generator), usual(second, generator)
    return torch.tensor([float(statistic(a, b)) for _ in range(n)])


def one_value_n_times(statistic, first, second, n, generator):
    return torch.full((n,), float(statistic(usual(first, generator), usual(second, generator))))


def cosines_of_its_own(statistic, first, second, n, generator):
    pairs = [(usual(first, generator), usual(second, generator)) for _ in range(n)]
    return torch.stack([F.cosine_similarity(a.mean(0), b.mean(0), dim=0) for a, b in pairs])


def sorted_values(statistic, first, second, n, generator):
    values = [float(statistic(usual(first, generator), usual(second, generator))) for _ in range(n)]
    return torch.tensor(sorted(values))


def minus_their_mean(statistic, first, second, n, generator):
    values = [float(statistic(usual(first, generator), usual(second, generator))) for _ in range(n)]
    return torch.tensor(values) - statistics.mean(values)


def interval_only(statistic, first, second, n, generator):
    values = [float(statistic(usual(first, generator), usual(second, generator))) for _ in range(n)]
    return torch.tensor(values).quantile(torch.tensor([0.025, 0.975]))


WRONG["4.9"] = [
    ("draws-nothing", draws(whole, whole)),
    ("without-replacement", draws(permuted, permuted)),
    ("without-replacement", draws(usual, permuted)),
    ("same-draws", same_places),
    ("one-side-only", draws(usual, whole)),
    ("one-side-only", draws(whole, usual)),
    ("another-number", draws(half, half)),
    ("draws-numbers", draws(columns, columns)),
    ("draws-numbers", draws(numbers, numbers)),
    ("draws-once", draws(always_the_same, always_the_same)),
    ("draws-once", draws_before_the_loop),
    ("draws-once", one_value_n_times),
    ("forgets-statistic", cosines_of_its_own),
    ("forgets-statistic", sorted_values),
    ("forgets-statistic", minus_their_mean),
    ("never-draws-some", draws(all_but_the_last, all_but_the_last)),
    ("never-draws-some", draws(usual, all_but_the_last)),
    ("never-draws-some", draws(all_but_the_first, usual)),
    ("never-draws-some", draws(all_but_two, all_but_two)),
    ("ignores-generator", draws(without_generator, without_generator)),
    ("ignores-generator", draws(usual, without_generator)),
    ("wrong-shape", interval_only),
]

# 4.10 Neurons for both -------------------------------------------------------------------


def t(rows):
    return rows.mean(0) / rows.std(0) * len(rows) ** 0.5


@right("4.10")
def with_loops_and_lists(first, second, k):
    scores = []
    for j in range(first.shape[1]):
        both = []
        for rows in (first, second):
            values = rows[:, j].tolist()
            both.append(
                statistics.mean(values) / (statistics.stdev(values) / len(values) ** 0.5 + 1e-12)
            )
        scores.append(min(both))
    return sorted(range(len(scores)), key=lambda j: -scores[j])[:k]


@right("4.10")
def by_sorting_in_float64(first, second, k):
    a, b = t(first.double()), t(second.double())
    return torch.where(a < b, a, b).argsort(descending=True)[:k]


@right("4.10")
class NeuronsByNumpy:
    def __call__(self, first, second, k):
        def strength(rows):
            rows = rows.numpy()
            return rows.mean(0) / (rows.std(0, ddof=1) / np.sqrt(len(rows)))

        return np.argsort(-np.minimum(strength(first), strength(second)))[:k]


@right("4.10")
def by_stacking(first, second, k):
    errors = [(rows.var(0) / rows.shape[0]).sqrt() for rows in (first, second)]
    stacked = torch.stack([first.mean(0) / errors[0], second.mean(0) / errors[1]])
    return tuple(stacked.amin(0).topk(k).indices)


@right("4.10")
def with_numpys_usual_spread(first, second, k):
    """The spread divided by n and not by n - 1, as numpy does it."""
    x = [rows.numpy() for rows in (first, second)]
    return np.argsort(-np.minimum(*(r.mean(0) / r.std(0) * len(r) ** 0.5 for r in x)))[:k].copy()


def top(score):
    return lambda a, b, k: score(a, b).topk(k).indices


def smaller(strength):
    return top(lambda a, b: torch.minimum(strength(a), strength(b)))


def as_many_as_first(first, second, k):
    n = len(first)
    scores = [rows.mean(0) / (rows.std(0) / n**0.5) for rows in (first, second)]
    return torch.minimum(*scores).topk(k).indices


WRONG["4.10"] = [
    ("either-will-do", top(lambda a, b: torch.maximum(t(a), t(b)))),
    ("either-will-do", top(lambda a, b: torch.maximum(a.mean(0), b.mean(0)))),
    ("takes-the-mean", top(lambda a, b: t(a) + t(b))),
    ("takes-the-mean", top(lambda a, b: (a.mean(0) + b.mean(0)) / 2)),
    ("takes-the-product", top(lambda a, b: t(a) * t(b))),
    ("forgets-the-spread", top(lambda a, b: torch.minimum(a.mean(0), b.mean(0)))),
    (
        "forgets-the-number",
        top(lambda a, b: torch.minimum(a.mean(0) / a.std(0), b.mean(0) / b.std(0))),
    ),
    ("forgets-the-number", smaller(lambda x: x.mean(0) / x.std(0) / len(x) ** 0.5)),
    ("forgets-the-number", smaller(lambda x: x.mean(0) / x.std(0) / len(x))),
    ("forgets-the-number", smaller(lambda x: x.mean(0) / x.std(0) * x.shape[1] ** 0.5)),
    ("forgets-the-number", as_many_as_first),
    ("divides-by-variance", smaller(lambda x: x.mean(0) / (x.var(0) / len(x) ** 0.5))),
    ("divides-by-variance", smaller(lambda x: x.mean(0) / (x.var(0) / len(x)))),
    ("divides-by-variance", smaller(lambda x: x.mean(0) / x.var(0))),
    ("forgets-the-root", smaller(lambda x: x.mean(0) / (x.std(0) / len(x)))),
    ("one-heap", top(lambda a, b: t(torch.cat([a, b])))),
    ("size-not-sign", top(lambda a, b: torch.minimum(t(a).abs(), t(b).abs()))),
    ("weakest-first", top(lambda a, b: -torch.minimum(t(a), t(b)))),
    ("weakest-first", lambda a, b, k: torch.minimum(t(a), t(b)).argsort()[:k]),
    ("first-only", top(lambda a, b: t(a))),
    ("first-only", top(lambda a, b: t(b))),
    ("tells-apart", top(lambda a, b: (t(a) - t(b)).abs())),
    ("tells-apart", top(lambda a, b: (a.mean(0) - b.mean(0)).abs())),
    ("not-in-order", lambda a, b, k: torch.minimum(t(a), t(b)).topk(k).indices.sort().values),
    ("not-in-order", lambda a, b, k: torch.minimum(t(a), t(b)).topk(k).indices.flip(0)),
    ("wrong-type", lambda a, b, k: torch.minimum(t(a), t(b)).topk(k).values),
    ("raises", top(lambda a, b: torch.min(t(a), t(b), dim=0))),
    (None, lambda a, b, k: range(k)),
    (None, top(lambda a, b: -torch.minimum(t(a), t(b)).abs())),
    (None, lambda a, b, k: torch.minimum(t(a), t(b)).topk(k - 1).indices),
]
