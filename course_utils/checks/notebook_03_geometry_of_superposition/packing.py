"""Exercises 3.9 and 3.10: dimensions per feature, and the Welch bound."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import geometry
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# 3.9 -------------------------------------------------------------------------------------


@exercise(
    "3.9",
    fallback=geometry.dimensions_per_feature,
    diagnoses=(
        "counts-columns",
        "counts-represented",
        "norm-not-squared",
        "sum-of-lengths",
        "largest-singular-value",
        "mean-for-sum",
        "inverted",
        "features-for-dimensions",
        "forgets-the-dimensions",
        "mean-dimensionality",
        "rank-for-dimensions",
    ),
)
def dimensions_per_feature(answer: Answer) -> str:
    # The columns are 1.5, 0.67, 1.3 and 0.4 long: no count of features is near ‖W‖² = 4.55.
    uneven = torch.tensor([[0.9, 0.3, -0.5, 0.0], [1.2, -0.6, 1.2, 0.4]])
    pairs = torch.tensor([[1.0, -1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.4, -1.0, 0.0], [0.0] * 5])
    for W in (uneven, pairs):
        _judge_ratio(answer.tensor(W, shape=(), meaning="D*"), W)
    return "D* is 1 without superposition, and ½ when all features are in antipodal pairs."


def _judge_ratio(got: Tensor, W: Tensor) -> None:
    d, n = W.shape
    w = W.double()
    squares = float(sum(x * x for row in w.tolist() for x in row))
    lengths, own = w.norm(dim=0), (w**2).sum(0)
    uses = ((w.T @ w) ** 2).sum(0)
    D = torch.where(uses > 0, own**2 / uses.clamp_min(1e-300), 0.0)
    rank = int(torch.linalg.matrix_rank(w, rtol=1e-5))
    expect(
        got,
        d / squares,
        tried=f"W = {shown(W)}",
        why=f"W has {d} rows, and the squares of its numbers add up to {squares:.4g}",
        mistakes={
            "inverted": (
                squares / d,
                "That is features per dimension. D* is the other way round: the dimensions above, "
                "‖W‖² below.",
            ),
            "counts-columns": (
                d / n,
                "You count all features, also those that the model ignores. Divide by ‖W‖², the "
                "sum of all squared lengths: it counts those that are represented.",
            ),
            "counts-represented": (
                d / float((lengths > 0.5).sum()),
                "You count the arrows longer than ½. That is close to D* and is not it: divide by "
                "the sum of all squared lengths.",
            ),
            "norm-not-squared": (
                d / squares**0.5,
                "You divide by the norm ‖W‖. D* has its square: leave out the root, or square what "
                "`norm` gives.",
            ),
            "sum-of-lengths": (
                d / float(lengths.sum()),
                "You divide by the sum of the lengths. D* has the sum of the squared lengths.",
            ),
            "largest-singular-value": (
                d / float(torch.linalg.matrix_norm(w, ord=2) ** 2),
                "You divide by the square of the largest singular value: the norm of order 2 of a "
                "matrix. The norm here is Frobenius', the root of the sum of all squares.",
            ),
            "mean-for-sum": (
                d / (squares / (d * n)),
                "You divide by the mean of the squares. D* has their sum.",
            ),
            "features-for-dimensions": (
                n / squares,
                "You put the number of features above. It is the number of hidden dimensions: the "
                "rows of W, `W.shape[0]`.",
            ),
            "forgets-the-dimensions": (
                1 / squares,
                "1/‖W‖² lacks the number of hidden dimensions, `W.shape[0]`, above the line.",
            ),
            "mean-dimensionality": (
                float(D.mean()),
                "That is the mean of the D_i. D* is coarser: the number of rows divided by the sum "
                "of all squares, without any angles.",
            ),
            "rank-for-dimensions": (
                rank / squares,
                f"You put the rank of W above, {rank}. D* has the number of hidden dimensions, "
                f"{d}, also when one of them is not used.",
            ),
        },
        tolerance=1e-4,
    )


# 3.10 ------------------------------------------------------------------------------------


@exercise(
    "3.10",
    fallback=geometry.welch_bound,
    diagnoses=(
        "no-root",
        "root-of-the-numerator",
        "swapped",
        "swapped-below",
        "n-for-n-minus-1",
        "d-outside",
        "forgets-d",
        "brackets",
        "zero-above-d",
        "forgets-zero",
    ),
)
def welch_bound(answer: Answer) -> str:
    for n, d in ((8, 3), (5, 2), (4, 1), (3, 2), (4096, 512)):
        _judge_bound(answer, n, d)
    for n, d in ((2, 5), (1, 3), (4, 4), (1, 1)):
        _judge_zero(answer, n, d)
    return "With more directions than dimensions, some two have a |cosine| of at least this."


def _judge_bound(answer: Answer, n: int, d: int) -> None:
    got = _bound(answer, n, d)
    if got is None:
        raise Mistake(
            "swapped",
            f"With n = {n} and d = {d} your formula has no real value: there is something negative "
            "under the root. The numerator is n − d, directions less dimensions: are n and d "
            "swapped?",
        )
    expect(
        got,
        ((n - d) / (d * (n - 1))) ** 0.5,
        tried=f"n = {n}, d = {d}",
        why=f"that is √({n - d} / ({d} · {n - 1}))",
        mistakes={
            "no-root": (
                (n - d) / (d * (n - 1)),
                "That is the bound on the mean of cos². Take the square root of it.",
            ),
            "root-of-the-numerator": (
                (n - d) ** 0.5 / (d * (n - 1)),
                "You take the root of n − d only. It belongs around the whole fraction.",
            ),
            "swapped-below": (
                ((n - d) / (n * (d - 1))) ** 0.5 if d > 1 else float("inf"),
                "Below the line you have n (d − 1). It is d (n − 1): the 1 is taken from n.",
            ),
            "n-for-n-minus-1": (
                ((n - d) / (d * n)) ** 0.5,
                "You divide by d·n. It is d·(n − 1): each arrow meets n − 1 others.",
            ),
            "d-outside": (
                ((n - d) / (n - 1)) ** 0.5 / d,
                "You divide by d after the root. It stands below the root.",
            ),
            "forgets-d": (
                ((n - d) / (n - 1)) ** 0.5,
                "The d below the line is missing: divide by d (n − 1).",
            ),
            "brackets": (
                ((n - d) / d * (n - 1)) ** 0.5,
                "In Python `a / b * c` multiplies by c. Put brackets around d (n − 1).",
            ),
            "zero-above-d": (
                0.0,
                f"With n = {n} and d = {d} yours gives 0. That is for n ≤ d; here there are more "
                "directions than dimensions. Look at your condition, and for `//` in your code, "
                "which cuts fractions off.",
            ),
        },
        tolerance=1e-5,
    )


def _judge_zero(answer: Answer, n: int, d: int) -> None:
    got = _bound(answer, n, d)
    if got is None:
        trouble = "divides by zero" if n == 1 else "takes the root of a negative number"
        raise Mistake(
            "forgets-zero",
            f"With n = {n} and d = {d} your formula {trouble}. Up to d arrows can be at right "
            "angles in d dimensions: for n ≤ d return 0.0, and leave the formula alone.",
        )
    expect(
        got,
        0.0,
        tried=f"n = {n}, d = {d}",
        why="up to d directions can be at right angles in d dimensions",
        tolerance=1e-6,
    )


def _bound(answer: Answer, n: int, d: int) -> Tensor | None:
    """The answer's number, or None where its formula has no real value."""
    try:
        value = answer(n, d)
        if isinstance(value, complex):  # a negative number to the power ½
            return None
        return as_tensor(value, shape=(), meaning="the bound")
    except Mistake as mistake:
        told = ("math domain error", "nonnegative", "ZeroDivisionError")
        if mistake.diagnosis == "not-finite" or any(text in mistake.message for text in told):
            return None
        raise
