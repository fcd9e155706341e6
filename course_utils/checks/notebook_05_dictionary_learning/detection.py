"""Exercise 5.9: how well a unit's yes and no fit the truth."""

from __future__ import annotations

import torch

from course_utils import neurons
from course_utils.checks.answer import Answer
from course_utils.checks.compare import same
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_05_dictionary_learning.naming import (
    dividing_by_zero,
    expect_named,
)
from course_utils.checks.registry import exercise


@exercise(
    "5.9",
    fallback=neurons.f1,
    diagnoses=(
        "accuracy",
        "precision",
        "recall",
        "arithmetic-mean",
        "geometric-mean",
        "jaccard",
        "forgets-the-two",
        "two-above-only",
        "either-not-both",
        "counts-silence",
        "percent",
        "nothing-right",
    ),
)
def f1(answer: Answer) -> str:
    # Said and true, said and not true, not said and true, neither.
    for counts in ((3, 1, 3, 4), (2, 4, 1, 4), (4, 0, 3, 1), (2, 3, 0, 2)):
        _judge(answer, *counts)
    for counts in ((0, 2, 3, 1), (0, 0, 3, 2), (0, 3, 0, 2), (0, 0, 0, 4)):
        _judge_nothing(answer, *counts)
    return "F1 is high only if what is said is true and what is true is said."


def _pairs(tp: int, fp: int, fn: int, tn: int) -> tuple[torch.Tensor, torch.Tensor]:
    """As many tokens of each kind, not in order."""
    kinds = [(True, True)] * tp + [(True, False)] * fp + [(False, True)] * fn
    kinds += [(False, False)] * tn
    step = next(k for k in (5, 3, 2, 1) if len(kinds) % k)  # to no two tokens the same place
    shuffled = [kinds[i * step % len(kinds)] for i in range(len(kinds))]
    says, truth = torch.tensor(shuffled).unbind(1)
    return says.clone(), truth.clone()


def _tried(says: torch.Tensor, truth: torch.Tensor) -> str:
    def bits(mask: torch.Tensor) -> str:
        return "[" + ", ".join("TF"[not b] for b in mask.tolist()) + "]"

    return f"says = {bits(says)}, truth = {bits(truth)} with T for True"


def _judge(answer: Answer, tp: int, fp: int, fn: int, tn: int) -> None:
    says, truth = _pairs(tp, fp, fn, tn)
    got = answer.tensor(says, truth, shape=(), meaning="F1, from 0 to 1")
    want, n = 2 * tp / (2 * tp + fp + fn), tp + fp + fn + tn
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    foreseen = {
        "accuracy": (
            [(tp + tn) / n],
            "That is the share of right answers. For a rare class, always saying no is nearly "
            "always right: leave out the tokens where both say no.",
        ),
        "precision": (
            [precision],
            "That is precision: of what is said, how much is true. A unit that says yes once and "
            "is right has 1. F1 counts what it misses too: add FN below the line.",
        ),
        "recall": (
            [recall],
            "That is recall: of what is true, how much is said. A unit that always says yes has 1. "
            "F1 counts what it says wrongly too: add FP below the line.",
        ),
        "arithmetic-mean": (
            [(precision + recall) / 2],
            "That is the arithmetic mean of precision and recall, at least ½ for a unit that "
            "always says yes. F1 is their harmonic mean, 2 P R / (P + R).",
        ),
        "geometric-mean": (
            [(precision * recall) ** 0.5, precision * recall],
            "You multiply precision and recall. F1 is their harmonic mean, 2 P R / (P + R), or "
            "2 TP / (2 TP + FP + FN).",
        ),
        "jaccard": (
            [tp / (tp + fp + fn)],
            "That is TP / (TP + FP + FN), the overlap of the two sets. In F1, TP counts twice, "
            "above and below the line.",
        ),
        "forgets-the-two": (
            [tp / (2 * tp + fp + fn)],
            "Yours is half of F1, so a perfect unit has ½. Above the line is 2 TP.",
        ),
        "two-above-only": (
            [2 * tp / (tp + fp + fn)],
            "Below the line, TP counts once in yours. It counts twice there too; or add "
            "`says.sum()` and `truth.sum()`. Two bool tensors added are an `or`.",
        ),
        "either-not-both": (
            [2 * (tp + fp + fn) / (2 * tp + fp + fn)],
            "You count tokens where one of the two is True. TP are those where both are: "
            "`says & truth`.",
        ),
        "counts-silence": (
            [2 * tn / (2 * tn + fp + fn), 2 * (tp + tn) / (2 * (tp + tn) + fp + fn)],
            "You count tokens where both say no as right. TP are those where both say yes: "
            "`says & truth`, not `says == truth`.",
        ),
        "percent": ([100 * want], "You return percent. Return a number from 0 to 1."),
    }
    expect_named(
        got,
        want,
        tried=_tried(says, truth),
        why=f"TP is {tp}, FP {fp} and FN {fn}",
        foreseen=foreseen,
    )


def _judge_nothing(answer: Answer, tp: int, fp: int, fn: int, tn: int) -> None:
    """Nothing said is true, after answers where something is were right."""
    says, truth = _pairs(tp, fp, fn, tn)
    case = f"With TP = 0, FP = {fp} and FN = {fn}"
    advice = (
        "Where nothing is right F1 is to be 0, also where nothing is said and nothing true. "
        "Return 0 if TP is 0, before you divide."
    )
    got = dividing_by_zero(
        lambda: answer.tensor(says, truth, shape=(), meaning="F1, from 0 to 1"),
        "nothing-right",
        f"{case} you divide by 0. {advice}",
    )
    if not same(got, 0.0):
        raise Mistake("nothing-right", f"{case} yours gives {float(got):.4g}. {advice}")
