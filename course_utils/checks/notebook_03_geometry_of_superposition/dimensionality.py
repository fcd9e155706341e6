"""Exercises 3.1 and 3.2: what an angle costs, and how much of a dimension a feature has."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_utils import geometry
from course_utils.checks.answer import Answer
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# 3.1 -------------------------------------------------------------------------------------


@exercise(
    "3.1",
    fallback=geometry.interference_alone,
    diagnoses=(
        "forgets-relu",
        "sign-flipped",
        "counts-both-present",
        "only-both-present",
        "forgets-presence",
        "forgets-probability",
        "both-outputs",
        "mean-not-square",
        "square-of-mean",
        "cosine-not-squared",
        "one-half-for-one-third",
        "forgets-one-third",
        "variance",
        "cosine-twice",
    ),
)
def interference_alone(answer: Answer) -> str:
    # Acute angles first: there the ReLU does nothing, so a mistake elsewhere shows by itself.
    for cosine, p in ((0.6, 0.3), (0.9, 0.05), (1.0, 0.7), (0.5, 1.0)):
        _judge_acute(answer, cosine, p)
    for cosine, p in ((-0.6, 0.3), (-1.0, 0.5), (-0.1, 0.7), (0.0, 0.3)):
        full = p * (1 - p) * cosine**2 / 3
        expect(
            answer.tensor(cosine, p, shape=(), meaning="the expected squared error"),
            0.0,
            tried=f"cosine = {cosine:g}, p = {p:g}",
            why="ReLU(c·x) is 0 when c is not positive",
            mistakes={
                "forgets-relu": (
                    full,
                    f"For cosine = {cosine:g} yours is {full:.4g}. But there c·x is negative, and "
                    "the ReLU makes it 0, which is no error: cut the cosine at 0 before you "
                    "square it.",
                )
            },
            tolerance=1e-6,
        )
    return "With one feature present at a time, only acute angles cost anything."


def _judge_acute(answer: Answer, c: float, p: float) -> None:
    q = 1 - p
    want = p * q * c**2 / 3
    got = answer.tensor(c, p, shape=(), meaning="the expected squared error")
    if want and same(got, 0.0, 1e-6):
        mirrored = answer.tensor(-c, p, shape=(), meaning="the expected squared error")
        if same(mirrored, want, 1e-5):
            raise Mistake(
                "sign-flipped",
                f"Yours is 0 for cosine = {c:g} and not for {-c:g}: the wrong way round. The "
                "output is ReLU(c·x), and it is cut to 0 when c is negative.",
            )
    expect(
        got,
        want,
        tried=f"cosine = {c:g}, p = {p:g}",
        why=f"feature 2 is alone with probability p(1 − p) = {p * q:.4g}, and then the error is "
        f"c·x, whose mean square is c²/3 = {c**2 / 3:.4g}",
        mistakes={
            "counts-both-present": (
                p * c**2 / 3,
                "You count every input with feature 2, also those in which feature 1 is present "
                "as well. Alone means that feature 1 is absent: multiply by 1 − p too.",
            ),
            "only-both-present": (
                p**2 * c**2 / 3,
                "The probability p² is that of both features present. Here feature 2 is present, "
                "p, and feature 1 is absent, 1 − p.",
            ),
            "forgets-presence": (
                q * c**2 / 3,
                "You have the probability 1 − p that feature 1 is absent. Feature 2 must be "
                "present as well, and that has probability p.",
            ),
            "forgets-probability": (
                c**2 / 3,
                "That is the mean error of the inputs in which feature 2 is alone. Most inputs "
                "are not like this: multiply by the probability that feature 2 is present and "
                "feature 1 is absent.",
            ),
            "both-outputs": (
                2 * want,
                "Yours is twice as much as asked for. Count only the output of feature 1, and "
                "only the inputs in which feature 2 is the one present.",
            ),
            "mean-not-square": (
                p * q * c / 2,
                "You take the mean of the error, c/2. The squared error is asked for: the mean of "
                "c²x².",
            ),
            "square-of-mean": (
                p * q * c**2 / 4,
                "You square the mean of x, (½)² = ¼. Take the mean of the square instead: for x "
                "uniform on [0, 1] that is ⅓.",
            ),
            "cosine-not-squared": (
                p * q * c / 3,
                "You square x and not the cosine. The error is c·x, and its square c²·x².",
            ),
            "one-half-for-one-third": (
                p * q * c**2 / 2,
                "You take ½ for the mean square of x. That is the mean of x itself; the mean of "
                "x² is ⅓.",
            ),
            "forgets-one-third": (
                p * q * c**2,
                "You take x to be 1 whenever it is present. It is uniform on [0, 1], so that x² "
                "is ⅓ in the mean.",
            ),
            "variance": (
                p * q * c**2 / 12,
                "You take 1/12, the variance of x. The error is counted from 0 and not from the "
                "mean, so what counts is the mean square, ⅓.",
            ),
            "cosine-twice": (
                p * q * math.cos(c) ** 2 / 3,
                "You take the cosine of the argument. The argument is the cosine already, c.",
            ),
        },
        tolerance=1e-5,
    )


# 3.2 -------------------------------------------------------------------------------------


@exercise(
    "3.2",
    fallback=geometry.feature_dimensionality,
    diagnoses=(
        "leaves-out-itself",
        "normalises-both",
        "normalises-neither",
        "not-squared",
        "square-of-sum",
        "length-not-squared",
        "rows-for-columns",
        "inverted",
        "zero-column",
    ),
)
def feature_dimensionality(answer: Answer) -> str:
    # A square W first: there W Wᵀ has as many numbers as WᵀW, so that mistake can be named.
    square = torch.tensor([[1.5, 0.6], [0.5, 0.7]])
    wide = torch.tensor([[0.8, -1.2, 0.3, 0.6], [0.4, 0.5, -0.9, 1.1]])
    tall = torch.tensor([[0.7, 0.2], [-0.6, 1.3], [0.5, 0.4]])
    for W in (square, wide, tall):
        _judge_dimensionality(answer, W)
    turn = 2 * torch.pi * torch.arange(5) / 5
    for W, name, each in (
        (torch.stack([turn.cos(), turn.sin()]), "a regular pentagon", 2 / 5),
        (torch.tensor([[0.5], [1.0], [-0.4]]), "one arrow with nobody else", 1.0),
        (torch.tensor([[0.6, -0.6], [0.8, -0.8]]), "two opposite arrows", 1 / 2),
        (torch.tensor([[2.0, 0.0], [0.0, 0.5]]), "two arrows at right angles", 1.0),
    ):
        expect(
            answer.tensor(W, shape=(W.shape[1],), meaning="one D for each feature"),
            torch.full((W.shape[1],), each, dtype=torch.float64),
            tried=f"{name}, W = {shown(W)}",
            why=f"each has {each:g} of a dimension",
        )
    for W in (torch.tensor([[1.5, 0.0, 0.6], [0.5, 0.0, 0.7]]), torch.zeros(2, 3)):
        _judge_zero_column(answer, W)
    return "D_i is the share of its own line that a feature has to itself."


def _judge_dimensionality(answer: Answer, W: Tensor) -> None:
    """Decide by the formula of the exercise; W has no column of zeros and no right angles."""
    got = answer.tensor(W, shape=(W.shape[1],), meaning="one D for each feature")
    w = W.double()
    G = w.T @ w
    own = G.diagonal()  # ‖W_i‖²
    length = own.sqrt()
    onto = G / length[:, None]  # w_i · W_j in row i
    C = onto / length  # w_i · w_j
    used = (onto**2).sum(1)
    want = own / used
    sums = [part.sum(1) for x in (onto, G, C) for part in (x, x.abs())]
    foreseen: dict[str, tuple[list[Tensor], str]] = {
        "leaves-out-itself": (
            [own / (used - own)],
            "Your sum goes over the other features only. It goes over all j, the feature itself "
            "too: its own use of the line counts.",
        ),
        "normalises-both": (
            [1 / (C**2).sum(1), own / (C**2).sum(1)],
            "You add up squared cosines: both arrows of each product are made 1 long. (A sum over "
            "i in place of j does the same.) Only w_i has the length 1; a long W_j uses more of "
            "the line than a short one.",
        ),
        "normalises-neither": (
            [own / (G**2).sum(1), own**2 / used, length / (G**2).sum(1)],
            "The lengths do not match above and below: ‖W_i‖² belongs over Σ_j (w_i · W_j)², in "
            "which w_i has length 1, and G_ii² over Σ_j G_ij². You have one of each.",
        ),
        "not-squared": (
            [above / below for above in (own, own**2, length, length**0) for below in sums],
            "You add up the projections without squaring them. Square each one first, and then "
            "add.",
        ),
        "square-of-sum": (
            [own / onto.sum(1) ** 2, own / onto.abs().sum(1) ** 2],
            "You add up the projections and square the sum. Square each one first, and then add.",
        ),
        "length-not-squared": (
            [length / used],
            "The numerator is the length of W_i. It should be the squared length.",
        ),
        "inverted": (
            [used / own],
            "Your fraction is upside down: the feature's own squared length goes above, the sum "
            "below. D is at most 1.",
        ),
    }
    if len(W) == W.shape[1]:
        rows = w @ w.T
        foreseen["rows-for-columns"] = (
            [rows.diagonal() ** 2 / (rows**2).sum(1), rows.diagonal() / (rows**2).sum(1)],
            "You compare the rows of W: that is W Wᵀ, or a sum over the wrong dimension. The "
            "arrow of a feature is a column, so use WᵀW.",
        )
    for slug, (values, message) in foreseen.items():
        if any(same(got, value) for value in values) and not same(got, want):
            raise Mistake(slug, message)
    expect(
        got,
        want,
        tried=f"W = {shown(W)}",
        why=f"for the first feature it is {own[0]:.4g} / {used[0]:.4g}, its squared length over "
        "the sum of all squared projections onto its line",
    )


def _judge_zero_column(answer: Answer, W: Tensor) -> None:
    """Decide on a W with columns of zeros, after W without them gave what they should."""
    zero = W.norm(dim=0) == 0
    advice = (
        "Such a feature has no line, and the exercise gives it D = 0. Add a tiny number such as "
        "1e-12 to the sum, or choose with `torch.where`."
    )
    try:
        got = answer.tensor(W, shape=(len(zero),), meaning="one D for each feature")
    except Mistake as mistake:
        divides = mistake.diagnosis == "raises" and "ZeroDivisionError" in mistake.message
        if mistake.diagnosis == "not-finite" or divides:
            raise Mistake(
                "zero-column", f"Your function divides 0 by 0 for a column of zeros. {advice}"
            ) from None
        raise
    G = W.double().T @ W.double()
    want = torch.where(zero, 0.0, G.diagonal() ** 2 / (G**2).sum(1))
    if same(got[~zero], want[~zero]) and not same(got[zero], want[zero]):
        raise Mistake(
            "zero-column",
            f"For a column of zeros your D is {got[zero][0]:.4g}. {advice}",
        )
    expect(
        got,
        want,
        tried=f"W = {shown(W)}",
        why="a column of zeros has D = 0 and takes nothing from the others",
    )
