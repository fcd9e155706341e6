"""Exercise 4.10: neurons that fire for two things."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from course_utils import polysemanticity
from course_utils.checks import inputs
from course_utils.checks.answer import Answer, as_list
from course_utils.checks.compare import unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe


@exercise(
    "4.10",
    fallback=polysemanticity.neurons_for_both,
    diagnoses=(
        "either-will-do",
        "takes-the-mean",
        "takes-the-product",
        "forgets-the-spread",
        "forgets-the-number",
        "divides-by-variance",
        "forgets-the-root",
        "one-heap",
        "size-not-sign",
        "weakest-first",
        "first-only",
        "tells-apart",
        "not-in-order",
    ),
)
def neurons_for_both(answer: Answer) -> str:
    for seed in (0, 1):
        first, second = _made_neurons(seed)
        for k in (3, 5):
            _judge_neurons(answer, first, second, k)
    return (
        "The smaller strength decides. Such a neuron may be about the sign itself, or about two "
        "things: that it fires for both does not say which."
    )


# Mean and spread for the first and the second class, of one neuron a line. So that every mistake
# finds other neurons.
NEURONS = torch.tensor([
    [2.0, 0.4, 1.5, 0.4],  # for both, small numbers
    [4.0, 1.0, 3.6, 1.0],  # for both
    [3.4, 1.0, 2.1, 1.0],  # and so the next four; nine texts make a mean surer than four
    [2.9, 1.0, 1.9, 1.0],
    [2.6, 1.0, 2.7, 1.0],
    [2.3, 1.0, 2.5, 1.0],
    [0.1, 0.05, 0.1, 0.05],  # for both, less clearly, but the best by mean / variance
    [5.0, 1.0, 1.5, 1.0],  # so too, but of the best five by mean / (std / n)
    [1.7, 1.0, 1.7, 0.35],  # so too, but of the best three in one heap
    [30.0, 2.0, 0.2, 1.0],  # for the first
    [7.5, 1.0, 0.9, 1.0],
    [0.3, 1.0, 28.0, 2.0],  # for the second
    [1.2, 1.0, 7.0, 1.0],
    [9.0, 9.0, 9.0, 9.0],  # large and noisy
    [-6.0, 1.0, -6.5, 1.0],  # silent at both
    [12.0, 1.0, -9.0, 1.0],  # tell them apart
    [5.0, 1.0, -8.0, 1.0],
    [-7.5, 1.0, 6.0, 1.0],
    [-30.0, 4.0, 5.0, 4.0],
    [0.1, 1.0, 0.0, 1.0],
])  # fmt: skip


def _made_neurons(seed: int) -> tuple[Tensor, Tensor]:
    """Rows with just these means and spreads; the first class has four texts, the second nine."""
    made = []
    order = torch.randperm(len(NEURONS), generator=inputs.generator(60 + seed))
    for k, n in ((0, 4), (2, 9)):
        noise = (
            inputs.normal(n, len(NEURONS), seed=10 * seed + k).double()
            + torch.linspace(-1, 1, n, dtype=torch.float64)[:, None]
        )
        noise = (noise - noise.mean(0)) / noise.std(0)
        rows = NEURONS[:, k].double() + noise * NEURONS[:, k + 1].double()
        made.append(rows[:, order].to(torch.get_default_dtype()))
    return made[0], made[1]


def _judge_neurons(answer: Answer, first: Tensor, second: Tensor, k: int) -> None:
    got = _whole_numbers(answer(first, second, k), first.shape[1])
    a, b = (rows.double() for rows in (first, second))
    mean = [rows.mean(0) for rows in (a, b)]
    spread = [rows.std(0) for rows in (a, b)]
    t = [m / s * len(rows) ** 0.5 for m, s, rows in zip(mean, spread, (a, b))]
    smaller = torch.minimum(*t)

    def best(scores: Tensor) -> list[int]:
        return scores.topk(k).indices.tolist()

    want = best(smaller)
    if got == want:
        return
    if sorted(got) == sorted(want):
        raise Mistake(
            "not-in-order",
            "Those are the right neurons, in another order. Put the one with the largest score "
            "first: `topk` does.",
        )
    ratio = [m / s for m, s in zip(mean, spread)]
    by_variance = [m / s**2 for m, s in zip(mean, spread)]
    roots, heap = [len(rows) ** 0.5 for rows in (a, b)], torch.cat([a, b])
    foreseen: list[tuple[str, list[Tensor], str]] = [
        ("weakest-first", [-smaller],
         "You take the smallest scores. The k *largest* are asked for."),
        ("one-heap", [heap.mean(0) / heap.std(0)],
         "You put the rows of both classes in one heap. Each class has its own strength, from its "
         "own rows, and the smaller of the two decides: `torch.minimum`."),
        ("divides-by-variance",
         [torch.minimum(*(v * root**power for v, root in zip(by_variance, roots)))
          for power in (0, 1, 2)],
         "You divide by the variance, `var`. Divide by its square root, `std`, or take "
         "`(rows.var(0) / len(rows)).sqrt()`, which is the error std / √n."),
        ("forgets-the-root", [torch.minimum(*(r * root**2 for r, root in zip(ratio, roots)))],
         "You divide by std / n. The error of a mean is std / √n: `len(rows) ** 0.5`."),
        ("forgets-the-number",
         [torch.minimum(*(r / root**power for r, root in zip(ratio, roots)))
          for power in (0, 1, 2)],
         "Your neurons are those of mean / std with one n for both classes, or none. Each class "
         "has its own number of rows: `mean / std * len(rows) ** 0.5` (times, not divided)."),
        ("forgets-the-spread", [torch.minimum(*mean)],
         "You take the means as they are. A neuron with large numbers is not clear if they go up "
         "and down as much: divide each mean by its error, std / √n."),
        ("either-will-do", [torch.maximum(*t), torch.maximum(*ratio), torch.maximum(*mean)],
         "You take the larger of the two strengths, so a neuron for one class only gets in. For "
         "*both* the smaller one must be large."),
        ("takes-the-mean",
         [t[0] + t[1], mean[0] + mean[1], ratio[0] + ratio[1], heap.mean(0)],
         "You add the two, or take their mean, so a neuron that is very strong for one class gets "
         "in. The smaller of the two must decide: `torch.minimum`."),
        ("takes-the-product", [t[0] * t[1], ratio[0] * ratio[1], mean[0] * mean[1]],
         "You multiply the two. Then two negative ones, of a neuron that falls silent at both, "
         "count as much as two positive ones. Take the smaller of the two."),
        ("size-not-sign",
         [torch.minimum(t[0].abs(), t[1].abs()), torch.minimum(mean[0].abs(), mean[1].abs())],
         "You take sizes without their signs. A neuron that is *lower* at the sign does not fire "
         "for it: leave out `abs`."),
        ("first-only", [t[0], t[1], mean[0], mean[1], ratio[0], ratio[1]],
         "You look at one of the two classes only. The score of a neuron is the smaller of its two "
         "strengths."),
        ("tells-apart", [(t[0] - t[1]).abs(), (mean[0] - mean[1]).abs(), t[0] - t[1],
                         mean[0] - mean[1]],
         "You take differences between the classes: those neurons tell the two apart. Asked for "
         "are those that fire for both."),
    ]  # fmt: skip
    for as_seen in (list, sorted):  # in their order first: two mistakes may find the same neurons
        for slug, scores, message in foreseen:
            if any(as_seen(got) == as_seen(best(score)) for score in scores):
                raise Mistake(slug, message)
    strengths = [f"neuron {j}: {float(t[0][j]):.3g} and {float(t[1][j]):.3g}" for j in want]
    raise unforeseen(
        tried=f"{len(a)} and {len(b)} texts, {a.shape[1]} neurons, k = {k}",
        want=f"the neurons {want}",
        why=f"the strengths of the best are {'; '.join(strengths)}",
        got=f"the neurons {got}",
    )


def _whole_numbers(value: Any, n: int) -> list[int]:
    wanted = "a tensor or list of k whole numbers, the places of neurons"
    numbers = []
    for item in as_list(value, wanted):
        try:
            whole = item.item() if hasattr(item, "item") else item
            ok = isinstance(whole, Integral) and not isinstance(whole, bool)
            number = int(whole) if ok else None
        except (TypeError, ValueError, OverflowError, RuntimeError):
            number = None
        if number is None:
            raise Mistake("wrong-type", f"Expected {wanted}, but one of them is {describe(item)}.")
        if not -n <= number < n:
            raise Mistake("wrong-type", f"There is no neuron {number}: there are {n}.")
        numbers.append(number % n)
    return numbers
