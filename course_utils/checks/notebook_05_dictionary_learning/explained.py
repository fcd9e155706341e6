"""Exercise 5.7: how much of the variance of activations is explained."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer
from course_utils.checks.notebook_05_dictionary_learning.naming import expect_named
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown


@exercise(
    "5.7",
    fallback=sae.variance_explained,
    diagnoses=(
        "unexplained",
        "not-centred",
        "one-mean",
        "mean-over-dims",
        "mean-of-r-squared",
        "ratio-per-sample",
        "percent",
        "variance-of-x-hat",
        "not-squared",
        "different-means",
        "spread-of-x-hat",
        "centres-the-error",
        "floored",
    ),
)
def variance_explained(answer: Answer) -> str:
    # Square first: there a mean in the wrong direction can be subtracted too.
    square = torch.tensor([[1.0, 4.0, 2.0], [3.0, 0.0, 7.0], [2.0, 5.0, 8.0]])
    near = torch.tensor([[1.5, 3.7, 4.0], [3.0, 2.0, 6.0], [2.5, 5.0, 8.0]])
    tall = torch.tensor([[1.0, -2.0], [0.5, 0.0], [2.0, 1.0], [-1.0, 3.0], [4.0, -1.0]])
    other = torch.tensor([[1.5, -1.0], [0.5, 0.5], [2.0, 0.0], [0.0, 2.5], [3.0, 0.5]])
    _judge(answer, square, near)
    _judge(answer, tall, other)
    _judge(answer, tall, -1.5 * tall)  # worse than the mean
    return "1 gives everything back, 0 no more than the mean does, and less is worse than that."


def _judge(answer: Answer, x_given: Tensor, x_hat_given: Tensor) -> None:
    got = answer.tensor(
        x_given, x_hat_given, shape=(), meaning="the share of the variance, 1 at most"
    )
    x, x_hat = x_given.double(), x_hat_given.double()
    n, d = x.shape
    error, centred = x - x_hat, x - x.mean(0)
    missing, spread = float((error**2).sum()), float((centred**2).sum())
    want = 1 - missing / spread
    flat = [((x - x.mean(1, keepdim=True)) ** 2).sum()]
    if n == d:
        flat.append(((x - x.mean(1)) ** 2).sum())
    of_x_hat = float(((x_hat - x_hat.mean(0)) ** 2).sum())
    per_dim = (error**2).sum(0) / (centred**2).sum(0)
    per_sample = (error**2).sum(1) / (centred**2).sum(1)
    foreseen = {
        "unexplained": (
            [missing / spread],
            "That is the fraction of variance unexplained. Take it from 1.",
        ),
        "not-centred": (
            [1 - missing / float((x**2).sum())],
            "You divide by Σ |x|². Variance is measured from the mean: take `x.mean(0)` away from "
            "x below the fraction line.",
        ),
        "one-mean": (
            [1 - missing / float(((x - x.mean()) ** 2).sum())],
            "You take one mean of all numbers. Each dimension has its own mean, over the samples: "
            "`x.mean(0)`.",
        ),
        "mean-over-dims": (
            [1 - missing / float(total) for total in flat],
            "Your mean is over the dimensions of a sample. It is over the samples, which are rows: "
            "`x.mean(0)`.",
        ),
        "mean-of-r-squared": (
            [1 - float(per_dim.mean())],
            "You take the share in each dimension and then their mean, so a dimension that hardly "
            "varies counts as much as any. Sum over dimensions above and below the line first.",
        ),
        "ratio-per-sample": (
            [1 - float(per_sample.mean()), float((1 - per_sample).median())],
            "You divide in each sample and take the mean of that. Sum over the samples above and "
            "below the line first, then divide once.",
        ),
        "percent": ([100 * want], "You return percent. Return a share, 1 for everything."),
        "variance-of-x-hat": (
            [of_x_hat / spread, float(x_hat.var() / x.var()), 1 - of_x_hat / spread],
            "You compare how much x_hat varies with how much x does. It may vary as much and be "
            "wrong everywhere: what counts is x − x_hat.",
        ),
        "not-squared": (
            [
                1 - float(error.norm(dim=1).sum() / centred.norm(dim=1).sum()),
                1 - (missing / spread) ** 0.5,
                1 - float(error.abs().sum() / centred.abs().sum()),
            ],
            "You leave out the squares, or take a root. Both sums are of squared lengths: "
            "`(...).square().sum()`.",
        ),
        "different-means": (
            [
                1 - missing / n / (spread / (n - 1)),
                1 - missing / (n - 1) / (spread / n),
                *(1 - missing / m / (spread / k) for m, k in _divisors(n, d)),
            ],
            "Above and below the line you divide by different numbers. `mean()` is over all "
            "entries, and `var()` divides by n − 1: take plain sums of squares in both places.",
        ),
        "spread-of-x-hat": (
            [1 - missing / of_x_hat],
            "Below the line you have the spread of x_hat. It is that of x, which is to be "
            "explained.",
        ),
        "centres-the-error": (
            [1 - float(((error - error.mean(0)) ** 2).sum()) / spread],
            "You take the variance of the error, which forgets its mean: an x_hat that is off by "
            "a constant would be perfect. Above the line is Σ |x − x_hat|².",
        ),
        "floored": (
            [0.0] if want < 0 else [],
            "You return 0 where the score is below 0. An x_hat worse than the mean has a negative "
            "one, and that is worth knowing: leave it.",
        ),
    }
    expect_named(
        got,
        want,
        tried=f"x = {shown(x)}, x_hat = {shown(x_hat)}",
        why=f"Σ |x − x_hat|² is {missing:.4g}, the mean of x is {shown(x.mean(0))}, and from there "
        f"Σ |x − mean|² is {spread:.4g}",
        foreseen=foreseen,
    )


def _divisors(n: int, d: int) -> list[tuple[int, int]]:
    """By how much the sum above the line and that below are divided when they are means."""
    numbers = (1, n, n - 1, n * d, n * d - 1, d * (n - 1))
    return [(above, below) for above in numbers for below in numbers if above != below]
