"""Exercises 2.5 and 2.6: what a linear model loses, and how many features are represented."""

from __future__ import annotations

import torch

from course_utils import geometry, toy_models
from course_utils.checks.answer import Answer
from course_utils.checks.compare import expect
from course_utils.checks.registry import exercise


@exercise(
    "2.5",
    fallback=toy_models.linear_floor,
    diagnoses=(
        "forgets-the-bias",
        "dense-variance",
        "keeps-the-first",
        "keeps-the-least",
        "counts-the-kept",
        "sparsity-for-probability",
    ),
)
def linear_floor(answer: Answer) -> str:
    cases = (([0.5, 1.0, 0.2, 0.8, 0.1], 0.3, 2), ([0.3, 0.9, 0.6], 0.7, 1))
    for weights, p, m in cases:
        falling = sorted(weights, reverse=True)
        lost, variance, s = sum(falling[m:]), p / 3 - p**2 / 4, 1 - p
        expect(
            answer.tensor(torch.tensor(weights), p, m, shape=(), meaning="the loss"),
            variance * lost,
            tried=f"importance {weights}, p = {p}, d_hidden = {m}",
            why="each dropped feature costs its importance times its variance, and the kept ones "
            "cost nothing",
            mistakes={
                "forgets-the-bias": (
                    p / 3 * lost,
                    "You charge E[x²] = p/3 for a dropped feature. But the bias can say its mean, "
                    "p/2, so only the variance is lost.",
                ),
                "dense-variance": (
                    lost / 12,
                    "1/12 is the variance of a feature that is always present. Here it is present "
                    "with probability p.",
                ),
                "keeps-the-first": (
                    variance * sum(weights[m:]),
                    "You keep the first features of the list. The model keeps the most important "
                    "ones, wherever they stand.",
                ),
                "keeps-the-least": (
                    variance * sum(falling[::-1][m:]),
                    "You keep the least important features, and pay for the others. It is the "
                    "most important ones that are kept: look at the order of your sorting.",
                ),
                "counts-the-kept": (
                    variance * sum(falling[:m]),
                    "You add up the features that are kept. They cost nothing; the others pay.",
                ),
                "sparsity-for-probability": (
                    (s / 3 - s**2 / 4) * lost,
                    f"That is the answer for p = {s:.1f}, which here is the sparsity S = 1 − p. "
                    "The argument is the feature probability itself.",
                ),
            },
            tolerance=1e-5,
        )
    expect(
        answer.tensor(torch.tensor([1.0, 0.5]), 0.3, 2, shape=(), meaning="the loss"),
        0.0,
        tried="importance [1.0, 0.5], p = 0.3, d_hidden = 2",
        why="there is a dimension for every feature",
        tolerance=1e-6,
    )
    return "A linear model can only choose: it keeps the top d_hidden features and drops the rest."


@exercise(
    "2.6",
    fallback=geometry.count_represented,
    diagnoses=(
        "counts-dimensions",
        "counts-rows",
        "counts-entries",
        "counts-all",
        "squares",
        "ignores-threshold",
    ),
)
def count_represented(answer: Answer) -> str:
    # Six columns are long. What learners count in their place is another number each time:
    # 2 dimensions, 1 long row, 5 large entries, 9 columns, 4 columns with a long square.
    W = torch.tensor(
        [
            [1.0, -1.0, 0.9, 0.8, 0.6, 0.45, 0.3, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.40, 0.25, 0.0, 0.0],
        ]
    )
    lengths = ", ".join(f"{length:.2g}" for length in W.norm(dim=0))
    of_what = "the number of features"
    expect(
        answer.tensor(W, shape=(), meaning=of_what),
        6.0,
        tried=f"a W of shape {tuple(W.shape)} whose columns have the lengths {lengths}",
        why="that many are longer than 0.5",
        mistakes={
            "counts-dimensions": (
                2.0,
                "You count dimensions: 2 is the rank of W, and its number of rows. There can be "
                "more features represented than there are dimensions; that is the point.",
            ),
            "counts-rows": (
                1.0,
                "You measure the rows of W. A feature's direction is a column: take the norm over "
                "the other dimension.",
            ),
            "counts-entries": (
                5.0,
                "You compare single weights with the threshold. A feature is represented by its "
                "whole column: measure the column's length first.",
            ),
            "counts-all": (
                9.0,
                "You count every feature, also those whose column is zero or almost zero.",
            ),
            "squares": (
                4.0,
                "You compare the squared length with the threshold. Take the square root first.",
            ),
        },
    )
    expect(
        answer.tensor(W, 0.85, shape=(), meaning=of_what),
        3.0,
        tried=f"threshold = 0.85 and a W whose columns have the lengths {lengths}",
        why="that many are longer than 0.85",
        mistakes={
            "ignores-threshold": (
                6.0,
                "With threshold = 0.85 your function still counts the columns longer than 0.5. "
                "Compare with the argument `threshold`.",
            )
        },
    )
    return "Represented features and dimensions are two different counts."
