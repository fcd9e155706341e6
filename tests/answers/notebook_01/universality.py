"""What learners write for exercises 1.10 and 1.11: right answers of different kinds, wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from answers.tables import Tables
from torch.nn import functional as F

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []


def centred(Z):
    return Z - Z.mean(0)


def of_rows(Z):
    return Z - Z.mean(1, keepdim=True)


def at_once(Z):
    return Z - Z.mean()


# 1.10 CKA --------------------------------------------------------------------------------


@right("1.10")
def with_norms(X, Y):
    X, Y = X - X.mean(0), Y - Y.mean(0)
    return float((Y.T @ X).norm() ** 2 / ((X.T @ X).norm() * (Y.T @ Y).norm()))


@right("1.10")
def with_kernels(X, Y):
    X, Y = centred(X), centred(Y)
    K, L = X @ X.T, Y @ Y.T
    return (K * L).sum() / (K.norm() * L.norm())


@right("1.10")
def with_hsic(X, Y):
    n = len(X)
    H = torch.eye(n) - 1 / n

    def hsic(K, L):
        return torch.trace(K @ H @ L @ H) / (n - 1) ** 2

    K, L = X @ X.T, Y @ Y.T
    return hsic(K, L) / torch.sqrt(hsic(K, K) * hsic(L, L))


@right("1.10")
def cka_with_loops(X, Y):
    def columns(Z):
        lists = [[float(v) for v in column] for column in Z.T]
        return [[v - sum(c) / len(c) for v in c] for c in lists]

    def squared(A, B):
        return sum(sum(a * b for a, b in zip(p, q)) ** 2 for p in A for q in B)

    x, y = columns(X), columns(Y)
    return squared(x, y) / math.sqrt(squared(x, x) * squared(y, y))


@right("1.10")
class CkaByNumpy:
    def __call__(self, X, Y):
        x, y = (np.cov(Z.numpy(), rowvar=False, ddof=0) for Z in (X, Y))
        both = np.cov(X.numpy().T, Y.numpy().T)
        d = X.shape[1]
        n = len(X)
        cross = both[:d, d:] * (n - 1) / n
        return np.sum(cross**2) / (np.linalg.norm(x) * np.linalg.norm(y))


@right("1.10")
def by_singular_values(X, Y):
    u, s, _ = torch.linalg.svd(centred(X).double(), full_matrices=False)
    v, t, _ = torch.linalg.svd(centred(Y).double(), full_matrices=False)
    shared = torch.einsum("i,ij,j->", s**2, (u.T @ v) ** 2, t**2)
    return shared / ((s**4).sum().sqrt() * (t**4).sum().sqrt())


def norms(X, Y):
    return (Y.T @ X).norm(), (X.T @ X).norm(), (Y.T @ Y).norm()


def cka_of(prepare_x, prepare_y):
    return lambda X, Y: with_products(prepare_x(X), prepare_y(Y))


def with_products(X, Y, norm=torch.linalg.norm):
    return norm(Y.T @ X) ** 2 / (norm(X.T @ X) * norm(Y.T @ Y))


def from_norms(formula):
    return lambda X, Y: formula(*norms(centred(X), centred(Y)))


def with_norm(norm):
    return lambda X, Y: with_products(centred(X), centred(Y), norm)


def same(Z):
    return Z


def numerator_centred(X, Y):
    cross, _, _ = norms(centred(X), centred(Y))
    _, own, others = norms(X, Y)
    return cross**2 / (own * others)


def lengths_of_the_data(X, Y):
    X, Y = centred(X), centred(Y)
    return (Y.T @ X).norm() ** 2 / (X.norm() ** 2 * Y.norm() ** 2)


def correlation_of_entries(X, Y):
    return torch.corrcoef(torch.stack([X.flatten(), Y.flatten()]))[0, 1]


def cosine_of_entries(X, Y):
    return F.cosine_similarity(centred(X).flatten(), centred(Y).flatten(), dim=0)


def rows_with_rows(X, Y):
    X, Y = centred(X), centred(Y)
    return (Y @ X.T).norm() ** 2 / ((X @ X.T).norm() * (Y @ Y.T).norm())


def transposed(X, Y):
    return with_norms(X.T, Y.T)


def products_alone(X, Y):
    return (centred(Y).T @ centred(X)).norm()


def mean_of_best_correlations(X, Y):
    return correlation_table(X, Y).abs().max(1).values.mean()


def cosine_of_the_samples(X, Y):
    K, L = X @ X.T, Y @ Y.T
    return F.cosine_similarity(K.sum(1), L.sum(1), dim=0)


def canonical(X, Y):
    u, _, _ = torch.linalg.svd(centred(X), full_matrices=False)
    v, _, _ = torch.linalg.svd(centred(Y), full_matrices=False)
    return (u.T @ v).norm() ** 2 / min(u.shape[1], v.shape[1])


WRONG["1.10"] = [
    ("not-centred", cka_of(same, same)),
    ("not-centred", cka_of(centred, same)),
    ("not-centred", cka_of(same, centred)),
    ("not-centred", numerator_centred),
    ("rows-centred", cka_of(of_rows, of_rows)),
    ("one-mean", cka_of(at_once, at_once)),
    ("standardised", cka_of(*[lambda Z: centred(Z) / Z.std(0)] * 2)),
    ("standardised", cka_of(*[lambda Z: F.normalize(centred(Z), dim=0)] * 2)),
    ("not-squared", from_norms(lambda cross, own, others: cross / (own * others))),
    ("square-root", from_norms(lambda cross, own, others: cross / (own * others).sqrt())),
    ("square-root", from_norms(lambda cross, own, others: cross**2 / (own * others) ** 0.5)),
    ("denominator-squared", from_norms(lambda cross, own, others: (cross / own / others) ** 2)),
    ("no-product", from_norms(lambda cross, own, others: cross**2 / (own + others))),
    ("no-product", from_norms(lambda cross, own, others: cross**2 / own**2)),
    ("no-product", from_norms(lambda cross, own, others: cross**2 / others)),
    ("brackets", from_norms(lambda cross, own, others: cross**2 / own * others)),
    ("norms-of-the-data", lengths_of_the_data),
    ("other-norm", with_norm(lambda A: torch.linalg.norm(A, 2))),
    ("other-norm", with_norm(lambda A: torch.linalg.norm(A, "nuc"))),
    ("other-norm", with_norm(lambda A: A.abs().sum())),
    ("rows-for-columns", rows_with_rows),
    ("rows-for-columns", transposed),
    ("entries-compared", correlation_of_entries),
    ("entries-compared", cosine_of_entries),
    ("entries-compared", lambda X, Y: cosine_of_entries(X, Y) ** 2),
    ("one-minus", lambda X, Y: 1 - with_norms(X, Y)),
    ("shift-counts", cosine_of_the_samples),
    ("scale-counts", products_alone),
    ("turn-counts", mean_of_best_correlations),
    ("any-map-goes", canonical),
    ("raises", lambda X, Y: torch.cosine_similarity(X, Y)[0].numpy().norm()),
    ("wrong-shape", lambda X, Y: centred(Y).T @ centred(X)),
    ("wrong-shape", lambda X, Y: torch.tensor([with_norms(X, Y)])),
    ("wrong-type", lambda X, Y: f"{with_norms(X, Y):.3f}"),
    ("changes-input", lambda X, Y: with_norms(X.sub_(X.mean(0)), Y)),
    (None, lambda X, Y: with_norms(X, Y) ** 2),
    (None, lambda X, Y: round(with_norms(X, Y), 2)),
    (None, lambda X, Y: 1.0),
]

# 1.11 The best partner -------------------------------------------------------------------


def unit_length(Z):
    return Z / Z.norm(dim=0).clamp_min(1e-12)


def correlation_table(X, Y):
    return unit_length(centred(X)).T @ unit_length(centred(Y))


@right("1.11")
def with_a_table(X, Y):
    return correlation_table(X, Y).abs().max(dim=1).values


@right("1.11")
def partners_with_loops(X, Y):
    def correlation(a, b):
        a, b = a - a.mean(), b - b.mean()
        length = float(a @ a) ** 0.5 * float(b @ b) ** 0.5
        return float(a @ b) / length if length > 0 else 0.0

    return torch.tensor([max(abs(correlation(a, b)) for b in Y.T) for a in X.T])


@right("1.11")
def with_corrcoef(X, Y):
    table = torch.corrcoef(torch.cat([X, Y], dim=1).T).nan_to_num()
    return table[: X.shape[1], X.shape[1] :].abs().amax(dim=1)


@right("1.11")
def with_std_in_float64(X, Y):
    X, Y = X.double(), Y.double()
    products = torch.einsum("ni,nj->ij", centred(X), centred(Y)) / (len(X) - 1)
    spread = torch.outer(X.std(0), Y.std(0))
    return torch.where(spread > 0, products / spread, 0).abs().max(1)[0]


@right("1.11")
class PartnersByNumpy:
    def __call__(self, X, Y):
        x, y = (Z.numpy() - Z.numpy().mean(axis=0) for Z in (X, Y))
        x, y = (z / (np.linalg.norm(z, axis=0) + 1e-9) for z in (x, y))
        return torch.from_numpy(np.abs(x.T @ y).max(axis=1))


@right("1.11")
def by_cosine_similarity(X, Y):
    x, y = centred(X).T[:, None], centred(Y).T[None]
    return F.cosine_similarity(x, y, dim=-1).square().amax(1).sqrt().requires_grad_()


def best_in(table):
    """An answer from a table of something for all pairs of units."""
    return lambda X, Y: table(X, Y).abs().max(1).values


def covariances(X, Y):
    return centred(X).T @ centred(Y)


def mixed_counts(X, Y):
    spread = torch.outer(X.std(0), Y.std(0)).clamp_min(1e-12)
    return covariances(X, Y) / len(X) / spread


def sums_over_spreads(X, Y):
    return covariances(X, Y) / torch.outer(X.std(0), Y.std(0)).clamp_min(1e-12)


def with_raw_lengths(X, Y):
    return covariances(X, Y) / torch.outer(X.norm(dim=0), Y.norm(dim=0)).clamp_min(1e-12)


def among_samples(X, Y):
    if X.shape[1] != Y.shape[1]:
        Y = Y[:, : X.shape[1]]
    X, Y = F.normalize(of_rows(X), dim=1), F.normalize(of_rows(Y), dim=1)
    return X @ Y.T


def lengths_of_rows(X, Y):
    return F.normalize(centred(X), dim=1).T @ F.normalize(centred(Y), dim=1)


def as_they_are(X, Y):
    return unit_length(X).T @ unit_length(Y)


def signed_best(X, Y):
    table = correlation_table(X, Y)
    return table[torch.arange(len(table)), table.abs().argmax(1)]


def with_plain_lists(X, Y):
    def deviations(Z):
        return [[float(v - column.mean()) for v in column] for column in Z.T]

    def correlation(a, b):
        product = sum(p * q for p, q in zip(a, b))
        return product / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))

    rows = deviations(X)
    return torch.tensor([max(abs(correlation(a, b)) for b in deviations(Y)) for a in rows])


def divides_by_zero(X, Y):
    x, y = centred(X), centred(Y)
    return (x / x.norm(dim=0)).T @ (y / y.norm(dim=0))


def one_for_constant_units(X, Y):
    result = with_a_table(X, Y)
    result[X.std(0) == 0] = 1.0
    return result


def of_one_with_itself(X, Y):
    return correlation_table(X, X).fill_diagonal_(0).abs().max(1).values


WRONG["1.11"] = [
    ("values-and-places", lambda X, Y: correlation_table(X, Y).abs().max(dim=1)),
    ("values-and-places", lambda X, Y: tuple(correlation_table(X, Y).abs().max(dim=1))),
    ("partners-number", lambda X, Y: correlation_table(X, Y).abs().argmax(1)),
    ("partners-number", lambda X, Y: correlation_table(X, Y).max(1)[1]),
    ("partners-number", lambda X, Y: correlation_table(X, Y).abs().argmax(1).double()),
    ("one-number", lambda X, Y: correlation_table(X, Y).abs().max()),
    ("one-number", lambda X, Y: float(with_a_table(X, Y).mean())),
    ("units-for-samples", best_in(among_samples)),
    ("units-for-samples", best_in(lengths_of_rows)),
    ("units-for-samples", best_in(lambda X, Y: as_they_are(of_rows(X), of_rows(Y)))),
    ("wrong-way-round", lambda X, Y: correlation_table(X, Y).abs().max(dim=0).values),
    ("wrong-way-round", lambda X, Y: with_a_table(Y, X)),
    ("sign-counts", lambda X, Y: correlation_table(X, Y).max(dim=1).values),
    ("sign-counts", lambda X, Y: correlation_table(X, Y).max(dim=1).values.abs()),
    ("keeps-the-sign", signed_best),
    ("not-centred", best_in(as_they_are)),
    ("not-centred", best_in(lambda X, Y: as_they_are(centred(X), Y))),
    ("not-centred", best_in(with_raw_lengths)),
    ("one-mean", best_in(lambda X, Y: as_they_are(at_once(X), at_once(Y)))),
    ("not-normalised", best_in(covariances)),
    ("not-normalised", best_in(lambda X, Y: covariances(X, Y) / (len(X) - 1))),
    ("not-normalised", best_in(lambda X, Y: unit_length(centred(X)).T @ centred(Y))),
    ("counts-differ", best_in(mixed_counts)),
    ("counts-differ", best_in(sums_over_spreads)),
    ("mean-for-maximum", lambda X, Y: correlation_table(X, Y).abs().mean(dim=1)),
    ("same-place", lambda X, Y: correlation_table(X, Y).diagonal().abs()),
    ("squared", lambda X, Y: correlation_table(X, Y).square().amax(1)),
    ("constant-unit", best_in(divides_by_zero)),
    ("constant-unit", with_plain_lists),
    ("constant-unit", one_for_constant_units),
    ("wrong-shape", correlation_table),
    ("wrong-type", lambda X, Y: with_a_table(X, Y).tolist()),
    ("changes-input", lambda X, Y: with_a_table(X, Y.mul_(2))),
    ("not-finite", lambda X, Y: with_a_table(X, Y).log() / 0),
    ("raises", lambda X, Y: torch.corrcoef(X, Y)),
    (None, lambda X, Y: 1 - with_a_table(X, Y)),
    (None, lambda X, Y: correlation_table(X, Y).abs().amin(1)),
    (None, of_one_with_itself),
    (None, lambda X, Y: torch.zeros(X.shape[1])),
]
