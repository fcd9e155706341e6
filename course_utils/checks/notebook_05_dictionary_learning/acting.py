"""Exercise 5.11: set a latent, and leave everything else as it is."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer
from course_utils.checks.notebook_05_dictionary_learning.naming import expect_named
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown


@exercise(
    "5.11",
    fallback=sae.set_latent,
    diagnoses=(
        "loses-the-error",
        "adds-to-what-is-there",
        "multiplies",
        "all-latents",
        "column-of-w",
        "sign",
        "only-where-active",
        "takes-out-only",
        "change-only",
        "projects",
        "sample-not-latent",
        "not-outer",
        "ignores-value",
        "fixed-latent",
    ),
)
def set_latent(answer: Answer) -> str:
    # As many samples, dimensions and latents first: there nothing is saved by its shape.
    W = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.6, 0.8], [0.8, 0.0, -0.6]])
    x = torch.tensor([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0], [2.0, -1.0, 0.0]])
    f = torch.tensor([[0.5, 1.5, 0.0], [3.0, 0.0, 2.5], [0.0, 0.5, 1.0]])
    wide = torch.tensor([[1.0, 0.0], [0.8, 0.6], [-0.6, 0.8], [0.0, -1.0]])
    code = torch.tensor([[0.0, 2.0, 0.5, 0.0], [1.0, 0.0, 0.0, 0.3], [0.0, 0.0, 1.5, 0.0],
                         [0.4, 0.7, 0.0, 2.0], [0.0, 3.0, 0.2, 0.1]])  # fmt: skip
    rows = torch.tensor([[0.2, 1.0], [-1.0, 0.4], [2.0, 2.0], [0.0, -0.5], [1.2, 0.3]])
    for latent, value in ((1, 4.0), (2, 0.0)):
        _judge(answer, x, f, W, latent, value)
    for latent, value in ((2, 2.5), (1, 0.0), (3, 6.0)):
        _judge(answer, rows, code, wide, latent, value)
    return "What the autoencoder does not explain stays, so that the effect is this latent's alone."


def _judge(answer: Answer, x_: Tensor, f_: Tensor, W_: Tensor, latent: int, value: float) -> None:
    got = answer.tensor(
        x_, f_, W_, latent, value, shape=tuple(x_.shape), meaning="x, changed along one direction"
    )
    x, f, W = x_.double(), f_.double(), W_.double()
    (batch, d_in), d_sae = x.shape, len(W)
    w, there = W[latent], f[:, latent, None]
    want = x + (value - there) * w
    changed = f.clone()
    changed[:, latent] = value
    square = d_in == d_sae
    column = x + (value - there) * W[:, latent] if square else None
    along = x @ w
    sample = []
    if square and latent < batch:
        sample = [x + (value - f[latent]) * w, x + (value - f[latent])[:, None] * w]
    foreseen = {
        "loses-the-error": (
            [changed @ W, changed @ W + 0 * x, f @ W],
            "You return the decoded code. It leaves out what the autoencoder does not explain, so "
            "a model that reads it changes even if no latent does. Add the change to x instead.",
        ),
        "adds-to-what-is-there": (
            [x + value * w] if value else [x],
            f"You add {value:g} times the direction, so a latent that is active already ends up "
            f"above {value:g}. Take what is there away: add value − f[:, latent].",
        ),
        "multiplies": (
            [x + value * there * w, x + (value - 1) * there * w, x * value, x + there * w],
            "You multiply the activation by the value. The latent is to have that value in every "
            "sample: add value − f[:, latent] times the direction.",
        ),
        "all-latents": (
            [x + (value - f) @ W, x + (value - f.sum(1, keepdim=True)) * w],
            "You change all latents. Only the one that is named is set: its column of f, and its "
            "row of W_dec.",
        ),
        "column-of-w": (
            [column] if column is not None else [],
            "You use a column of W_dec. A latent's direction is a row, `W_dec[latent]`; columns "
            "belong to the dimensions of x.",
        ),
        "sign": (
            [x - (value - there) * w, x - value * w, x + (value + there) * w],
            "A sign is turned round. What is there goes off and the value comes on: "
            "x + (value − f[:, latent]) · W_dec[latent].",
        ),
        "only-where-active": (
            [x + (value - there) * (there > 0) * w],
            "You leave samples alone in which the latent is silent. It is to have the value in all "
            "of them: there, f[:, latent] is 0 and the whole value is added.",
        ),
        "takes-out-only": (
            [x - there * w],
            "You take the latent out and put nothing in. Add `value` times its direction as well.",
        ),
        "change-only": (
            [(value - there) * w],
            "That is the change alone. Add it to x.",
        ),
        "projects": (
            [x + (value - along)[:, None] * w, x - along[:, None] * w],
            "You take off all that x has along the direction. Other latents and the error have a "
            "part in that, which must stay: take off f[:, latent].",
        ),
        "sample-not-latent": (
            sample,
            "You use `f[latent]`, which is the code of one sample. A latent is a column: "
            "`f[:, latent]`.",
        ),
        "not-outer": (
            [x + (value - f[:, latent]) * w] if batch == d_in else [],
            "You multiply the amounts of the samples with the entries of the direction, place by "
            "place. Each sample gets the whole direction, times its own amount: "
            "`(value - f[:, latent])[:, None] * W_dec[latent]`.",
        ),
        "ignores-value": (
            [x + (fixed - there) * w for fixed in (4.0, 1.0, 10.0)],
            f"Here the latent is to be set to {value:g}. Use the argument `value`.",
        ),
        "fixed-latent": (
            [x + (value - f[:, i, None]) * W[i] for i in range(d_sae) if i != latent],
            f"You set another latent than number {latent}. Use the argument `latent`, for the "
            "column of f and for the row of W_dec.",
        ),
    }
    expect_named(
        got,
        want,
        tried=f"x = {shown(x)}, f = {shown(f)}, W_dec = {shown(W)}, latent = {latent}, "
        f"value = {value:g}",
        why=f"{shown(value - there[:, 0])} times {shown(w)} is added to the rows of x",
        foreseen=foreseen,
    )
