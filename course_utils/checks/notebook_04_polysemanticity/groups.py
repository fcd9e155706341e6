"""Exercise 4.2: what is left to guess when classes share a level of one neuron."""

from __future__ import annotations

import math

from course_utils.checks.answer import Answer
from course_utils.checks.compare import expect
from course_utils.checks.registry import exercise


def best_guess_loss(groups: list[int]) -> float:
    """The mean over classes of ln(size of the class's group). groups: the size of each group."""
    return sum(size * math.log(size) for size in groups) / sum(groups)


@exercise(
    "4.2",
    fallback=best_guess_loss,
    diagnoses=(
        "mean-over-groups",
        "sum-over-groups",
        "once-per-group",
        "sum-not-mean",
        "divides-by-groups",
        "ignores-groups",
        "what-the-neuron-says",
        "log-of-mean-size",
        "other-logarithm",
        "chance-of-error",
        "negative",
    ),
)
def groups(answer: Answer) -> str:
    for sizes in ([1, 3], [2, 2], [1, 1, 2], [4], [1, 4, 5], [1, 1, 1, 1]):
        _judge(answer, sizes)
    return "Two and two leaves ln 2 = 0.693 to guess; one against three leaves ¾ ln 3 = 0.824."


def _judge(answer: Answer, sizes: list[int]) -> None:
    n, logs = sum(sizes), [math.log(size) for size in sizes]
    total = sum(size * log for size, log in zip(sizes, logs))
    want = total / n
    shares = [size / n for size in sizes]
    said = " + ".join(f"{size}·ln {size}" for size in sizes)
    expect(
        answer.tensor(list(sizes), shape=(), meaning="a mean cross-entropy, in nats"),
        want,
        tried=f"groups = {sizes}",
        why=f"each class of a group of k is guessed with probability 1/k, which costs ln k, so "
        f"the mean over the {n} classes is ({said}) / {n}",
        mistakes={
            "mean-over-groups": (
                sum(logs) / len(sizes),
                "You take the mean over groups. All classes are equally likely, so a group of "
                "three counts three times as much as one class alone: take the mean over classes.",
            ),
            "sum-over-groups": (
                sum(logs),
                "You add up one ln k for each group. Each of the k classes of a group pays ln k; "
                "add those, and divide by the number of classes.",
            ),
            "once-per-group": (
                sum(logs) / n,
                "You add up one ln k for each group. A group of three has three classes, and each "
                "of them pays ln 3: weigh ln k by k.",
            ),
            "sum-not-mean": (
                total,
                "That is the sum over classes. Divide it by the number of classes.",
            ),
            "divides-by-groups": (
                total / len(sizes),
                "The sum is right, but you divide it by the number of groups. The mean is over "
                "the classes: divide by `sum(groups)`.",
            ),
            "ignores-groups": (
                math.log(n),
                f"You return ln {n}, as if the neuron said nothing. It tells the groups apart: "
                "within a group of k, each class is guessed with probability 1/k.",
            ),
            "what-the-neuron-says": (
                -sum(share * math.log(share) for share in shares),
                "That is the entropy of the groups: how much the neuron tells. Asked for is what "
                "is left to guess, ln k for a class in a group of k.",
            ),
            "log-of-mean-size": (
                math.log(sum(size**2 for size in sizes) / n),
                "You take the logarithm of the mean group size. Take the logarithm for each "
                "class first, and then the mean.",
            ),
            "other-logarithm": (
                want / math.log(2) if want else 1.0,
                "You use the logarithm to base 2. Cross-entropy here is in nats: `math.log`.",
            ),
            "chance-of-error": (
                1 - len(sizes) / n,
                "That is the probability of a wrong guess. The cross-entropy is the mean of "
                "−ln(probability that the guess gives to the right class).",
            ),
            "negative": (
                -want if want else -1.0,
                "The sign is turned round: −ln(1/k) is +ln k, and a cross-entropy is never "
                "negative.",
            ),
        },
        tolerance=1e-5,
    )
