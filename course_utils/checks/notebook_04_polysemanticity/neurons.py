"""Exercise 4.7: three neurons, each judged by the number of its classes."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from course_utils import contexts
from course_utils.checks.answer import Answer
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_04_polysemanticity.one_layer import Measured, measured
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe

WORDS = ("monosemantic", "polysemantic")
BELOW = 2.0  # monosemantic: all of the interval is below
ABOVE, DENSE = 3.0, 12.0  # polysemantic: all of it lies between; active in nearly all: neither


def verdicts(low: Tensor, high: Tensor) -> list[str]:
    """What can be said of each neuron: one of WORDS, "dense" or "unclear"."""
    return [
        WORDS[0] if 0 < h < BELOW else
        "unclear" if a <= ABOVE else WORDS[1] if h <= DENSE else "dense"
        for a, h in zip(low.tolist(), high.tolist())
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
    truth = verdicts(found.low, found.high)
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
    return f"{e:.1f} ({low:.1f} to {high:.1f})"


def _judge_neuron(neuron: int, word: str, truth: str, found: Measured) -> None:
    reading = f"Neuron {neuron} has {_reading(neuron, found)} effective classes"
    if truth == "unclear":
        raise Mistake(
            "unclear",
            f"{reading}. That is neither all below {BELOW:g} nor all above {ABOVE:g}: not clearly "
            "one class, nor clearly several. Neither word is safe. Name another neuron.",
        )
    k = len(contexts.CLASSES)
    if truth == "dense":
        sure = "is" if found.low[neuron] > DENSE else "may be"
        raise Mistake(
            "it-is-dense",
            f"{reading}. That {sure} above {DENSE:g}: it is active in nearly all of the {k} "
            "classes, so they cannot say what it is about. Such a neuron is dense, and neither "
            "word is for that. Name another one.",
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
