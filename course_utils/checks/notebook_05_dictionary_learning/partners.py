"""Exercise 5.10: for each latent the one of another dictionary that is most active with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils import similarity
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import same
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_05_dictionary_learning.naming import expect_named
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown


@exercise(
    "5.10",
    fallback=similarity.best_correlations,
    diagnoses=(
        "not-centred",
        "not-divided",
        "per-column-of-y",
        "mean-correlation",
        "ignores-sign",
        "with-itself",
        "same-place",
        "returns-place",
        "different-n",
        "centres-rows",
        "squared",
        "constant-column",
    ),
)
def best_correlations(answer: Answer) -> str:
    # As many columns in both first: there the wrong side gives as many numbers.
    X = torch.tensor([[0.0, 2.0, 5.0], [1.0, 0.0, 4.0], [3.0, 0.0, 2.0], [0.0, 1.0, 4.0],
                      [2.0, 2.0, 1.0]])  # fmt: skip
    Y = torch.tensor([[1.0, 0.0, 3.0], [0.5, 2.0, 0.0], [0.0, 2.0, 0.0], [1.0, 1.0, 1.0],
                      [0.0, 4.0, 0.0]])  # fmt: skip
    _judge(answer, X, Y)
    wide = torch.cat([Y.flip(1), X[:, 2:] + Y[:, 1:2]], dim=1)
    _judge(answer, X[:4, :2], wide[:4])
    _judge_constant(answer)
    return "Latents that are active at the same tokens have the same job, whatever their number."


def _centred(X: Tensor) -> Tensor:
    return X - X.mean(0)


def _correlations(X: Tensor, Y: Tensor) -> Tensor:
    """(columns of X, columns of Y), written out."""
    x, y = _centred(X.double()), _centred(Y.double())
    return (x.T @ y) / (x.norm(dim=0)[:, None] * y.norm(dim=0))


def _judge(answer: Answer, X_given: Tensor, Y_given: Tensor) -> None:
    X, Y = X_given.double(), Y_given.double()
    n, p, q = len(X), X.shape[1], Y.shape[1]
    c = _correlations(X, Y)
    value = answer(X_given, Y_given)
    if _are_places(value, c.argmax(1)):
        raise Mistake(
            "returns-place",
            "You return which column of Y is the best partner. Return how strong the correlation "
            "with it is: `.max(dim=1).values`.",
        )
    got = as_tensor(value, shape=(p,), meaning="one correlation for each column of X")
    want = c.amax(1)
    x, y = _centred(X), _centred(Y)
    cosine = (X.T @ Y) / (X.norm(dim=0)[:, None] * Y.norm(dim=0))
    across = _correlations_of(X - X.mean(1, keepdim=True), Y - Y.mean(1, keepdim=True))
    product, sx, sy = x.T @ y, X.std(0)[:, None], Y.std(0)
    parts = [product / m for m in (n, n - 1, 1)] + [X.T @ Y, X.T @ Y / n]
    one_sided = [product / x.norm(dim=0)[:, None] ** 2, product / y.norm(dim=0) ** 2]
    one_sided += [product / (n - 1) / sx, product / (n - 1) / sy]
    own = _correlations(X, X)
    foreseen = {
        "not-centred": (
            [cosine.amax(1)],
            "That is the cosine of the columns. Two units that are both active everywhere have "
            "a high one, whatever they say: take each column's mean away first.",
        ),
        "not-divided": (
            [table.amax(1) for table in parts + one_sided],
            "Your number grows with the size of activations. A correlation is from −1 to 1: divide "
            "by the standard deviations of both columns.",
        ),
        "per-column-of-y": (
            [c.amax(0)] if p == q else [],
            "You have one number for each column of Y. Look from X: rows of the table of "
            "correlations are columns of X, so take the maximum over dim 1.",
        ),
        "mean-correlation": (
            [c.mean(1), c.amin(1), c.median(1).values],
            "You take the mean of the correlations, or another than the largest. One good partner "
            "is enough: take the maximum.",
        ),
        "ignores-sign": (
            [c.abs().amax(1)],
            "You take the largest size. A unit that is active where the other is silent is no "
            "partner: leave the sign, and take the maximum.",
        ),
        "with-itself": (
            [own.amax(1), (own - 2 * torch.eye(p, dtype=own.dtype)).amax(1)],
            "You compare the columns of X with one another. The partners are columns of Y; "
            "`torch.corrcoef` of both has them in its upper right corner.",
        ),
        "same-place": (
            [c.diagonal()] if p <= q else [],
            "You compare column i of X with column i of Y. The two dictionaries have no common "
            "order: compare with every column of Y, and take the largest.",
        ),
        "different-n": (
            [want * n / (n - 1), want * (n - 1) / n],
            "Your covariance and your standard deviations divide by different numbers, n and "
            "n − 1. Take the same in both; then it cancels.",
        ),
        "centres-rows": (
            [across.amax(1), _correlations(X.T, Y.T).amax(1) if n == p else across.amax(1)],
            "Your means are over the columns of a token. They are over the tokens, which are rows: "
            "`X.mean(0)`.",
        ),
        "squared": (
            [(c**2).amax(1), (c.amax(1)) ** 2],
            "You return the square of the correlation. Its sign is lost, and it is too small: "
            "return the correlation itself.",
        ),
    }
    expect_named(
        got,
        want,
        tried=f"X = {shown(X)}, Y = {shown(Y)}",
        why=f"the correlations of the columns of X (rows here) with those of Y are {shown(c)}",
        foreseen=foreseen,
    )


def _correlations_of(x: Tensor, y: Tensor) -> Tensor:
    """The cosines of columns that have been centred already."""
    return (x.T @ y) / (x.norm(dim=0)[:, None] * y.norm(dim=0))


def _are_places(value: Any, places: Tensor) -> bool:
    """Whether these are the numbers of the best partners."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        value = torch.from_numpy(value.astype(float))
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_complex():
        return False
    if value.device.type != "cpu" or value.dtype == torch.bool:
        return False
    return same(value.detach(), places.double())


def _judge_constant(answer: Answer) -> None:
    """Columns that never vary on both sides, after columns that do were right."""
    x = torch.tensor([0.0, 1.0, 0.0, 4.0, 0.0, 0.0, 2.0, 1.0])
    y = torch.tensor([1.0, 1.0, 0.0, 3.0, 0.0, 1.0, 2.0, 0.0])
    zero, half = torch.zeros_like(x), torch.full_like(x, 0.5)  # the mean of these is exact
    for X, Y in (([x, zero], [y]), ([x], [half, y]), ([half, x, zero], [zero, y, half, x * y])):
        _judge_with(answer, torch.stack(X, dim=1), torch.stack(Y, dim=1))


def _judge_with(answer: Answer, X: Tensor, Y: Tensor) -> None:
    c = _correlations(X, Y).nan_to_num(0)
    want = c.amax(1)
    advice = (
        "A column that never varies, such as a dead latent, has correlation 0 with all. Its "
        "standard deviation is 0, and dividing by that gives NaN, of which `max` makes NaN for "
        "every row. Divide by `norm.clamp_min(1e-12)`, or use `nan_to_num(0)` before the maximum."
    )
    try:
        got = answer.tensor(
            X, Y, shape=(X.shape[1],), meaning="one correlation for each column of X"
        )
    except Mistake as mistake:
        if mistake.diagnosis in ("not-finite", "raises"):
            raise Mistake("constant-column", advice) from None
        raise
    if not same(got, want):
        raise Mistake(
            "constant-column", f"{advice} Yours gives {shown(got)}, and right is {shown(want)}."
        )
