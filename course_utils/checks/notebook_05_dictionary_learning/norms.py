"""Exercise 5.4: the gradient without what would change the norms of the decoder's rows."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer
from course_utils.checks.compare import expect
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# Decoders whose rows have norm 1, and gradients. The first is square: there a row and a column
# have as many numbers.
CASES = (
    ([[0.6, 0.8], [-0.28, 0.96]], [[1.0, 2.0], [3.0, -0.5]]),
    ([[0.6, 0.8, 0.0], [0.36, 0.48, 0.8]], [[2.0, 0.5, -1.0], [-1.0, 3.0, 0.2]]),
    ([[0.8, -0.6], [0.0, 1.0], [0.6, 0.8]], [[0.3, 1.0], [-2.0, 0.7], [1.5, 2.5]]),
)


@exercise(
    "5.4",
    fallback=sae.keep_norms,
    diagnoses=(
        "down-the-columns",
        "whole-matrix",
        "removed-part",
        "adds",
        "normalises-gradient",
        "forgets-direction",
        "normalises-result",
        "number-by-number",
        "other-rows-too",
        "unchanged",
    ),
)
def keep_norms(answer: Answer) -> str:
    for decoder, gradient in CASES:
        _judge(answer, torch.tensor(gradient), torch.tensor(decoder))
    return (
        "What is left turns each row and does not stretch it, so the L1 penalty cannot be dodged "
        "by a long row and a small code."
    )


def _judge(answer: Answer, gradient: Tensor, W_dec: Tensor) -> None:
    got = answer.tensor(gradient, W_dec, shape=tuple(W_dec.shape), meaning="as the gradient")
    G, W = gradient.double(), W_dec.double()
    along = (G * W).sum(1, keepdim=True)
    want = G - along * W
    norms = G.norm(dim=1, keepdim=True)
    down, whole = (G * W).sum(0, keepdim=True), (G * W).sum()
    unit = G / norms
    expect(
        got,
        want,
        tried=f"gradient = {shown(gradient)}, W_dec = {shown(W_dec)}",
        why=f"the products of each row of the gradient with the row of W_dec are "
        f"{shown(along[:, 0])}, and each is to become 0",
        mistakes={
            "down-the-columns": (
                G - down * W,
                "You take the products down the columns. A latent's direction is a row of W_dec: "
                "sum over dim 1, with `keepdim=True`.",
            ),
            "whole-matrix": (
                _either(got, G - whole * W, G - whole / (W * W).sum() * W),
                "You take one product for the whole matrix. Each row has a norm of its own to "
                "keep, so each needs its own product: sum over dim 1 only.",
            ),
            "removed-part": (
                along * W,
                "You return the part along the rows, the one that is to go. Subtract it from the "
                "gradient.",
            ),
            "adds": (
                G + along * W,
                "You add the part along each row, which is then there twice. Subtract it.",
            ),
            "normalises-gradient": (
                _either(got, unit, unit - (unit * W).sum(1, keepdim=True) * W),
                "You give the rows of the gradient norm 1. It is the rows of W_dec that shall keep "
                "theirs: leave the gradient's length, and take away its part along each row.",
            ),
            "forgets-direction": (
                G - along,
                "You subtract the product, a number, from every entry of the row. Subtract the "
                "product times the row of W_dec: that is the part along it.",
            ),
            "normalises-result": (
                want / want.norm(dim=1, keepdim=True),
                "You give the result norm 1. How long the step is says how much there is to gain: "
                "return the rest as it is.",
            ),
            "number-by-number": (
                G - G * W * W,
                "You multiply entry by entry, and never add up. The product of two rows is one "
                "number: `(gradient * W_dec).sum(1, keepdim=True)`.",
            ),
            "other-rows-too": (
                _either(got, G - G @ W.T @ W, G - W @ G.T @ W),
                "You multiply every row of the gradient with every row of W_dec. Row i matters to "
                "row i only: multiply entry by entry and sum over dim 1.",
            ),
            "unchanged": (
                G,
                "You return the gradient as it was. Its part along each row of W_dec would change "
                "that row's norm: take it away.",
            ),
        },
    )


def _either(got: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Of two values that one mistake may give, the one that is nearer."""
    return first if (got - first).norm() < (got - second).norm() else second
