"""Exercise 4.6: in how many classes a neuron is active."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_utils import contexts, neurons
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_04_polysemanticity.counting import floating
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

EVEN = torch.tensor([0, 1, 2, 0, 1, 2])
UNEVEN = torch.tensor([0, 0, 0, 1, 2, 1])  # three texts, two, and one


@exercise(
    "4.6",
    fallback=neurons.effective_classes,
    diagnoses=(
        "entropy-itself",
        "bits-and-nats",
        "minus-forgotten",
        "over-neurons",
        "over-texts",
        "sums-for-means",
        "counts-the-active",
        "sum-of-squares",
        "no-shares",
        "zero-times-log-zero",
        "never-active",
        "sixteen-written-in",
    ),
)
def effective_classes(answer: Answer) -> str:
    # Every class has some of it first, so that no logarithm of 0 hides another mistake.
    x = torch.tensor([[0.2, 0.8], [0.3, 0.1], [0.1, 0.5], [0.6, 0.2], [0.5, 0.1], [0.1, 0.7]])
    for classes in (EVEN, UNEVEN):
        _judge(answer, x, classes)
    for parts, classes in (((3, 3, 0, 0, 0, 0), UNEVEN), ((0, 0, 0, 2, 0, 2), UNEVEN)):
        _judge_zeros(answer, torch.tensor(parts, dtype=x.dtype), classes)
    _judge_dead(answer, x)
    return "Yes, exp(H) counts classes: s that share alike are s, and one that has most is one."


def _shares(x: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """The means m_c and the shares q_c, written out: (classes, neurons)."""
    x = x.double()
    m = torch.stack([x[classes == c].mean(0) for c in range(int(classes.max()) + 1)])
    return m, m / m.sum(0)


def _H(q: Tensor) -> Tensor:
    return -(q * q.clamp_min(1e-300).log()).sum(0)


def _call(answer: Answer, x: Tensor, classes: Tensor) -> Tensor:
    """The answer's numbers; whole ones too, as those who count classes return."""
    value = floating(answer(x, classes))
    return as_tensor(value, shape=(x.shape[1],), meaning="one number for each neuron")


def _right_for_sixteen(answer: Answer) -> bool:
    """Whether the answer is right where there are as many classes as in the notebook.

    They are in no order, and not alike in number.
    """
    n = len(contexts.CLASSES)
    classes = torch.cat([torch.arange(n), torch.arange(n).flip(0), torch.tensor([3, 1, 3])])
    parts = torch.arange(1.0, len(classes) + 1)
    x = torch.stack([parts * 7 % 11 + 1, parts * 5 % 13 + 1], dim=1)
    try:
        return same(_call(answer, x, classes), _H(_shares(x, classes)[1]).exp())
    except Mistake:
        return False


