"""Exercises 3.6 and 3.7: two shapes side by side, and the leverage scores."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils import geometry
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# 3.6 -------------------------------------------------------------------------------------

KRONECKER = (
    "You multiply every number of A with every number of B: that is the Kronecker product. In a "
    "tegum product nothing is multiplied. A stands in one corner, B in the opposite one."
)


@exercise(
    "3.6",
    fallback=geometry.tegum_product,
    diagnoses=(
        "swapped",
        "shared-dimensions",
        "shared-features",
        "kronecker",
        "anti-diagonal",
        "transposed",
        "corners-not-zero",
        "one-shape-only",
    ),
)
def tegum_product(answer: Answer) -> str:
    # Equal sizes come first: with them most mistakes run through and show what they make. No
    # product has more numbers than a message shows.
    square, other = torch.tensor([[0.6, -0.8], [0.8, 0.5]]), torch.tensor([[0.3, 0.9], [-0.4, 0.7]])
    wide = torch.tensor([[0.6, -0.8, 0.5], [0.8, 0.6, -0.7]])
    line, tall = torch.tensor([[0.9, -1.1]]), torch.tensor([[0.4], [-0.3], [0.2]])
    for A, B in ((square, other), (wide, line), (line, wide), (line, tall), (tall, line)):
        _judge_product(answer(A, B), A, B)
    return "In a tegum product nobody meets the other part, so every feature keeps its D."


def _judge_product(value: Any, A: Tensor, B: Tensor) -> None:
    (d_1, n_1), (d_2, n_2) = A.shape, B.shape
    size = (d_1 + d_2, n_1 + n_2)
    got_size = tuple(value.shape) if isinstance(value, Tensor) else None
    sizes = f"With A of shape {(d_1, n_1)} and B of shape {(d_2, n_2)}, yours"
    if got_size == (max(d_1, d_2), n_1 + n_2) != size:
        raise Mistake(
            "shared-dimensions",
            f"{sizes} has the shape {got_size}: A and B use the same dimensions, so their arrows "
            "meet. B needs dimensions of its own, below those of A.",
        )
    if got_size == (d_1 + d_2, max(n_1, n_2)) != size:
        raise Mistake(
            "shared-features",
            f"{sizes} has the shape {got_size}: A and B share columns, so that two features "
            "become one. Every feature needs a column of its own: n₁ + n₂ in all.",
        )
    if got_size == (d_1 * d_2, n_1 * n_2) != size:
        raise Mistake("kronecker", KRONECKER)
    if got_size == size[::-1] != size:
        raise Mistake(
            "transposed",
            f"{sizes} has the shape {got_size}: rows and columns are swapped. The features are "
            "the columns, n₁ + n₂ of them.",
        )
    got = as_tensor(value, shape=size, meaning="d₁ + d₂ dimensions, n₁ + n₂ features")
    a, b = A.double(), B.double()
    right = torch.zeros(size, dtype=torch.float64)
    right[:d_1, :n_1], right[d_1:, n_1:] = a, b
    _judge_corners(got, a, b)
    expect(
        got,
        right,
        tried=f"A = {shown(A)}, B = {shown(B)}",
        why="A stands in the upper left corner, B in the lower right one, and all else is 0",
        tolerance=1e-5,
    )


def _judge_corners(got: Tensor, a: Tensor, b: Tensor) -> None:
    """Name what stands in the wrong corner."""
    (d_1, n_1), (d_2, n_2) = a.shape, b.shape
    d, n = d_1 + d_2, n_1 + n_2

    def at(x: Tensor, top: int, left: int) -> Tensor:
        """`x` with zeros around it, its first number in this row and column."""
        whole = got.new_zeros(d, n)
        whole[top : top + x.shape[0], left : left + x.shape[1]] = x
        return whole

    turned = [torch.block_diag(x, y) for x, y in ((a.T, b.T), (a.T, b), (a, b.T))]
    for slug, wrong, message in (
        (
            "swapped",
            [at(b, 0, 0) + at(a, d_2, n_2)],
            "B comes first in yours. A uses the first d₁ dimensions and the first n₁ features, "
            "B the others.",
        ),
        (
            "anti-diagonal",
            [at(a, 0, n_2) + at(b, d_1, 0), at(b, 0, n_1) + at(a, d_2, 0)],
            "A and B stand in the wrong pair of corners, upper right and lower left. A belongs "
            "into the first d₁ rows and the first n₁ columns, B into the last ones.",
        ),
        (
            "shared-dimensions",
            [at(a, 0, 0) + at(b, 0, n_1), at(a, d_2, 0) + at(b, d_1, n_1)],
            "A and B stand in the same rows: they use the same dimensions, and their arrows meet. "
            "B belongs into the last d₂ rows, where A has only zeros.",
        ),
        (
            "shared-features",
            [at(a, 0, 0) + at(b, d_1, 0), at(a, 0, n_2) + at(b, d_1, n_1)],
            "A and B stand in the same columns, so that two features become one. B belongs into "
            "the last n₂ columns.",
        ),
        ("kronecker", [torch.kron(a, b)], KRONECKER),
        (
            "transposed",
            turned,
            "The corners are right, but rows and columns are swapped in A, in B or in both. Write "
            "them in as they are: the features are the columns.",
        ),
        (
            "one-shape-only",
            [at(a, 0, 0), at(b, d_1, n_1)],
            "One of the two shapes is missing: there are zeros in its place. Write both A and B "
            "into the result.",
        ),
    ):
        if any(same(got, matrix, 1e-5) for matrix in wrong):
            raise Mistake(slug, message)
    corners = {"upper right": got[:d_1, n_1:], "lower left": got[d_1:, :n_1]}
    filled = {where: corner for where, corner in corners.items() if corner.abs().max() > 1e-5}
    if filled and same(got[:d_1, :n_1], a, 1e-5) and same(got[d_1:, n_1:], b, 1e-5):
        where, corner = next(iter(filled.items()))
        raise Mistake(
            "corners-not-zero",
            f"A and B are where they belong, but the {where} corner holds {shown(corner)}. There "
            "belong zeros: no feature of one shape has a component along a dimension of the other.",
        )


# 3.7 -------------------------------------------------------------------------------------


@exercise(
    "3.7",
    fallback=geometry.leverage_scores,
    diagnoses=(
        "singular",
        "no-inverse",
        "not-inverted",
        "applied-twice",
        "rows-for-columns",
        "whole-matrix",
        "square-root",
        "dimensionality-instead",
        "unit-arrows",
        "zero-column",
        "no-cutoff",
        "absolute-cutoff",
    ),
)
def leverage_scores(answer: Answer) -> str:
    flat = torch.tensor([[1.0, 0.5, -1.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.0]])
    wide = torch.tensor([[1.0, -0.5, 0.2, 0.0], [0.0, 0.8, -0.6, 1.2]])
    with_zero = torch.tensor([[1.0, 0.0, 0.5], [0.0, 0.0, 2.0]])
    one_arrow = torch.tensor([[0.5], [1.0], [0.0]])
    for W in (flat, wide, with_zero, one_arrow):
        _judge_scores(answer, W)
    # Rank 1, so that W Wᵀ has no inverse, and numbers that are rounded, so that it almost has one.
    for column, row in (
        ([1.0, 2.0], [1.0, 2.0, -1.0]),
        ([0.3, -0.7], [0.9, 0.4, -1.1, 0.2]),
        ([0.7, 1.3, -0.9], [0.6, -1.7, 0.1, 0.3, 1.1]),
        ([1.9, -0.1, 0.6, 0.7, -1.3], [0.7, 1.1, 0.3]),
    ):
        _judge_scores(answer, torch.outer(torch.tensor(column), torch.tensor(row)))
    # Another basis of the hidden space is no other row space, and nor is another unit.
    _judge_scores(answer, torch.tensor([[2.0, 1.0], [-0.5, 1.5]]) @ wide)
    of_small = answer.tensor(1e-4 * wide, shape=(4,), meaning="one score for each feature")
    if not same(of_small, (_row_space(wide) ** 2).sum(0), 1e-3):
        raise Mistake(
            "absolute-cutoff",
            f"With W = {shown(wide)} your scores are right, and with a 10,000th of it they are "
            f"{shown(of_small)}. They should be the same. Is something small added to W Wᵀ, or "
            "its singular values compared with a fixed number? Say what is small relative to the "
            "largest: `rtol=` does.",
        )
    return "Leverage scores share out the rank of W, whatever the lengths and the angles are."


def _judge_scores(answer: Answer, W: Tensor) -> None:
    d, n = W.shape
    w, V = W.double(), _row_space(W)
    rank, want = len(V), (V**2).sum(0)
    G, S = w.T @ w, w @ w.T
    M = torch.linalg.pinv(S, rtol=1e-9 if W.dtype == torch.float64 else 1e-6)
    by_rows = (S @ M).diagonal()
    at_all = w.norm(dim=0) > 0

    inverse = (
        f"W may have less than full rank, as here: rank {rank} and {d} rows. Then W Wᵀ has no "
        "inverse. Use the pseudoinverse, `torch.linalg.pinv`."
    )
    try:
        value = answer(W)
    except Mistake as mistake:
        if mistake.diagnosis == "raises" and _speaks_of_singular(mistake.message):
            raise Mistake("singular", inverse) from None
        raise
    if isinstance(value, Tensor) and _is_plain(value):
        at_zero = ~torch.isfinite(value.double())
        if tuple(value.shape) == (n,) and at_zero.any():
            if not at_all.all() and torch.equal(at_zero, ~at_all):
                raise Mistake(
                    "zero-column",
                    "For a column of zeros yours gives NaN: it divides by the column's length. "
                    "Such a feature has no arrow, and the score 0.",
                )
            if rank < d:
                raise Mistake("singular", inverse)
        if tuple(value.shape) == (d,) != (n,) and same(value.double(), by_rows, 1e-3):
            raise Mistake("rows-for-columns", _rows(d, n))
        if tuple(value.shape) == (n, n) and same(value.double().diagonal(), want, 1e-3):
            raise Mistake(
                "whole-matrix",
                f"That is all of WᵀMW, {n} times {n} numbers. Only its diagonal is asked for: one "
                "score for each feature.",
            )
    got = as_tensor(value, shape=(n,), meaning="one score for each feature")
    mistakes: dict[str, tuple[Tensor, str]] = {
        "no-inverse": (
            G.diagonal(),
            "Those are the squared lengths W_i · W_i. The factor (W Wᵀ)⁺ between the two is "
            "missing: it measures how much each direction is used.",
        ),
        "not-inverted": (
            (G @ G).diagonal(),
            "You multiply with W Wᵀ itself. The factor in the middle is its pseudoinverse, "
            "(W Wᵀ)⁺: `torch.linalg.pinv`.",
        ),
        "applied-twice": (
            (w * (M @ M @ w)).sum(0),
            "The pseudoinverse M is in your result twice. The score is W_i · (M W_i): one W_i with "
            "M before it and one without. The squared length of M W_i, or of a row of pinv(W), has "
            "it twice.",
        ),
        "square-root": (
            want.sqrt(),
            "You take a square root too many: the leverage score is a squared length.",
        ),
        "dimensionality-instead": (
            torch.where(at_all, G.diagonal() ** 2 / (G @ G).diagonal().clamp_min(1e-300), 0.0),
            "Those are the D_i of exercise 3.2. The leverage score is W_iᵀ (W Wᵀ)⁺ W_i, another "
            "way to share out dimensions.",
        ),
    }
    if at_all.all():
        mistakes["unit-arrows"] = (
            want / G.diagonal(),
            "You put arrows of length 1 into the formula. It wants the columns of W as they are, "
            "with their lengths.",
        )
    if d == n:
        mistakes["rows-for-columns"] = (by_rows, _rows(d, n))
    if rank == 1 < min(d, n) and (got - want).abs().max() > 0.05:
        raise Mistake(
            "no-cutoff",
            f"Tried a W of rank 1 with {d} rows. Your scores add up to {got.sum():.3g} and not to "
            "1: a direction that no arrow uses, but for rounding, is inverted as if it were used. "
            "Say what counts as zero: `torch.linalg.pinv(..., rtol=1e-5)`.",
        )
    expect(
        got,
        want,
        tried=f"W = {shown(W)}" if W.numel() <= 12 else f"a W of shape {(d, n)} and rank {rank}",
        why=f"these are W_iᵀ (W Wᵀ)⁺ W_i, and they add up to the rank of W, {rank}",
        mistakes=mistakes,
        tolerance=1e-3,
    )


def _row_space(W: Tensor) -> Tensor:
    """An orthonormal basis, in rows; what is there by rounding only does not count."""
    _, s, V = torch.linalg.svd(W.double(), full_matrices=False)
    return V[s > 1e-5 * s[0]]


def _rows(d: int, n: int) -> str:
    return (
        "Those are the scores of the rows of W, that is of the hidden dimensions. A feature is a "
        f"column: sum over the {d} rows, which is dimension 0, to get {n} scores."
    )


def _is_plain(value: Tensor) -> bool:
    return (
        value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_complex()
        and value.dtype != torch.bool
    )


def _speaks_of_singular(message: str) -> bool:
    return any(word in message.lower() for word in ("singular", "positive-definite", "full rank"))
