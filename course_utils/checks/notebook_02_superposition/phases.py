"""Exercise 2.8: two features, one number."""

from __future__ import annotations

import torch

from course_utils import geometry
from course_utils.checks.answer import Answer, as_list, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe

WANTED = "two numbers, (loss of ignoring the second, loss of the antipodal pair)"


@exercise(
    "2.8",
    fallback=geometry.phase_losses,
    diagnoses=(
        "forgets-the-bias",
        "ignoring-without-importance",
        "pair-always-pays",
        "one-of-the-pair-pays",
        "swapped",
        "sparsity-for-probability",
    ),
)
def phase_losses(answer: Answer) -> str:
    for p, r in ((0.2, 0.7), (0.6, 0.3), (0.05, 1.4)):
        _judge(answer(p, r), p, r)
    return "Interference costs about p², leaving out costs about p: rare enough, sharing wins."


def _judge(value: object, p: float, r: float) -> None:
    losses = as_list(value, WANTED)
    if len(losses) != 2:
        raise Mistake("wrong-type", f"Expected {WANTED}, but got {describe(value)}.")
    ignoring, sharing = (as_tensor(loss, shape=(), meaning="a loss") for loss in losses)
    want_ignoring, want_sharing = _ignoring(p, r), _sharing(p, r)

    def are(first: float, second: float) -> bool:
        return same(torch.stack([ignoring, sharing]), torch.tensor([first, second]), 1e-5)

    if are(want_sharing, want_ignoring):
        raise Mistake(
            "swapped",
            "Both formulas are right, in the wrong order: first ignoring, then the pair.",
        )
    if are(_ignoring(1 - p, r), _sharing(1 - p, r)):
        raise Mistake(
            "sparsity-for-probability",
            f"These are the losses at p = {1 - p:g}, which is the sparsity 1 − p. The argument "
            "is the feature probability itself.",
        )
    # Each loss is judged by itself, so that a mistake in both is two mistakes, one at a time.
    expect(
        ignoring,
        want_ignoring,
        tried=f"p = {p}, r = {r}, and looked at the loss of ignoring the second feature",
        why="the second feature is lost, and that costs its importance times its variance",
        mistakes={
            "forgets-the-bias": (
                r * p / 3,
                "Your loss of ignoring charges E[x²] = p/3 for the ignored feature. Its output can "
                "be the constant p/2 through the bias, so only the variance is lost.",
            ),
            "ignoring-without-importance": (
                p / 3 - p**2 / 4,
                "The ignored feature is the second one, so its loss is weighted with r.",
            ),
        },
        tolerance=1e-5,
    )
    expect(
        sharing,
        want_sharing,
        tried=f"p = {p}, r = {r}, and looked at the loss of the antipodal pair",
        why="only a sample with both present costs anything, and then both outputs are wrong by "
        "the smaller value",
        mistakes={
            "pair-always-pays": (
                (1 + r) * p / 6,
                "You let the antipodal pair pay in a share p of the samples. Alone, a feature "
                "comes back exactly: the other output is negative, and the ReLU removes it. How "
                "often are both present?",
            ),
            "one-of-the-pair-pays": (
                p**2 / 6,
                "You let only the first of the pair pay. When both are present, both outputs are "
                "wrong: the larger comes back too small, and the smaller vanishes.",
            ),
        },
        tolerance=1e-5,
    )


def _ignoring(p: float, r: float) -> float:
    return r * (p / 3 - p**2 / 4)


def _sharing(p: float, r: float) -> float:
    return (1 + r) * p**2 / 6