def _judge(answer: Answer, x: Tensor, classes: Tensor) -> None:
    """Decide by the formula of the exercise; in x every class is active in every neuron."""
    try:
        got = _call(answer, x, classes)
    except Mistake as mistake:
        if mistake.diagnosis in ("not-finite", "raises") and _right_for_sixteen(answer):
            raise Mistake(
                "sixteen-written-in",
                f"Here `classes` holds {int(classes.max()) + 1} classes, and yours looks for "
                "others; an empty class has no mean. Take their number from `classes.max() + 1`.",
            ) from None
        raise
    m, q = _shares(x, classes)
    want, p = _H(q).exp(), x.double() / x.double().sum(0)
    sums = torch.stack([x.double()[classes == c].sum(0) for c in range(len(m))])
    across = m / m.sum(1, keepdim=True)  # each class's shares over the neurons
    foreseen: dict[str, tuple[list[Tensor], str]] = {
        "entropy-itself": (
            [_H(q), _H(q) / math.log(2)],
            "That is the entropy H: 0 for one class, log k for k classes that share alike. To "
            "count classes, take exp(H): 1 and k.",
        ),
        "bits-and-nats": (
            [2 ** _H(q), (_H(q) / math.log(2)).exp(), 10 ** _H(q), (_H(q) / math.log(10)).exp()],
            "Your logarithm and your power have different bases. `log` goes with `exp`, and `log2` "
            "with 2 to the power of it.",
        ),
        "minus-forgotten": (
            [(-_H(q)).exp(), -_H(q)],
            "The minus sign of H is missing. The logarithm of a share is negative, so that "
            "H = −Σ q log q is positive.",
        ),
        "over-neurons": (
            [_H(across).exp(), torch.special.entr(across).sum(0)],
            "Your shares add up to 1 over the neurons of a class. Each neuron is judged alone: its "
            "own shares add up to 1 over the classes, dimension 0 of the means.",
        ),
        "over-texts": (
            [_H(p).exp(), _H(p)],
            "You count texts, not classes. Take the mean over the texts of each class first, and "
            "then shares of these means.",
        ),
        "sums-for-means": (
            [_H(sums / sums.sum(0)).exp()] if not same(sums / sums.sum(0), q) else [],
            "You add up each class's activations, so a class with more texts weighs more. Take the "
            "mean over the texts of a class.",
        ),
        "counts-the-active": (
            [(m > 0).double().sum(0)],
            "You count every class in which the neuron is active at all, however little. The "
            "effective number weighs them by their shares, through the entropy.",
        ),
        "sum-of-squares": (
            [1 / (q**2).sum(0)],
            "1 / Σ q² is another number of effective classes, that of order 2. Here it is exp(H), "
            "with H = −Σ q log q, the one of order 1.",
        ),
        "no-shares": (
            [(-(m * m.log()).sum(0)).exp(), -(m * m.log()).sum(0)],
            "You take the entropy of the means. It is for shares, which add up to 1: divide the "
            "means of a neuron by their sum first.",
        ),
    }
    for slug, (values, message) in foreseen.items():
        if any(same(got, value) for value in values) and not same(got, want):
            raise Mistake(slug, message)
    expect(
        got,
        want,
        tried=f"activations = {shown(x)}, classes = {shown(classes)}",
        why=f"the first neuron's means are {shown(m[:, 0])}, its shares {shown(q[:, 0])}, and the "
        f"entropy of these {float(_H(q)[0]):.4g}",
    )


def _judge_zeros(answer: Answer, column: Tensor, classes: Tensor) -> None:
    """A class in which the neuron is never active, after activations without one were right."""
    x = column[:, None]
    _, q = _shares(x, classes)
    advice = (
        "A class in which the neuron is never active has the share 0. For the computer, 0 times "
        "log 0 is NaN; here it is to count as 0. `torch.special.entr(q)` is −q log q and knows "
        "that, or add a tiny number inside of the logarithm."
    )
    try:
        got = _call(answer, x, classes)
    except Mistake as mistake:
        if mistake.diagnosis in ("not-finite", "raises"):
            raise Mistake("zero-times-log-zero", advice) from None
        raise
    expect(
        got,
        _H(q).exp(),
        tried=f"activations = {shown(x)}, classes = {shown(classes)}",
        why=f"the shares are {shown(q[:, 0])}",
        tolerance=1e-3,
    )


def _judge_dead(answer: Answer, x: Tensor) -> None:
    """A neuron that is never active, beside one that is."""
    x = torch.stack([torch.zeros(len(x), dtype=x.dtype), x[:, 0]], dim=1)
    advice = (
        "A neuron that is never active is in no class, and its number is to be 0. Its means add up "
        "to 0, and nothing can be divided by that: choose with `torch.where`, or multiply by "
        "`total > 0`."
    )
    try:
        got = _call(answer, x, EVEN)
    except Mistake as mistake:
        if mistake.diagnosis in ("not-finite", "raises"):
            raise Mistake("never-active", advice) from None
        raise
    if not same(got[0], 0.0, 1e-3):
        raise Mistake("never-active", f"{advice} Yours is {float(got[0]):.4g}.")
    expect(
        got[1],
        _H(_shares(x[:, 1:], EVEN)[1]).exp()[0],
        tried="a neuron that is never active, and one that is",
        why="the second is as if it were alone",
        tolerance=1e-3,
    )
