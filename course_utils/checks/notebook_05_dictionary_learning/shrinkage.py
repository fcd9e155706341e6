"""Exercise 5.8: how much smaller a penalty makes an activation."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer
from course_utils.checks.notebook_05_dictionary_learning.naming import expect_named
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown


@exercise(
    "5.8",
    fallback=sae.shrunk,
    diagnoses=(
        "forgets-the-half",
        "twice-too-much",
        "forgets-the-penalty",
        "no-floor",
        "both-signs",
        "scales",
        "threshold-only",
        "adds",
        "the-loss-itself",
        "written-in",
    ),
)
def shrunk(answer: Answer) -> str:
    row = torch.tensor([-1.5, -0.2, 0.1, 0.4, 0.9, 2.0, 3.5])
    table = torch.tensor([[0.7, -2.0, 1.3], [0.2, 4.0, 0.0]])
    for a, l1 in ((row, 0.6), (table, 1.0), (row, 0.2), (row, 0.0), (table[1, 1], 3.0)):
        _judge(answer, a, l1)
    return "An L1 penalty takes l1 / 2 from every activation, however large, and silences the rest."


def _judge(answer: Answer, a_given: Tensor, l1: float) -> None:
    got = answer.tensor(a_given, l1, shape=tuple(a_given.shape), meaning="one f for each a")
    a = a_given.double()
    want = (a - l1 / 2).clamp_min(0)
    other = [(a - fixed / 2).clamp_min(0) for fixed in (0.6, 1.0)]
    foreseen = {
        "forgets-the-half": (
            [(a - l1).clamp_min(0), a - l1, a.sign() * (a.abs() - l1).clamp_min(0)],
            "You take off l1. The square has the derivative −2 (a − f), which must balance l1: "
            "so a − f is l1 / 2.",
        ),
        "twice-too-much": (
            [(a - 2 * l1).clamp_min(0), a - 2 * l1, (a - l1 / 4).clamp_min(0), a - l1 / 4],
            "The 2 of the derivative is on the wrong side, or there twice. Set −2 (a − f) + l1 to "
            "0, and solve for f.",
        ),
        "forgets-the-penalty": (
            [a.clamp_min(0), a],
            "You return a itself, which would be best without a penalty. With it, a smaller f "
            "costs some error and saves more penalty: set the derivative −2 (a − f) + l1 to 0.",
        ),
        "no-floor": (
            [a - l1 / 2],
            "Some of your f are negative, but f is 0 or more. Where a is below l1 / 2, the best "
            "that is left is 0.",
        ),
        "both-signs": (
            [a.sign() * (a.abs() - l1 / 2).clamp_min(0), (a.abs() - l1 / 2).clamp_min(0)],
            "You shrink negative a towards 0 from below, as where f may have both signs. Here f is "
            "0 or more, so for a negative a it is 0.",
        ),
        "scales": (
            [
                value
                for factor in (1 / (1 + l1), 1 / (1 + l1 / 2), 1 - l1, 1 - l1 / 2)
                for value in (a * factor, (a * factor).clamp_min(0))
            ],
            "You make a smaller by a factor, as a penalty on f² would. The derivative of l1 · f is "
            "l1 everywhere, so the same amount goes off every a: l1 / 2.",
        ),
        "threshold-only": (
            [a * (a > l1 / 2), a * (a > l1), a * (a.abs() > l1 / 2)],
            "You set small a to 0 and leave large ones as they are. The penalty pulls at those "
            "too: with f = a, a slightly smaller f has almost no error yet, and saves penalty.",
        ),
        "adds": (
            [(a + l1 / 2).clamp_min(0), a + l1 / 2, (a + l1).clamp_min(0), a + l1],
            "Your f are larger than a. The penalty makes f smaller: check the sign of l1 in the "
            "derivative −2 (a − f) + l1.",
        ),
        "the-loss-itself": (
            [(a - want) ** 2 + l1 * want],
            "You return the smallest loss. Asked for is the f that has it.",
        ),
        "written-in": (
            other,
            f"Here l1 is {l1:g}, and you take off another amount. Use the argument `l1`.",
        ),
    }
    expect_named(
        got,
        want,
        tried=f"a = {shown(a)}, l1 = {l1:g}",
        why=f"the derivative −2 (a − f) + l1 is 0 at f = a − {l1 / 2:g}, and f is 0 or more",
        foreseen=foreseen,
    )
