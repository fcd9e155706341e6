"""Exercises 4.1 and 4.4: how many features a neuron answers to, and how many neurons do that."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils import toy_models
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe, shown

# No weight is near a threshold that is tried, and no two counts are alike by chance.
SQUARE = torch.tensor([[0.9, 0.05, -0.8], [0.1, 0.6, 0.2], [0.72, 0.66, 0.9]])
WIDE = torch.tensor([[0.95, -0.7, 0.3, 0.6, -0.85], [0.0, 0.2, -0.4, 0.1, 0.05]])
TALL = torch.tensor([[-0.9, 0.1], [0.8, 0.8], [0.2, 1.3], [0.6, -0.75]])


# 4.1 -------------------------------------------------------------------------------------


@exercise(
    "4.1",
    fallback=toy_models.features_per_neuron,
    diagnoses=(
        "counts-per-feature",
        "one-number",
        "forgets-sign",
        "counts-the-small",
        "yes-or-no",
        "adds-weights",
        "compares-squares",
        "ignores-threshold",
    ),
)
def features_per_neuron(answer: Answer) -> str:
    # A square W first: there both ways to sum give as many numbers.
    for W, threshold in ((SQUARE, 0.5), (WIDE, 0.5), (TALL, 0.5), (SQUARE, 0.7), (WIDE, 0.25)):
        _judge_counts(answer, W, threshold)
    return "A neuron with one such feature is monosemantic, one with two or more polysemantic."


def _judge_counts(answer: Answer, W: Tensor, threshold: float) -> None:
    size, w = W.abs().double(), W.double()
    above = size > threshold
    want = above.sum(1).double()
    value = answer(W, threshold)
    if isinstance(value, (list, tuple, np.ndarray)):
        raise Mistake(
            "wrong-type",
            f"You return {describe(value)}. Return the counts as a tensor, one for each neuron: "
            "`torch.tensor(counts)` makes one.",
        )
    if _is_number(value, above.sum()):
        raise Mistake(
            "one-number",
            "You count the large weights of the whole layer. Count in each row by itself, and "
            "return as many numbers as there are neurons: sum over dim 1.",
        )
    if not _is_tensor_of(value, len(W)) and _is_tensor_of(value, W.shape[1]):
        got = _as_counts(value, W.shape[1])
        if same(got, above.sum(0).double()):
            raise Mistake("counts-per-feature", _PER_FEATURE)
    fixed = (size > 0.5).sum(1).double()
    expect(
        _as_counts(value, len(W)),
        want,
        tried=f"W = {shown(W)}, threshold = {threshold:g}",
        why=f"in each row it is the number of weights whose size is more than {threshold:g}",
        mistakes={
            "counts-per-feature": (above.sum(0).double(), _PER_FEATURE),
            "forgets-sign": (
                (w > threshold).sum(1).double(),
                "You leave out large negative weights. They change the neuron as much as positive "
                "ones: compare `W.abs()` with the threshold.",
            ),
            "counts-the-small": (
                (~above).sum(1).double(),
                "You count the weights that are not above the threshold. The neuron answers to "
                "the others.",
            ),
            "yes-or-no": (
                (above.sum(1) > 1).double(),
                "You say for each neuron whether it is polysemantic, 1 or 0. Here the count "
                "itself is asked for.",
            ),
            "adds-weights": (
                (size * above).sum(1),
                "You add up the large weights. Count them: a comparison gives True or False, and "
                "its sum is a number of weights.",
            ),
            "compares-squares": (
                (w**2 > threshold).sum(1).double(),
                "You compare squared weights with the threshold. Compare their size: `W.abs()`.",
            ),
            "ignores-threshold": (
                fixed if threshold != 0.5 else want + 1,
                f"With the threshold {threshold:g} you still count the weights above 0.5. Use the "
                "argument `threshold`.",
            ),
        },
    )


_PER_FEATURE = (
    "You count in columns: that is how many neurons answer to each feature. A neuron is a row of "
    "W, so sum over dim 1."
)


def _is_number(value: Any, number: Tensor) -> bool:
    try:
        return same(as_tensor(value, shape=()), number.double())
    except Mistake:
        return False


def _is_tensor_of(value: Any, length: int) -> bool:
    return isinstance(value, Tensor) and tuple(value.shape) == (length,)


def _as_counts(value: Any, length: int) -> Tensor:
    return as_tensor(
        floating(value), shape=(length,), meaning="one count for each neuron, a row of W"
    )


def floating(value: Any) -> Any:
    """The same numbers as floats where whole numbers are right too; else the value itself."""
    if isinstance(value, Tensor) and value.device.type == "cpu" and value.layout == torch.strided:
        if not (value.is_floating_point() or value.is_complex() or value.dtype == torch.bool):
            return value.double()
    return value


# 4.4 -------------------------------------------------------------------------------------


@exercise(
    "4.4",
    fallback=toy_models.polysemantic_share,
    diagnoses=(
        "counts-silent-neurons",
        "all-silent",
        "number-not-share",
        "percent",
        "monosemantic-share",
        "at-least-one",
        "more-than-two",
        "features-not-neurons",
        "forgets-sign",
        "mean-count",
        "ignores-threshold",
    ),
)
def polysemantic_share(answer: Answer) -> str:
    sixth = torch.tensor(
        [[0.9, -0.8, 0.1], [0.0, 0.2, -0.1], [0.7, 0.1, 0.2], [0.1, 0.95, 0.3], [0.2, 0.3, -0.6],
         [0.8, 0.7, 0.9]]
    )  # fmt: skip
    fourth = torch.tensor([[0.6, -0.9, -0.7, 0.2], [0.1, 0.8, 0.0, 0.3], [0.2, 0.1, 0.3, 0.7],
                           [0.1, 0.0, 0.9, 0.2]])  # fmt: skip
    # Right, without the sign and with 0.5 all the same, the last gives 5/6, 4/6 and 2/5.
    for W, threshold in ((sixth, 0.5), (fourth, 0.5), (sixth, 0.15)):
        _judge_share(answer, W, threshold)
    _judge_silent(answer, torch.tensor([[0.1, -0.2], [0.0, 0.3]]))
    return "A silent neuron stands for nothing, so it is left out of the share."


def _judge_share(answer: Answer, W: Tensor, threshold: float) -> None:
    above = W.abs() > threshold
    counts = above.sum(1)
    alive, several = int((counts > 0).sum()), int((counts > 1).sum())
    want = several / alive
    signed = (W > threshold).sum(1)
    columns = above.sum(0)
    fixed = (W.abs() > 0.5).sum(1)
    expect(
        answer.tensor(W, threshold, shape=(), meaning="a share from 0 to 1"),
        want,
        tried=f"W = {shown(W)}, threshold = {threshold:g}",
        why=f"{alive} neurons answer to at least one feature, and {several} of them to two or more",
        mistakes={
            "counts-silent-neurons": (
                several / len(W),
                f"You divide by all {len(W)} neurons. A neuron that answers to no feature is "
                f"neither monosemantic nor polysemantic: divide by the {alive} others.",
            ),
            "number-not-share": (
                several,
                "That is the number of polysemantic neurons. Divide it by the number of neurons "
                "that answer to something.",
            ),
            "percent": (100 * want, "You return percent. Return a share from 0 to 1."),
            "monosemantic-share": (
                1 - want,
                "That is the share of monosemantic neurons. Polysemantic ones answer to two "
                "features or more.",
            ),
            "at-least-one": (
                alive / len(W),
                "You count neurons that answer to one feature as well. Polysemantic means two or "
                "more.",
            ),
            "more-than-two": (
                int((counts > 2).sum()) / alive,
                "You count neurons with more than two features. Two are enough.",
            ),
            "features-not-neurons": (
                int((columns > 1).sum()) / max(1, int((columns > 0).sum())),
                "You count in columns: that is the share of features that several neurons answer "
                "to. A neuron is a row of W.",
            ),
            "forgets-sign": (
                int((signed > 1).sum()) / max(1, int((signed > 0).sum())),
                "You leave out large negative weights. Compare their size, `W.abs()`, with the "
                "threshold.",
            ),
            "mean-count": (
                float(counts.sum()) / alive,
                "That is the mean number of features of a neuron. Asked for is the share of the "
                "neurons that have two or more.",
            ),
            "ignores-threshold": (
                int((fixed > 1).sum()) / int((fixed > 0).sum()) if threshold != 0.5 else -1.0,
                f"With the threshold {threshold:g} you still count at 0.5. Pass `threshold` on: "
                "`features_per_neuron(W, threshold)`.",
            ),
        },
    )


def _judge_silent(answer: Answer, W: Tensor) -> None:
    advice = (
        "Where no neuron answers to anything, there is nothing to divide by: return 0. "
        "`max(1, ...)` or `clamp_min(1)` below the fraction line does it."
    )
    try:
        got = answer.tensor(W, 0.5, shape=(), meaning="a share from 0 to 1")
    except Mistake as mistake:
        divides = mistake.diagnosis == "raises" and "ZeroDivisionError" in mistake.message
        if mistake.diagnosis == "not-finite" or divides:
            raise Mistake("all-silent", f"You divide 0 by 0 for a silent layer. {advice}") from None
        raise
    expect(
        got,
        0.0,
        tried=f"W = {shown(W)}, threshold = 0.5",
        why="no neuron is polysemantic where none answers to anything",
    )
