"""Exercises 4.6 and 4.7: in how many classes a neuron is active, and three neurons judged by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from course_utils import contexts, neurons
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_04_polysemanticity.counting import floating
from course_utils.checks.notebook_04_polysemanticity.one_layer import Measured, measured
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe, shown

# 4.6 -------------------------------------------------------------------------------------

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


# 4.7 -------------------------------------------------------------------------------------

WORDS = ("monosemantic", "polysemantic")
BELOW = 2.0  # monosemantic: all of the interval is below
ABOVE, DENSE = 3.0, 12.0  # polysemantic: all of it lies between; active in nearly all: neither


def verdicts(low: Tensor, high: Tensor, null: Tensor) -> list[str]:
    """What can be said of each neuron: one of WORDS, "class-blind", "dense" or "unclear"."""
    return [
        WORDS[0] if 0 < h < BELOW else "class-blind" if h >= n else
        "unclear" if a <= ABOVE else WORDS[1] if h <= DENSE else "dense"
        for a, h, n in zip(low.tolist(), high.tolist(), null.tolist())
    ]  # fmt: skip


def choose_three(low: Tensor, high: Tensor) -> dict[int, str]:
    """The narrowest neuron, and two whose intervals are around 6, well between ABOVE and DENSE.

    Three of the latter if none is narrow enough.
    """
    middle = ((low + high) / 2 - 6).abs().argsort()[:3].tolist()
    narrow = int(high.where(high > 0, torch.inf).argmin())
    if high[narrow] >= BELOW:
        return dict.fromkeys(middle, WORDS[1])
    return {narrow: WORDS[0], middle[0]: WORDS[1], middle[1]: WORDS[1]}


@exercise(
    "4.7",
    fallback=choose_three,
    diagnoses=(
        "not-three",
        "no-such-neuron",
        "another-word",
        "unclear",
        "it-is-polysemantic",
        "it-is-monosemantic",
        "it-is-dense",
        "one-word-only",
        "turned-round",
    ),
)
def three_neurons(answer: Answer) -> str:
    found = measured("A")
    truth = verdicts(found.low, found.high, found.null)
    named = _read(answer(found.low, found.high), len(truth))
    for neuron, word in named.items():
        _judge_neuron(neuron, word, truth[neuron], found)
    if len(set(named.values())) == 1 and set(WORDS) <= set(truth):
        word = next(iter(named.values()))
        counts = {w: truth.count(w) for w in WORDS}
        raise Mistake(
            "one-word-only",
            f"All three are {word}, and that is right. But name one of the other kind as well: of "
            f"the {len(truth)} neurons, {counts[WORDS[0]]} are clearly monosemantic and "
            f"{counts[WORDS[1]]} clearly polysemantic. Order them by their number of classes.",
        )
    said = ", ".join(f"{n}: {_reading(n, found)}" for n in named)
    return (
        f"Three verdicts that hold with other texts too ({said}). They are about these classes: a "
        "neuron for all languages but English would count as eight, and meanings within a class "
        "as one."
    )


def _read(value: Any, n_neurons: int) -> dict[int, str]:
    """The learner's dict, or a `Mistake` that says what is wrong with it."""
    if not isinstance(value, Mapping):
        raise Mistake(
            "wrong-type",
            f'Expected a dict such as {{17: "{WORDS[1]}"}}, but got {describe(value)}.',
        )
    if any(isinstance(key, str) and key.strip().lower() in WORDS for key in value):
        raise Mistake(
            "turned-round",
            "Your dict goes from words to numbers. Turn it round: "
            f'`{{17: "{WORDS[0]}", ...}}`, with three numbers.',
        )
    if len(value) != 3:
        raise Mistake("not-three", f"Three neurons are asked for, but yours are {len(value)}.")
    named = {}
    for neuron, word in value.items():
        if isinstance(neuron, Tensor) and neuron.numel() == 1:
            neuron = neuron.item()
        if not isinstance(neuron, Integral) or not 0 <= neuron < n_neurons:
            raise Mistake(
                "no-such-neuron",
                f"No neuron is called {describe(neuron)}. They have the numbers 0 to "
                f"{n_neurons - 1}, and a number is what stands before the colon.",
            )
        if not isinstance(word, str) or word.strip().lower() not in WORDS:
            raise Mistake(
                "another-word",
                f"Of neuron {neuron} you say {describe(word)}. Say one of two words: "
                f"{WORDS[0]} or {WORDS[1]}.",
            )
        named[int(neuron)] = word.strip().lower()
    if len(named) != 3:
        raise Mistake("not-three", "Two of your neurons are the same. Name three different ones.")
    return named


def _reading(neuron: int, found: Measured) -> str:
    e, low, high = (float(x[neuron]) for x in (found.effective, found.low, found.high))
    return f"{e:.1f}, from {low:.1f} to {high:.1f}"


def _judge_neuron(neuron: int, word: str, truth: str, found: Measured) -> None:
    reading = f"Neuron {neuron} has {_reading(neuron, found)} effective classes"
    if truth == "unclear":
        raise Mistake(
            "unclear",
            f"{reading}. That is neither all below {BELOW:g} nor all above {ABOVE:g}: not clearly "
            "one class, nor clearly several. Neither word is safe. Name another neuron.",
        )
    k = len(contexts.CLASSES)
    if truth in ("class-blind", "dense"):
        because = (
            f", as many as if labels were shuffled ({float(found.null[neuron]):.1f} or more). It "
            "does not tell the classes apart"
            if truth == "class-blind"
            else f". That {'is' if found.low[neuron] > DENSE else 'may be'} above {DENSE:g}: it is "
            f"active in nearly all of the {k} classes"
        )
        raise Mistake(
            "it-is-dense",
            f"{reading}{because}, so they cannot say what it is about. Such a neuron is dense, and "
            "neither word is for that. Name another one.",
        )
    if word != truth:
        why = (
            "all of the interval is below 2, less than two classes that share alike. Look at the "
            "bars: one class has nearly everything"
            if truth == WORDS[0]
            else f"all of the interval is above {ABOVE:g} of the {k} classes. Look at the bars, "
            "and at random tokens that activate it, not only at the strongest"
        )
        raise Mistake(f"it-is-{truth}", f"{reading}: {why}. So it is {truth}.")
