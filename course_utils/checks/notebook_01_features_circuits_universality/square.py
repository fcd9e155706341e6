"""Exercise 1.6: a unit, made by hand, that tells squares from everything else."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils import vision
from course_utils.checks.answer import Answer, as_list, as_tensor
from course_utils.checks.compare import unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.inputs import generator
from course_utils.checks.registry import exercise

ENOUGH = 0.9  # of each kind must be told right
KINDS = vision.TASK_KINDS
CONFUSED = {kind: "confuses-" + kind.replace(" ", "-").lower() for kind in KINDS[1:-1]}
WHERE = {
    "triangle": "it has a line at the bottom, and its slanted sides look a little like the others",
    "circle": "it has all four edges in the right places, but no corners: weights near the corners "
    "tell the two apart",
    "cross": "its lines go through the middle, where a square has none",
    "L": "it has two of the four edges: the other two must count as much",
    "broken square": "its edges have the right lengths, but each one is moved outwards and aside",
}


@cache
def _images() -> tuple[Tensor, Tensor]:
    """Maps of a few hundred images, and what they show."""
    images, kinds = vision.square_task(40 * len(KINDS), generator=generator(0))
    return vision.edge_maps(images), kinds


def by_hand() -> tuple[Tensor, float]:
    """The library's unit: the outer rims of the four lines, three pixels wide."""
    weights = torch.zeros(4, 19, 19)
    side = slice(3, 16)
    for far in (15, 16, 17):
        weights[0, far, side] = weights[1, side, far] = 1
        weights[2, 18 - far, side] = weights[3, side, 18 - far] = 1
    return weights, -15.9


@exercise(
    "1.6",
    fallback=by_hand,
    diagnoses=(
        "nothing-excites-it",
        "bias-too-low",
        "bias-too-high",
        "bias-positive",
        "sides-swapped",
        "counts-edges",
        *CONFUSED.values(),
    ),
)
def square_detector(answer: Answer) -> str:
    weights, bias = _pair(answer())
    sums = _evidence(weights)
    right = _told(sums > -bias)
    if right.min() >= ENOUGH:
        return (
            f"Your unit fires for {right[0]:.0%} of squares, wherever they are, and is silent for "
            f"at least {right[1:].min():.0%} of every other kind: four edges, weights and a bias."
        )
    if sums.max() <= 0:
        raise Mistake(
            "nothing-excites-it",
            "No image gives your unit a sum above 0, so no bias can help. A weight is positive "
            "where that kind of edge speaks for a square.",
        )
    threshold, best = _best_threshold(sums)
    if best.min() >= ENOUGH:
        raise _wrong_bias(sums, bias, threshold)
    for order in ([2, 3, 0, 1], [2, 1, 0, 3], [0, 3, 2, 1]):
        if _best_threshold(_evidence(weights[order]))[1].min() >= ENOUGH:
            raise Mistake(
                "sides-swapped",
                "Your edges are in the right places, but of the wrong kind: with maps 0 and 2, or "
                "1 and 3, exchanged it would work. White is below the top line's outer rim.",
            )
    wrong = [kind for kind, share in zip(KINDS[1:], best[1:]) if share < ENOUGH]
    if len(wrong) > 2:
        raise unforeseen(
            tried=f"{len(sums)} images with noise, at the bias that suits your weights best",
            want="a unit that fires for squares and hardly for anything else",
            why="only a square has all four edges in these places",
            got=f"one that fires for {best[0]:.0%} of the squares, and for more than a tenth of "
            f"these kinds: {', '.join(wrong)}",
        )
    worst = KINDS[1 + int(best[1:].argmin())]
    rates = f"At its best bias your unit still fires for {1 - best[KINDS.index(worst)]:.0%} of "
    if worst == "hash":
        raise Mistake(
            "counts-edges",
            f"{rates}hashes, which have more edges than a square in other places, and for "
            f"{best[0]:.0%} of squares. So it counts edges. Put weights only where a square has "
            "that kind of edge.",
        )
    raise Mistake(
        CONFUSED[worst],
        f"{rates}{worst} images, and for {best[0]:.0%} of squares. The {worst} comes close, for "
        f"{WHERE[worst]}.",
    )


def _pair(value: object) -> tuple[Tensor, float]:
    parts = as_list(value, "two things, the weights and the bias")
    if len(parts) != 2:
        raise Mistake(
            "wrong-type", f"Expected two things, the weights and the bias, but got {len(parts)}."
        )
    weights = as_tensor(parts[0], shape=(4, 19, 19), meaning="the weights")
    bias = (
        parts[1].reshape(()) if isinstance(parts[1], Tensor) and parts[1].numel() == 1 else parts[1]
    )
    return weights.float(), float(as_tensor(bias, shape=(), meaning="the bias"))


def _evidence(weights: Tensor) -> Tensor:
    """The largest sum over the places of each image, before bias and ReLU."""
    return F.conv2d(_images()[0], weights[None], padding=9).amax((1, 2, 3))


def _told(fires: Tensor) -> Tensor:
    """Of each kind the share that is told right."""
    kinds = _images()[1]
    right = fires == (kinds == 0)
    return torch.stack([right[kinds == k].double().mean() for k in range(len(KINDS))])


def _best_threshold(sums: Tensor) -> tuple[float, Tensor]:
    """The threshold at which the kind that fares worst fares best, and how all fare there."""
    ordered = sums.sort().values
    tried = [(float(t), _told(sums > t)) for t in (ordered[1:] + ordered[:-1]) / 2 if t > 0]
    # Where no threshold helps the worst kind, the one that most are told right by says which it is.
    best = max(tried, key=lambda pair: (float(pair[1].min()), float(pair[1].mean())), default=None)
    return best or (0.0, _told(sums > 0))


def _wrong_bias(sums: Tensor, bias: float, threshold: float) -> Mistake:
    kinds = _images()[1]
    squares = sums[kinds == 0].quantile(0.05)
    others = {k: float(sums[kinds == k].quantile(0.95)) for k in range(1, len(KINDS))}
    nearest = max(others, key=others.__getitem__)
    where = (
        f"Your weights are fine: they give squares at least about {squares:.1f}, and of the rest "
        f"{KINDS[nearest]} images come closest, with up to {others[nearest]:.1f}."
    )
    if _told(sums > bias).min() >= ENOUGH:
        return Mistake(
            "bias-positive",
            f"{where} But the bias is *added*, and yours is positive: turn its sign around.",
        )
    if -bias > threshold:
        return Mistake(
            "bias-too-low",
            f"{where} With your bias of {bias:.1f} squares are silent too: bring it nearer to 0.",
        )
    return Mistake(
        "bias-too-high",
        f"{where} With your bias of {bias:.1f} others fire as well: it must be further below 0.",
    )
