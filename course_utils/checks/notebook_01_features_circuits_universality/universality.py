"""Exercises 1.10 and 1.11: how alike two networks are, as wholes and unit by unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from course_utils import similarity
from course_utils.checks import inputs
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe, shown


def _units(n: int, d: int, seed: int) -> Tensor:
    """Units whose means are far from 0 and from each other."""
    means = torch.tensor([1.5, -1.0, 0.5, -2.0, 2.5])[:d]
    return (inputs.normal(n, d, seed=seed) + means).round(decimals=1)


def _columns(Z: Tensor) -> Tensor:
    return Z - Z.mean(0)


def _rows(Z: Tensor) -> Tensor:
    return Z - Z.mean(1, keepdim=True)


# 1.10 ------------------------------------------------------------------------------------

WHOLES = {
    "not-centred": "You leave the means in, at least in places. Take each column's mean out of X "
    "and of Y first, and use only what is left.",
    "rows-centred": "You take out the mean of each row, which is over the units. Take out that of "
    "each column, over the samples: `X.mean(0)`.",
    "one-mean": "You take one mean out of everything. Each unit has a mean of its own, and "
    "`X.mean(0)` has them all.",
    "standardised": "You also divide each unit by its spread. CKA takes only the means out: a unit "
    "that varies more counts more.",
    "not-squared": "Your numerator is not squared. Below the line stands a product of two norms, "
    "so above it the norm must count twice.",
    "square-root": "There is a square root too many. Square the norm above the line, and take the "
    "norms below it as they are.",
    "denominator-squared": "You square the norms below the line. Only the numerator is squared.",
    "no-product": "Below the line belongs the product of two norms: of XcᵀXc and of YcᵀYc.",
    "brackets": "Brackets are missing: `a / b * c` multiplies by c. Write `a / (b * c)`.",
    "norms-of-the-data": "Below the line you have the norms of Xc and Yc themselves. It should be "
    "those of XcᵀXc and YcᵀYc.",
    "other-norm": "You take another norm. The Frobenius norm is the root of the sum of all squared "
    "entries: `A.norm()`, or `torch.linalg.norm(A)`.",
    "rows-for-columns": "You exchange units and samples. The products are sums over the samples, "
    "which are rows: `Y.T @ X`, and not `Y @ X.T`.",
    "entries-compared": "You compare entry by entry. But unit 0 of X need not be unit 0 of Y: "
    "YcᵀXc compares every unit with every other.",
    "one-minus": "Yours is 1 minus CKA, which is a distance. Here 1 means alike.",
    "shift-counts": "Adding a constant to a unit of Y changes yours from {:.4g} to {:.4g}. It "
    "should not: the column means are taken out.",
    "scale-counts": "Doubling Y changes yours from {:.4g} to {:.4g}. It should not: what is above "
    "the line and what is below it grow alike.",
    "turn-counts": "Turning Y, as `Y @ Q` with an orthogonal Q does, changes yours from {:.4g} to "
    "{:.4g}. It should not: a turn keeps all lengths, so Frobenius norms stay.",
    "any-map-goes": "Stretching X in one direction changes nothing for yours: it gives {:.4g} for "
    "X and the stretched X. CKA is lower: it counts how much each direction varies.",
}


@exercise("1.10", fallback=similarity.linear_cka, diagnoses=tuple(WHOLES))
def linear_cka(answer: Answer) -> str:
    # Equally many units first: there even a mistake that confuses the axes gives a number.
    for n, d1, d2 in ((6, 3, 3), (6, 2, 4), (4, 5, 2)):
        X, Y = _units(n, d1, seed=10 + d1), _units(n, d2, seed=20 + d2)
        _judge_cka(answer, X, Y, "")
    X, turn = _units(8, 2, seed=12), torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    _judge_cka(answer, X, 2 * X @ turn + 1, "Y is X turned, scaled and moved, and so ")
    _judge_cka(answer, X, X @ torch.tensor([[3.0, 0.0], [0.5, 0.2]]), "Y is X stretched, and ")
    left, right = torch.tensor([[1.0], [2], [1], [2]]), torch.tensor([[1.0], [1], [2], [2]])
    _judge_cka(answer, left, right, "X and Y have nothing in common, and so ")
    return "CKA asks which samples are alike, and not which unit says so: turns change nothing."


def _cka(X: Tensor, Y: Tensor, norm: Callable = torch.linalg.norm) -> Tensor:
    return norm(Y.T @ X) ** 2 / (norm(X.T @ X) * norm(Y.T @ Y))


def _judge_cka(answer: Answer, X: Tensor, Y: Tensor, because: str) -> None:
    got = answer.tensor(X, Y, shape=(), meaning="the CKA of X and Y")
    x, y = _columns(X.double()), _columns(Y.double())
    want = _cka(x, y)
    if same(got, want):
        return
    for slug, value in _wrong_cka(X.double(), Y.double()):
        if same(got, value):
            raise Mistake(slug, WHOLES[slug])
    _judge_invariance(answer)
    cross, own, others = ((A.T @ B).norm() for A, B in ((y, x), (x, x), (y, y)))
    raise unforeseen(
        tried=f"X = {shown(X)} and Y = {shown(Y)}",
        want=describe(want),
        why=f"{because}‖YcᵀXc‖ is {cross:.4g}, ‖XcᵀXc‖ is {own:.4g} and ‖YcᵀYc‖ is {others:.4g}",
        got=describe(got),
    )


def _wrong_cka(X: Tensor, Y: Tensor) -> Iterator[tuple[str, Tensor]]:
    x, y = _columns(X), _columns(Y)
    cross, own, others = (y.T @ x).norm(), (x.T @ x).norm(), (y.T @ y).norm()
    for pair in ((X, Y), (x, Y), (X, y)):
        yield "not-centred", _cka(*pair)
    yield "not-centred", cross**2 / ((X.T @ X).norm() * (Y.T @ Y).norm())
    yield "rows-centred", _cka(_rows(X), _rows(Y))
    yield "one-mean", _cka(X - X.mean(), Y - Y.mean())
    yield "standardised", _cka(x / x.norm(dim=0), y / y.norm(dim=0))
    yield "not-squared", cross / (own * others)
    yield "square-root", cross / (own * others).sqrt()
    yield "square-root", cross**2 / (own * others).sqrt()
    yield "denominator-squared", cross**2 / (own * others) ** 2
    for below in (own + others, own, others, own**2, others**2):
        yield "no-product", cross**2 / below
    yield "brackets", cross**2 / own * others
    for power in (1, 2):
        yield "norms-of-the-data", cross**2 / (x.norm() * y.norm()) ** power
    yield "norms-of-the-data", cross / (x.norm() * y.norm())
    for order in (2, "nuc", 1, float("inf")):
        yield "other-norm", _cka(x, y, lambda A, order=order: torch.linalg.norm(A, order))
    yield "other-norm", _cka(x, y, lambda A: A.abs().sum())
    yield "one-minus", 1 - _cka(x, y)
    if X.shape == Y.shape:
        for a, b in ((x, y), (_rows(X), _rows(Y)), (X, Y)):
            yield "rows-for-columns", _cka(a.T, b.T)
        for a, b in ((x, y), (X - X.mean(), Y - Y.mean()), (X, Y)):
            cosine = (a * b).sum() / (a.norm() * b.norm())
            for value in (cosine, cosine.abs(), cosine**2):
                yield "entries-compared", value
        yield "entries-compared", (x * y).norm() ** 2 / ((x * x).norm() * (y * y).norm())


def _judge_invariance(answer: Answer) -> None:
    """Say what changes a value that has no name and should not, or the other way round."""
    X, Y = _units(8, 2, seed=12), _units(8, 2, seed=13)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    before = answer.tensor(X, Y, shape=())
    for slug, Z in (
        ("shift-counts", Y + torch.tensor([2.0, -3.0])),
        ("scale-counts", 2 * Y),
        ("turn-counts", Y @ turn),
    ):
        after = answer.tensor(X, Z, shape=())
        if not same(after, before, 1e-3):
            raise Mistake(slug, WHOLES[slug].format(before, after))
    itself = answer.tensor(X, X, shape=())
    stretched = answer.tensor(X, X @ torch.tensor([[3.0, 0.0], [0.5, 0.2]]), shape=())
    other = answer.tensor(X, Y, shape=())
    if same(itself, stretched, 1e-3) and not same(itself, other, 1e-3):
        raise Mistake("any-map-goes", WHOLES["any-map-goes"].format(stretched))


# 1.11 ------------------------------------------------------------------------------------

PARTNERS = {
    "values-and-places": "You return two tensors: `.max(dim=1)` gives the values and their places. "
    "Take the first, `.values`.",
    "partners-number": "You return the number of the best partner. Return how strongly they "
    "correlate: `.max(dim=1).values`, not `.argmax(dim=1)`.",
    "one-number": "You return one number for all. Each unit of X has a best partner of its own: "
    "take the maximum along one axis, `dim=1`.",
    "units-for-samples": "You correlate along the wrong axis. Samples are rows: take the means and "
    "lengths of columns, with `dim=0`, and multiply `X.T @ Y`.",
    "wrong-way-round": "You look for the best partner of each unit of Y. The maximum should go "
    "over the units of Y, and leave one number for each unit of X.",
    "sign-counts": "The sign should not count: a unit that does the exact opposite knows the same. "
    "Take the absolute values before the maximum.",
    "keeps-the-sign": "You choose the right partner and keep the sign of the correlation. Return "
    "its absolute value.",
    "not-centred": "You leave the means in, at least in places. Take each column's mean out of X "
    "and of Y first, and use only what is left.",
    "one-mean": "You take one mean out of everything. Each unit has a mean of its own, and "
    "`X.mean(0)` has them all.",
    "not-normalised": "Yours is no correlation: it grows when a unit is scaled. Divide each "
    "centred column by its length, both in X and in Y.",
    "counts-differ": "Yours is off by a factor that depends on the number of samples. With `std`, "
    "which divides by n − 1, divide the sum of the products by n − 1 as well.",
    "mean-for-maximum": "You take the mean over the units of Y. A single good partner is enough: "
    "take the maximum.",
    "same-place": "You compare each unit only with the one of the same number. Nothing makes two "
    "networks number them alike: compare every unit with every other.",
    "squared": "You return the squares of the correlations. Take their absolute values.",
    "constant-unit": "A unit that does not vary should have 0, and should not spoil the others. "
    "Its length is 0: keep that out of the division, as `clamp_min(1e-12)` does.",
}


def _best_partners(X: Tensor, Y: Tensor) -> Tensor:
    return similarity.matched_correlation(X, Y)[0].to(X.dtype)


@exercise("1.11", fallback=_best_partners, diagnoses=tuple(PARTNERS))
def best_partners(answer: Answer) -> str:
    X, Y = _units(6, 3, seed=33), _units(6, 3, seed=34)
    # Unit 0 of Y is nearly the opposite of unit 2 of X, unit 1 nearly twice unit 0.
    Y = torch.stack([2 - 1.5 * X[:, 2] + 0.1 * Y[:, 0], 2 * X[:, 0] + 0.2 * Y[:, 1], Y[:, 2]], 1)
    _judge_partners(answer, X, Y.round(decimals=1))
    for d1, d2 in ((2, 4), (4, 1)):
        _judge_partners(answer, _units(7, d1, seed=30 + d1), _units(7, d2, seed=40 + d2))
    X, Y = _units(8, 3, seed=37), _units(8, 2, seed=38)
    silent, stuck = X * torch.tensor([1.0, 0.0, 1.0]), X.clone()
    stuck[:, 0] = 2.0
    for one, two in ((silent, Y), (Y, silent), (stuck, silent)):
        _judge_constant(answer, one, two)
    return (
        "The best partner may do the opposite, and may have any number: only what it knows counts."
    )


def _judge_partners(answer: Answer, X: Tensor, Y: Tensor) -> None:
    got = _strengths(answer(X, Y), X, Y)
    x, y = _columns(X.double()), _columns(Y.double())
    table = _cosines(x, y)
    want = table.abs().amax(1)
    if same(got, want):
        return
    for slug, value in _wrong_partners(X.double(), Y.double()):
        if same(got, value):
            raise Mistake(slug, PARTNERS[slug])
    raise unforeseen(
        tried=f"X = {shown(X)} and Y = {shown(Y)}",
        want=shown(want),
        why=f"unit 0 of X has the correlations {shown(table[0])} with the units of Y",
        got=shown(got),
    )


def _strengths(value: Any, X: Tensor, Y: Tensor) -> Tensor:
    n, units = X.shape
    if isinstance(value, tuple) and len(value) == 2 and _has_shape(value[0], (units,)):
        raise Mistake("values-and-places", PARTNERS["values-and-places"])
    if _has_shape(value, ()):
        raise Mistake("one-number", PARTNERS["one-number"])
    if n != units and _has_shape(value, (n,)):
        raise Mistake("units-for-samples", PARTNERS["units-for-samples"])
    if type(value) is Tensor and value.dtype == torch.int64 and value.shape == (units,):
        table = _cosines(_columns(X.double()), _columns(Y.double()))
        if any(same(value, t.argmax(1).double()) for t in (table.abs(), table)):
            raise Mistake("partners-number", PARTNERS["partners-number"])
    return as_tensor(value, shape=(units,), meaning="one number for each unit of X")


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        as_tensor(value, shape=shape)
    except Mistake:
        return False
    return True


def _cosines(X: Tensor, Y: Tensor) -> Tensor:
    return (X / X.norm(dim=0)).T @ (Y / Y.norm(dim=0))


def _wrong_partners(X: Tensor, Y: Tensor) -> Iterator[tuple[str, Tensor]]:
    n, x, y = len(X), _columns(X), _columns(Y)
    table = _cosines(x, y)
    sizes, values = table.abs(), table.max(1).values
    right = sizes.amax(1)
    yield "sign-counts", values
    yield "sign-counts", values.abs()
    yield "keeps-the-sign", table.gather(1, sizes.argmax(1, keepdim=True)).squeeze(1)
    yield "partners-number", sizes.argmax(1).double()
    yield "mean-for-maximum", sizes.mean(1)
    yield "squared", right**2
    for factor in (n, n - 1, (n - 1) / n, n / (n - 1)):
        yield "counts-differ", factor * right
    if X.shape == Y.shape:
        yield "wrong-way-round", sizes.amax(0)
        yield "same-place", sizes.diagonal()
        yield "same-place", table.diagonal()
    a, b = (Z / Z.norm(dim=1, keepdim=True) for Z in (x, y))
    raw = X.norm(dim=0)[:, None] * Y.norm(dim=0)
    rows = [Z / Z.norm(dim=1, keepdim=True) for Z in (_rows(X), _rows(Y))]
    for slug, tables in (
        ("not-centred", (_cosines(X, Y), _cosines(x, Y), _cosines(X, y), x.T @ y / raw)),
        ("one-mean", (_cosines(X - X.mean(), Y - Y.mean()),)),
        ("units-for-samples", (_cosines(_rows(X), _rows(Y)), a.T @ b, rows[0].T @ rows[1])),
        ("not-normalised", (x.T @ y, x.T @ y / n, x.T @ y / (n - 1), X.T @ Y)),
        ("not-normalised", (x.T @ y / x.norm(dim=0)[:, None], x.T @ y / y.norm(dim=0))),
    ):
        for wrong in tables:
            yield slug, wrong.abs().amax(1)


def _judge_constant(answer: Answer, X: Tensor, Y: Tensor) -> None:
    """Decide where units do not vary, after all was right where they do."""
    x, y = (_columns(Z.double()) for Z in (X, Y))
    x, y = (Z / Z.norm(dim=0).clamp_min(1e-12) for Z in (x, y))
    want = (x.T @ y).abs().amax(1)
    try:
        got = as_tensor(answer(X, Y), shape=(len(want),), meaning="one number for each unit of X")
    except Mistake as mistake:
        divides = mistake.diagnosis == "raises" and "ZeroDivisionError" in mistake.message
        if mistake.diagnosis == "not-finite" or divides:
            raise Mistake("constant-unit", PARTNERS["constant-unit"]) from None
        raise
    if same(got, want):
        return
    still = X.amax(0) == X.amin(0)
    if still.any() and same(got[~still], want[~still]):
        raise Mistake("constant-unit", PARTNERS["constant-unit"])
    raise unforeseen(
        tried=f"X = {shown(X)} and Y = {shown(Y)}",
        want=shown(want),
        why="a unit that does not vary has 0 and changes nothing for the others",
        got=shown(got),
    )
