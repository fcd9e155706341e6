"""What learners write for exercises 5.6 to 5.11: right answers of different kinds, and wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import math
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

# 5.6 What was found ----------------------------------------------------------------------


@right("5.6")
def by_normalize(W_dec, features, threshold=0.9):
    cosines = F.normalize(features, dim=1) @ F.normalize(W_dec, dim=1).T
    return (cosines.max(dim=1).values > threshold).float().mean()


@right("5.6")
def with_loops(W_dec, features, threshold=0.9):
    found = 0
    for feature in features.tolist():
        for w in W_dec.tolist():
            product = sum(a * b for a, b in zip(feature, w))
            if product > threshold * math.hypot(*feature) * math.hypot(*w) and any(w):
                found += 1
                break
    return found / len(features)


@right("5.6")
class RecoveredByNumpy:
    def __call__(self, W_dec, features, threshold=0.9):
        W, D = W_dec.numpy().astype(float), features.numpy().astype(float)
        W = W / np.maximum(np.linalg.norm(W, axis=1, keepdims=True), 1e-12)
        D = D / np.linalg.norm(D, axis=1, keepdims=True)
        return ((D @ W.T).max(axis=1) > threshold).mean()


@right("5.6")
def by_broadcasting_in_float64(W_dec, features, threshold=0.9):
    cosines = F.cosine_similarity(features.double()[:, None], W_dec.double()[None], dim=-1)
    return (cosines > threshold).any(1).double().mean()


@right("5.6")
def by_einsum_without_nan(W_dec, features, threshold=0.9):
    w, d = W_dec / W_dec.norm(dim=1)[:, None], features / features.norm(dim=1)[:, None]
    return float((torch.einsum("ld,fd->fl", w, d).nan_to_num(-1).amax(1) > threshold).sum()) / len(
        features
    )


def table(W, D):
    return F.normalize(D, dim=1) @ F.normalize(W, dim=1).T


def divided(W, D):
    return (D / D.norm(dim=1, keepdim=True)) @ (W / W.norm(dim=1, keepdim=True)).T


def found(cosines, best=lambda c: c.amax(1)):
    """The share of features whose best number in a table is above the threshold."""
    return lambda W, D, t=0.9: (best(cosines(W, D)) > t).double().mean()


def hard_zero_division(W_dec, features, threshold=0.9):
    count = 0
    for d in features.tolist():
        cosines = [
            sum(a * b for a, b in zip(d, w)) / (math.hypot(*d) * math.hypot(*w))
            for w in W_dec.tolist()
        ]
        count += max(cosines) > threshold
    return count / len(features)


WRONG["5.6"] = [
    ("share-of-latents", found(table, lambda c: c.amax(0))),
    ("not-normalised", found(lambda W, D: D @ W.T)),
    ("not-normalised", found(lambda W, D: F.normalize(D, dim=1) @ W.T)),
    ("not-normalised", found(lambda W, D: D @ F.normalize(W, dim=1).T)),
    ("normalises-columns", found(lambda W, D: F.normalize(D, dim=0) @ F.normalize(W, dim=0).T)),
    ("mean-cosine", lambda W, D, t=0.9: table(W, D).amax(1).mean()),
    ("mean-cosine", lambda W, D, t=0.9: table(W, D).mean()),
    ("ignores-sign", found(lambda W, D: table(W, D).abs())),
    ("number-not-share", lambda W, D, t=0.9: (table(W, D).amax(1) > t).sum()),
    ("number-not-share", lambda W, D, t=0.9: int((table(W, D).amax(1) > t).sum())),
    ("percent", lambda W, D, t=0.9: 100 * (table(W, D).amax(1) > t).float().mean()),
    ("counts-pairs", lambda W, D, t=0.9: (table(W, D) > t).sum() / len(D)),
    ("counts-pairs", lambda W, D, t=0.9: (table(W, D) > t).float().mean()),
    ("counts-pairs", lambda W, D, t=0.9: (table(W, D) > t).sum()),
    ("every-latent", found(table, lambda c: c.amin(1))),
    ("every-latent", found(table, lambda c: c.mean(1))),
    ("not-found", lambda W, D, t=0.9: (table(W, D).amax(1) < t).float().mean()),
    ("ignores-threshold", lambda W, D, t=0.9: (table(W, D).amax(1) > 0.9).float().mean()),
    ("dead-latent", found(divided)),
    ("dead-latent", hard_zero_division),
    ("dead-latent", found(lambda W, D: divided(W, D).nan_to_num(1))),
    ("raises", lambda W, D: found(table)(W, D)),
    ("raises", found(lambda W, D: table(W, D.T))),
    ("wrong-shape", lambda W, D, t=0.9: (table(W, D).amax(1) > t).float()),
    ("wrong-type", lambda W, D, t=0.9: (table(W, D).amax(1) > t).any()),
    ("wrong-type", lambda W, D, t=0.9: str(found(table)(W, D, t))),
    ("returns-nothing", lambda W, D, t=0.9: None),
    ("not-finite", lambda W, D, t=0.9: float("nan")),
    (None, found(lambda W, D: -torch.cdist(D, W) + 1)),
    (None, lambda W, D, t=0.9: ((table(W, D) > t).sum(1) == 1).float().mean()),
]


@wrong("5.6", "changes-input")
def normalises_in_place(W_dec, features, threshold=0.9):
    W_dec /= W_dec.norm(dim=1, keepdim=True)
    return found(table)(W_dec, features, threshold)


# 5.7 Variance explained ------------------------------------------------------------------


@right("5.7")
def sums_of_squares(x, x_hat):
    return 1 - (x - x_hat).pow(2).sum() / (x - x.mean(dim=0)).pow(2).sum()


@right("5.7")
def variance_with_loops(x, x_hat):
    rows, guesses = x.tolist(), x_hat.tolist()
    means = [statistics.mean(column) for column in zip(*rows)]
    missing = sum((a - b) ** 2 for row, guess in zip(rows, guesses) for a, b in zip(row, guess))
    spread = sum((a - m) ** 2 for row in rows for a, m in zip(row, means))
    return 1 - missing / spread


@right("5.7")
class VarianceByNumpy:
    def __call__(self, x, x_hat):
        x, x_hat = x.numpy().astype(float), x_hat.numpy().astype(float)
        return np.float64(1 - ((x - x_hat) ** 2).sum() / (x.var(axis=0).sum() * len(x)))


@right("5.7")
def by_einsum_and_moments(x, x_hat):
    e, x = (x - x_hat).double(), x.double()
    centred = torch.einsum("ij,ij->", x, x) - len(x) * torch.einsum("j,j->", x.mean(0), x.mean(0))
    return 1 - torch.einsum("ij,ij->", e, e) / centred


@right("5.7")
def means_in_both_places(x, x_hat):
    return 1 - F.mse_loss(x_hat, x) / x.var(dim=0, correction=0).mean()


def square(x):
    return x.square().sum()


def explained(spread):
    return lambda x, x_hat: 1 - square(x - x_hat) / spread(x)


WRONG["5.7"] = [
    ("unexplained", lambda x, y: square(x - y) / square(x - x.mean(0))),
    ("not-centred", explained(square)),
    ("one-mean", explained(lambda x: square(x - x.mean()))),
    ("one-mean", lambda x, y: 1 - F.mse_loss(x, y) / x.var(correction=0)),
    ("mean-over-dims", explained(lambda x: square(x - x.mean(1, keepdim=True)))),
    ("mean-over-dims", explained(lambda x: square(x - x.mean(1)))),
    (
        "mean-of-r-squared",
        lambda x, y: (1 - (x - y).square().sum(0) / (x - x.mean(0)).square().sum(0)).mean(),
    ),
    (
        "ratio-per-sample",
        lambda x, y: 1 - ((x - y).square().sum(1) / (x - x.mean(0)).square().sum(1)).mean(),
    ),
    ("percent", lambda x, y: 100 * sums_of_squares(x, y)),
    ("variance-of-x-hat", lambda x, y: y.var(0).sum() / x.var(0).sum()),
    ("variance-of-x-hat", lambda x, y: y.var() / x.var()),
    ("not-squared", lambda x, y: 1 - (x - y).norm(dim=1).sum() / (x - x.mean(0)).norm(dim=1).sum()),
    ("not-squared", lambda x, y: 1 - (x - y).norm() / (x - x.mean(0)).norm()),
    ("not-squared", lambda x, y: 1 - (x - y).abs().sum() / (x - x.mean(0)).abs().sum()),
    ("different-means", lambda x, y: 1 - (x - y).square().sum(1).mean() / x.var(0).sum()),
    ("different-means", lambda x, y: 1 - F.mse_loss(x, y) / x.var(0, correction=0).sum()),
    ("different-means", lambda x, y: 1 - F.mse_loss(x, y) / x.var(0).mean()),
    ("spread-of-x-hat", lambda x, y: sums_of_squares(y, x)),
    ("centres-the-error", lambda x, y: 1 - (x - y).var(0).sum() / x.var(0).sum()),
    ("floored", lambda x, y: sums_of_squares(x, y).clamp_min(0)),
    ("floored", lambda x, y: max(0.0, variance_with_loops(x, y))),
    (
        "wrong-shape",
        lambda x, y: 1 - (x - y).square().sum(0) / (x - x.mean(0)).square().sum(0),
    ),
    ("raises", lambda x, y: 1 - (x - y).square().sum(2) / (x - x.mean(0)).square().sum(2)),
    ("wrong-type", lambda x, y: f"{float(sums_of_squares(x, y)):.0%}"),
    ("returns-nothing", lambda x, y: None),
    ("not-finite", lambda x, y: sums_of_squares(x, y) / 0),
    (None, lambda x, y: torch.corrcoef(torch.stack([x.flatten(), y.flatten()]))[0, 1] ** 2),
    (None, lambda x, y: 1 - square(x - y)),
]


@wrong("5.7", "changes-input")
def centres_in_place(x, x_hat):
    missing = square(x - x_hat)
    x -= x.mean(0)
    return 1 - missing / square(x)


# 5.8 What the penalty takes away ---------------------------------------------------------


@right("5.8")
def by_clamp(a, l1):
    return torch.clamp(a - l1 / 2, min=0)


@right("5.8")
def by_relu_in_float64(a, l1):
    return torch.relu(a.double() - 0.5 * l1)


@right("5.8")
class ShrunkOneByOne:
    def __call__(self, a, l1):
        values = [max(0.0, value - l1 / 2) for value in a.flatten().tolist()]
        return torch.tensor(values).reshape(a.shape)


@right("5.8")
def by_cases(a, l1):
    return torch.where(a > l1 / 2, a - l1 / 2, torch.zeros_like(a))


@right("5.8")
def by_search(a, l1):
    """Without calculus: the interval that has the minimum, smaller by a third each time."""
    low, high = torch.zeros_like(a).double(), a.double().abs() + 1
    for _ in range(60):
        f, g = low + (high - low) / 3, high - (high - low) / 3
        better = (a - f) ** 2 + l1 * f < (a - g) ** 2 + l1 * g
        low, high = torch.where(better, low, f), torch.where(better, g, high)
    return low


@right("5.8")
def by_numpy(a, l1):
    return torch.from_numpy(np.asarray(np.maximum(0, a.numpy() - l1 / 2)))


WRONG["5.8"] = [
    ("forgets-the-half", lambda a, l1: (a - l1).clamp_min(0)),
    ("forgets-the-half", lambda a, l1: a - l1),
    ("forgets-the-half", lambda a, l1: F.softshrink(a, l1)),
    ("twice-too-much", lambda a, l1: (a - 2 * l1).clamp_min(0)),
    ("twice-too-much", lambda a, l1: (a - l1 / 4).clamp_min(0)),
    ("forgets-the-penalty", lambda a, l1: a.relu()),
    ("forgets-the-penalty", lambda a, l1: a),
    ("no-floor", lambda a, l1: a - l1 / 2),
    ("both-signs", lambda a, l1: F.softshrink(a, l1 / 2)),
    ("both-signs", lambda a, l1: (a.abs() - l1 / 2).relu()),
    ("scales", lambda a, l1: a / (1 + l1)),
    ("scales", lambda a, l1: (a / (1 + l1 / 2)).relu()),
    ("scales", lambda a, l1: (a * (1 - l1 / 2)).relu()),
    ("threshold-only", lambda a, l1: F.threshold(a, l1 / 2, 0)),
    ("threshold-only", lambda a, l1: F.hardshrink(a, l1 / 2)),
    ("threshold-only", lambda a, l1: a * (a > l1)),
    ("adds", lambda a, l1: (a + l1 / 2).relu()),
    ("adds", lambda a, l1: a + l1 / 2),
    ("the-loss-itself", lambda a, l1: (a - by_clamp(a, l1)) ** 2 + l1 * by_clamp(a, l1)),
    ("written-in", lambda a, l1: (a - 0.3).relu()),
    ("raises", lambda a, l1: max(0, a - l1 / 2)),
    ("wrong-shape", lambda a, l1: by_clamp(a, l1).sum()),
    ("wrong-type", lambda a, l1: by_clamp(a, l1).tolist()),
    ("wrong-type", lambda a, l1: by_clamp(a, l1).numpy()),
    ("wrong-type", lambda a, l1: by_clamp(a, l1).long()),
    ("returns-nothing", lambda a, l1: None),
    ("not-finite", lambda a, l1: (a - l1 / 2).sqrt()),
    (None, lambda a, l1: (a - l1**2).relu()),
    (None, lambda a, l1: torch.zeros_like(a)),
]


@wrong("5.8", "changes-input")
def shrinks_in_place(a, l1):
    a -= l1 / 2
    return a.clamp_min(0)


@wrong("5.8", "changes-input")
def shrinks_a_view(a, l1):
    f = a.view(a.shape)
    f[f < l1 / 2] = l1 / 2
    return f - l1 / 2


# 5.9 F1 ----------------------------------------------------------------------------------


@right("5.9")
def with_masks(says, truth):
    tp = (says & truth).sum()
    wrong_ones = (says ^ truth).sum()
    return 2 * tp / (2 * tp + wrong_ones) if tp > 0 else 0.0


@right("5.9")
def f1_with_a_loop(says, truth):
    tp = fp = fn = 0
    for said, true in zip(says.tolist(), truth.tolist()):
        tp += said and true
        fp += said and not true
        fn += true and not said
    return 2 * tp / max(1, 2 * tp + fp + fn)


@right("5.9")
class HarmonicMean:
    def __call__(self, says, truth):
        says, truth = says.double(), truth.double()
        tp = torch.einsum("n,n->", says, truth)
        if not tp:
            return tp
        return 2 / (says.sum() / tp + truth.sum() / tp)


@right("5.9")
def f1_by_numpy(says, truth):
    says, truth = says.numpy(), truth.numpy()
    tp = np.logical_and(says, truth).sum()
    return np.float32(2 * tp) / max(1, says.sum() + truth.sum())


@right("5.9")
def by_sets(says, truth):
    a, b = (set(mask.nonzero().flatten().tolist()) for mask in (says, truth))
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 0


def of_counts(f):
    """From (TP, FP, FN, TN) as floats; 0 if TP is 0."""

    def f1(says, truth):
        tp, fp = float((says & truth).sum()), float((says & ~truth).sum())
        fn, tn = float((~says & truth).sum()), float((~says & ~truth).sum())
        return f(tp, fp, fn, tn) if tp else 0.0

    return f1


def of_p_and_r(f):
    return of_counts(lambda tp, fp, fn, tn: f(tp / (tp + fp), tp / (tp + fn)))


def p_and_r_without_care(says, truth):
    tp = (says & truth).sum()
    p, r = tp / says.sum(), tp / truth.sum()
    return 2 * p * r / (p + r)


WRONG["5.9"] = [
    ("accuracy", lambda s, t: (s == t).float().mean()),
    ("precision", of_p_and_r(lambda p, r: p)),
    ("precision", lambda s, t: t[s].float().mean()),
    ("recall", of_p_and_r(lambda p, r: r)),
    ("arithmetic-mean", of_p_and_r(lambda p, r: (p + r) / 2)),
    ("geometric-mean", of_p_and_r(lambda p, r: (p * r) ** 0.5)),
    ("geometric-mean", of_p_and_r(lambda p, r: p * r)),
    ("jaccard", of_counts(lambda tp, fp, fn, tn: tp / (tp + fp + fn))),
    ("jaccard", lambda s, t: (s & t).sum() / (s | t).sum()),
    ("forgets-the-two", of_counts(lambda tp, fp, fn, tn: tp / (2 * tp + fp + fn))),
    ("forgets-the-two", of_p_and_r(lambda p, r: p * r / (p + r))),
    ("two-above-only", of_counts(lambda tp, fp, fn, tn: 2 * tp / (tp + fp + fn))),
    ("two-above-only", lambda s, t: 2 * (s & t).sum() / (s + t).sum()),
    ("either-not-both", lambda s, t: 2 * (s | t).sum() / (s.sum() + t.sum())),
    ("either-not-both", lambda s, t: 2 * (s + t).sum() / (s.sum() + t.sum())),
    ("counts-silence", of_counts(lambda tp, fp, fn, tn: 2 * tn / (2 * tn + fp + fn))),
    (
        "counts-silence",
        of_counts(lambda tp, fp, fn, tn: 2 * (tp + tn) / (2 * (tp + tn) + fp + fn)),
    ),
    ("percent", lambda s, t: 100 * with_masks(s, t)),
    ("nothing-right", p_and_r_without_care),
    ("nothing-right", lambda s, t: 2 * (s & t).sum() / (s.sum() + t.sum())),
    ("nothing-right", lambda s, t: 2 * int((s & t).sum()) / (int(s.sum()) + int(t.sum()))),
    ("nothing-right", lambda s, t: with_masks(s, t) if s.any() or t.any() else 1.0),
    ("raises", lambda s, t: (s - t).sum()),
    ("wrong-type", lambda s, t: with_masks(s, t) > 0.5),
    ("wrong-shape", lambda s, t: (s & t).float()),
    ("wrong-type", lambda s, t: "0.67"),
    ("returns-nothing", lambda s, t: None),
    ("not-finite", lambda s, t: float("inf")),
    (None, of_p_and_r(lambda p, r: 1.25 * p * r / (0.25 * p + r))),
    (None, of_p_and_r(lambda p, r: min(p, r) ** 2)),
]


@wrong("5.9", "changes-input")
def and_in_place(says, truth):
    total = says.sum() + truth.sum()
    says &= truth
    return 2 * says.sum() / max(1, total)


# 5.10 The best partner -------------------------------------------------------------------


def centred(X):
    return X - X.mean(0)


@right("5.10")
def cosines_of_centred_columns(X, Y):
    return (F.normalize(centred(X), dim=0).T @ F.normalize(centred(Y), dim=0)).max(dim=1).values


@right("5.10")
class ByCorrcoef:
    def __call__(self, X, Y):
        whole = torch.corrcoef(torch.cat([X, Y], dim=1).T).nan_to_num(0)
        return whole[: X.shape[1], X.shape[1] :].amax(1)


@right("5.10")
def correlations_with_loops(X, Y):
    best = []
    for a in X.T.tolist():
        found = []
        for b in Y.T.tolist():
            varies = len(set(a)) > 1 and len(set(b)) > 1
            found.append(statistics.correlation(a, b) if varies else 0.0)
        best.append(max(found))
    return torch.tensor(best)


@right("5.10")
def by_einsum_in_float64(X, Y):
    x, y = centred(X.double()), centred(Y.double())
    covariance = torch.einsum("np,nq->pq", x, y) / (len(x) - 1)
    spreads = x.std(0)[:, None] * y.std(0)
    return torch.where(spreads > 1e-9, covariance / spreads, 0.0).amax(1)


@right("5.10")
def by_z_scores_in_numpy(X, Y):
    def z(A):
        A = A.numpy()
        return (A - A.mean(0)) / (A.std(0) + 1e-9)

    return torch.from_numpy((z(X).T @ z(Y) / len(X)).max(axis=1))


def c(X, Y):
    """The table of correlations, NaN for what does not vary."""
    x, y = centred(X), centred(Y)
    return (x.T @ y) / (x.norm(dim=0)[:, None] * y.norm(dim=0))


def safe(X, Y):
    return c(X, Y).nan_to_num(0)


def rows_centred(X, Y):
    x, y = X - X.mean(1, keepdim=True), Y - Y.mean(1, keepdim=True)
    return (F.normalize(x, dim=0).T @ F.normalize(y, dim=0)).amax(1)


WRONG["5.10"] = [
    ("not-centred", lambda X, Y: (F.normalize(X, dim=0).T @ F.normalize(Y, dim=0)).amax(1)),
    ("not-divided", lambda X, Y: (centred(X).T @ centred(Y) / len(X)).amax(1)),
    ("not-divided", lambda X, Y: (centred(X).T @ centred(Y) / (len(X) - 1)).amax(1)),
    ("not-divided", lambda X, Y: (X.T @ Y).amax(1)),
    (
        "not-divided",
        lambda X, Y: torch.cov(torch.cat([X, Y], 1).T)[: X.shape[1], X.shape[1] :].amax(1),
    ),
    ("not-divided", lambda X, Y: (centred(X).T @ centred(Y) / centred(Y).square().sum(0)).amax(1)),
    ("per-column-of-y", lambda X, Y: safe(X, Y).amax(0)),
    ("per-column-of-y", lambda X, Y: safe(Y, X).amax(1)),
    ("mean-correlation", lambda X, Y: safe(X, Y).mean(1)),
    ("mean-correlation", lambda X, Y: safe(X, Y).amin(1)),
    ("ignores-sign", lambda X, Y: safe(X, Y).abs().amax(1)),
    ("with-itself", lambda X, Y: safe(X, X).amax(1)),
    ("with-itself", lambda X, Y: torch.corrcoef(torch.cat([X, Y], 1).T)[: X.shape[1]].amax(1)[:3]),
    ("same-place", lambda X, Y: safe(X, Y).diagonal()),
    ("returns-place", lambda X, Y: safe(X, Y).argmax(1)),
    ("returns-place", lambda X, Y: safe(X, Y).max(1).indices.float()),
    (
        "different-n",
        lambda X, Y: (centred(X).T @ centred(Y) / len(X) / (X.std(0)[:, None] * Y.std(0))).amax(1),
    ),
    (
        "different-n",
        lambda X, Y: (
            centred(X).T
            @ centred(Y)
            / (len(X) - 1)
            / (X.std(0, correction=0)[:, None] * Y.std(0, correction=0))
        ).amax(1),
    ),
    ("centres-rows", rows_centred),
    ("squared", lambda X, Y: safe(X, Y).square().amax(1)),
    ("squared", lambda X, Y: safe(X, Y).amax(1).square()),
    ("constant-column", lambda X, Y: c(X, Y).amax(1)),
    ("constant-column", lambda X, Y: c(X, Y).nan_to_num(-1).amax(1)),
    ("constant-column", lambda X, Y: c(X, Y).nan_to_num(1).amax(1)),
    (
        "constant-column",
        lambda X, Y: torch.tensor(
            [max(statistics.correlation(a, b) for b in Y.T.tolist()) for a in X.T.tolist()]
        ),
    ),
    ("wrong-shape", lambda X, Y: safe(X, Y)),
    ("wrong-shape", lambda X, Y: safe(X, Y).max()),
    ("wrong-type", lambda X, Y: safe(X, Y).max(1)),
    ("wrong-type", lambda X, Y: safe(X, Y).amax(1).tolist()),
    ("wrong-type", lambda X, Y: "0.9"),
    ("raises", lambda X, Y: (X @ Y).amax(1)),
    ("returns-nothing", lambda X, Y: None),
    ("not-finite", lambda X, Y: safe(X, Y).amax(1) / 0),
    (None, lambda X, Y: safe(X, Y.flip(0)).amax(1)),
    (None, lambda X, Y: safe(X.argsort(0).float(), Y.argsort(0).float()).amax(1)),
]


@wrong("5.10", "changes-input")
def centres_both_in_place(X, Y):
    X -= X.mean(0)
    Y -= Y.mean(0)
    return safe(X, Y).amax(1)


# 5.11 Clamp a latent ---------------------------------------------------------------------


@right("5.11")
def by_outer_product(x, f, W_dec, latent, value):
    return x + torch.outer(value - f[:, latent], W_dec[latent])


@right("5.11")
def with_the_error_kept(x, f, W_dec, latent, value):
    changed = f.clone()
    changed[:, latent] = value
    return changed @ W_dec + (x - f @ W_dec)


@right("5.11")
class OneSampleAfterAnother:
    def __call__(self, x, f, W_dec, latent, value):
        out = x.double().clone()
        for i in range(len(x)):
            for j in range(x.shape[1]):
                out[i, j] += (value - f[i, latent]) * W_dec[latent, j]
        return out


@right("5.11")
def set_by_einsum(x, f, W_dec, latent, value):
    return x + torch.einsum("b,d->bd", value - f[:, latent], W_dec[latent])


@right("5.11")
def set_by_numpy(x, f, W_dec, latent, value):
    x, f, W = x.numpy(), f.numpy(), W_dec.numpy()
    return torch.from_numpy(x + (value - f[:, [latent]]) * W[[latent]])


def amount(value, f, latent):
    return (value - f[:, latent])[:, None]


def decodes(x, f, W, i, v):
    f = f.clone()
    f[:, i] = v
    return f @ W


WRONG["5.11"] = [
    ("loses-the-error", decodes),
    ("loses-the-error", lambda x, f, W, i, v: f @ W + amount(v, f, i) * W[i]),
    ("adds-to-what-is-there", lambda x, f, W, i, v: x + v * W[i]),
    ("multiplies", lambda x, f, W, i, v: x + v * f[:, [i]] * W[i]),
    ("multiplies", lambda x, f, W, i, v: x + (v - 1) * f[:, [i]] * W[i]),
    ("all-latents", lambda x, f, W, i, v: x + (v - f) @ W),
    ("all-latents", lambda x, f, W, i, v: x + (v - f.sum(1, keepdim=True)) * W[i]),
    ("column-of-w", lambda x, f, W, i, v: x + amount(v, f, i) * W[:, i]),
    ("sign", lambda x, f, W, i, v: x - amount(v, f, i) * W[i]),
    ("sign", lambda x, f, W, i, v: x + (v + f[:, [i]]) * W[i]),
    ("sign", lambda x, f, W, i, v: x - v * W[i]),
    ("only-where-active", lambda x, f, W, i, v: x + amount(v, f, i) * (f[:, [i]] > 0) * W[i]),
    ("takes-out-only", lambda x, f, W, i, v: x - f[:, [i]] * W[i]),
    ("change-only", lambda x, f, W, i, v: amount(v, f, i) * W[i]),
    ("projects", lambda x, f, W, i, v: x + (v - x @ W[i])[:, None] * W[i]),
    ("projects", lambda x, f, W, i, v: x - (x @ W[i])[:, None] * W[i]),
    ("sample-not-latent", lambda x, f, W, i, v: x + (v - f[i]) * W[i]),
    ("sample-not-latent", lambda x, f, W, i, v: x + (v - f[i])[:, None] * W[i]),
    ("not-outer", lambda x, f, W, i, v: x + (v - f[:, i]) * W[i]),
    ("ignores-value", lambda x, f, W, i, v: x + amount(4.0, f, i) * W[i]),
    ("ignores-value", lambda x, f, W, i, v: x + amount(1, f, i) * W[i]),
    ("fixed-latent", lambda x, f, W, i, v: x + amount(v, f, 0) * W[0]),
    ("fixed-latent", lambda x, f, W, i, v: x + amount(v, f, i - 1) * W[i - 1]),
    ("wrong-shape", lambda x, f, W, i, v: (x + amount(v, f, i) * W[i])[0]),
    ("wrong-type", lambda x, f, W, i, v: (x + amount(v, f, i) * W[i]).tolist()),
    ("wrong-type", lambda x, f, W, i, v: "steered"),
    ("raises", lambda x, f, W, i, v: x + amount(v, f, i) @ W[i]),
    ("returns-nothing", lambda x, f, W, i, v: None),
    ("not-finite", lambda x, f, W, i, v: x + (v - f[:, [i]]) / 0 * W[i]),
    (None, lambda x, f, W, i, v: x + (v - f[:, i].mean()) * W[i]),
    (None, lambda x, f, W, i, v: x),
]


@wrong("5.11", "changes-input")
def adds_in_place(x, f, W_dec, latent, value):
    x += amount(value, f, latent) * W_dec[latent]
    return x


@wrong("5.11", "changes-input")
def writes_into_a_view(x, f, W_dec, latent, value):
    column = f[:, latent]
    column.sub_(value)
    return x - column[:, None] * W_dec[latent]
