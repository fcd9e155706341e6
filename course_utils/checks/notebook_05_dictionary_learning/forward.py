"""Exercises 5.2 and 5.3: the encoder, and the loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# 5.2 -------------------------------------------------------------------------------------

# x, W_enc, b_enc, b_dec. The first W_enc is square: there its transpose fits as well.
ENCODERS = (
    ([[1.0, 0.5], [-0.4, 2.0], [0.3, -1.2]], [[0.9, -0.7], [0.4, 1.1]], [0.3, -0.2], [0.2, -0.5]),
    (
        [[0.8, -0.3], [-1.0, 0.6]],
        [[1.0, -0.6, 0.2, -1.3], [0.5, 0.7, -0.9, 0.4]],
        [-0.1, 0.4, 0.3, -0.25],
        [-0.6, 0.35],
    ),
)


@exercise(
    "5.2",
    fallback=sae.encode,
    diagnoses=(
        "forgets-b-dec",
        "adds-b-dec",
        "forgets-relu",
        "forgets-b-enc",
        "subtracts-b-enc",
        "transposed",
        "relu-too-early",
        "size-for-relu",
        "yes-or-no",
    ),
)
def encode(answer: Answer) -> str:
    for numbers in ENCODERS:
        _judge_code(answer, *map(torch.tensor, numbers))
    return "One product and one ReLU give the whole code, where matching pursuit needs many steps."


def _judge_code(answer: Answer, *inputs: Tensor) -> None:
    shape = (len(inputs[0]), len(inputs[2]))
    got = answer.tensor(*inputs, shape=shape, meaning="samples in rows, latents in columns")
    names = ("x", "W_enc", "b_enc", "b_dec")
    tried = ", ".join(f"{name} = {shown(value)}" for name, value in zip(names, inputs))
    x, W, b_enc, b_dec = (value.double() for value in inputs)
    centred = (x - b_dec) @ W
    z = centred + b_enc
    mistakes = {
        "forgets-b-dec": (
            (x @ W + b_enc).relu(),
            "You leave out b_dec. The decoder adds it at the end, so take it off first: the code "
            "is to say what is in x − b_dec.",
        ),
        "adds-b-dec": (
            ((x + b_dec) @ W + b_enc).relu(),
            "You add b_dec to x. The decoder will add it; here it is taken off: `x - b_dec`.",
        ),
        "forgets-relu": (
            z,
            "Your code has negative numbers. A feature is present or it is not: set them to 0 with "
            "`torch.relu`, last of all.",
        ),
        "forgets-b-enc": (
            centred.relu(),
            "You leave out b_enc. Add it before the ReLU: it is the threshold that a latent has to "
            "pass to become active.",
        ),
        "subtracts-b-enc": (
            (centred - b_enc).relu(),
            "You subtract b_enc. It is b_dec that is taken off; b_enc is added.",
        ),
        "relu-too-early": (
            centred.relu() + b_enc,
            "You add b_enc after the ReLU. It goes before: only so can it keep a latent from "
            "becoming active.",
        ),
        "size-for-relu": (
            z.abs(),
            "You take the size of negative numbers. They mean that the feature is not there: "
            "`torch.relu` makes them 0.",
        ),
        "yes-or-no": (
            (z > 0).double(),
            "You say which latents are active, 1 or 0. Say how much: keep the number itself where "
            "it is above 0.",
        ),
    }
    if len(W) == len(W.T):
        mistakes["transposed"] = (
            ((x - b_dec) @ W.T + b_enc).relu(),
            "You multiply by the transpose of W_enc. Its columns are the latents, so with samples "
            "in rows it is `(x - b_dec) @ W_enc`.",
        )
    why = "it is ReLU((x − b_dec) W_enc + b_enc)"
    expect(got, z.relu(), tried=tried, why=why, mistakes=mistakes)


# 5.3 -------------------------------------------------------------------------------------

# x, x_hat, f, l1. No two of the three sizes are alike, and l1 is 1 over none of them.
LOSSES = (
    (
        [[1.0, 0.5, -0.4], [0.2, 2.0, 0.7]],
        [[0.7, 0.1, -0.2], [0.3, 1.1, 0.2]],
        [[0.0, 1.3, 0.0, 0.4], [2.1, 0.0, 0.0, 0.6]],
        0.3,
    ),
    (
        [[0.3, -1.2], [1.6, 0.4], [-0.9, 0.8]],
        [[0.1, -0.5], [1.2, 0.9], [-0.3, 0.2]],
        [[0.6, 0.0, 0.2, 0.0, 1.1], [0.0, 0.0, 1.4, 0.0, 0.0], [0.9, 0.3, 0.0, 0.0, 0.0]],
        0.2,
    ),
)


@exercise(
    "5.3",
    fallback=sae.sae_loss,
    diagnoses=(
        "mean-over-dims",
        "sum-over-samples",
        "mean-penalty",
        "forgets-penalty",
        "forgets-coefficient",
        "counts-active",
        "squares-code",
        "norm-not-squared",
        "size-of-error",
        "subtracts-penalty",
        "loss-per-sample",
    ),
)
def sae_loss(answer: Answer) -> str:
    for x, x_hat, f, l1 in LOSSES:
        _judge_loss(answer, torch.tensor(x), torch.tensor(x_hat), torch.tensor(f), l1)
    return "The loss weighs two wishes against each other: a small error, and a small code."


def _judge_loss(answer: Answer, x: Tensor, x_hat: Tensor, f: Tensor, l1: float) -> None:
    value = answer(x, x_hat, f, l1)
    tried = f"x = {shown(x)}, x_hat = {shown(x_hat)}, f = {shown(f)}, l1 = {l1:g}"
    miss, f = x.double() - x_hat.double(), f.double()
    errors, sums = (miss**2).sum(1), f.sum(1)
    error, penalty = errors.mean(), l1 * sums.mean()
    _judge_each(value, errors + l1 * sums)
    got = as_tensor(value, shape=(), meaning="one loss for the batch")
    foreseen: dict[str, tuple[list[Tensor], str]] = {
        "mean-over-dims": (
            [(miss**2).mean() + penalty, (miss**2).mean() + l1 * f.mean()],
            "You average the squares over all entries. |x − x_hat|² is a sum over the numbers of a "
            "sample; only over the samples is it a mean: `.sum(1).mean()`.",
        ),
        "sum-over-samples": (
            [errors.sum() + l1 * sums.sum(), errors.sum() + penalty, error + l1 * sums.sum()],
            "You add up over the samples. Take the mean over them, of both parts, or the loss "
            "grows with the batch.",
        ),
        "mean-penalty": (
            [error + l1 * f.mean()],
            "You average the code over the latents. The penalty is their sum: otherwise a larger "
            "dictionary would make it cheaper to be active.",
        ),
        "forgets-penalty": (
            [error],
            "That is the error alone. Add the penalty: l1 times the sum of each sample's code, "
            "averaged over samples.",
        ),
        "forgets-coefficient": (
            [error + sums.mean()],
            "You leave out the coefficient. Multiply the sum of the code by l1.",
        ),
        "counts-active": (
            [error + l1 * (f > 0).double().sum(1).mean()],
            "You count the active latents, L0. That is what is wanted in the end, but a count has "
            "no gradient: add up the code instead, L1.",
        ),
        "squares-code": (
            [error + l1 * (f**2).sum(1).mean(), error + l1 * f.norm(dim=1).mean()],
            "You penalise the squares of the code, L2. That makes large numbers smaller, and "
            "leaves small ones nearly free; a plain sum, L1, makes small ones 0.",
        ),
        "norm-not-squared": (
            [errors.sqrt().mean() + penalty],
            "You take the norm of the error. It is to be squared: the sum of the squares, without "
            "a root.",
        ),
        "size-of-error": (
            [miss.abs().sum(1).mean() + penalty, miss.abs().mean() + penalty],
            "You add up the sizes of the errors. Square them: `(x - x_hat) ** 2`.",
        ),
        "subtracts-penalty": (
            [error - penalty],
            "You subtract the penalty, so a larger code would make the loss smaller. Add it.",
        ),
    }
    want = error + penalty
    for slug, (values, message) in foreseen.items():
        if any(same(got, value) for value in values) and not same(got, want):
            raise Mistake(slug, message)
    expect(
        got,
        want,
        tried=tried,
        why=f"the squared errors of the samples are {shown(errors)}, the sums of their codes "
        f"{shown(sums)}, and it is the mean of error + l1 · sum",
    )


def _judge_each(value: Any, losses: Tensor) -> None:
    """Raise if what came back is the loss of each sample."""
    try:
        got = as_tensor(value, shape=tuple(losses.shape))
    except Mistake:
        return
    if same(got, losses):
        raise Mistake(
            "loss-per-sample",
            "You return the loss of each sample. Take their mean: training needs one number.",
        )
