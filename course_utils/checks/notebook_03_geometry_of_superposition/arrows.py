"""What the checks of shapes share: a shape is right in any position and order of its arrows.

So shapes are decided by lengths and angles. One that is only roughly right does not pass: the
notebook goes on to measure it in five digits.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.answer import as_tensor
from course_utils.checks.compare import same, unforeseen
from course_utils.checks.guard import Mistake

EXACT = 1e-4  # for lengths, and for coordinates
EXACT_ANGLE = 2e-5  # in radians; the notebook's D depends on angles, and not on lengths
EXACT_COSINE = 5e-6
ROUGH = 0.01  # what was meant, with too few digits
TURN = 2 * math.pi
TWICE = (
    "The first two rows of yours are the same, so that all arrows point along one diagonal. One "
    "row is the cosine of the angle, the other the sine."
)


def arrows(value: Any, shape: tuple[int, int], meaning: str) -> Tensor:
    """`value` as a matrix whose columns are arrows; a `Mistake` says so if its rows are."""
    try:
        return as_tensor(value, shape=shape, meaning=meaning)
    except Mistake as mistake:
        if mistake.diagnosis != "wrong-shape" or not has_shape(value, shape[::-1]):
            raise
    raise Mistake(
        "transposed",
        f"Yours has the shape {shape[::-1]}: each arrow is a row. Arrows are the columns of W, so "
        f"the shape should be {shape}. Turn it round with `.T`.",
    )


def has_shape(value: Any, shape: tuple[int, int]) -> bool:
    try:
        as_tensor(value, shape=shape)
    except Mistake:
        return False
    return True


def angles(W: Tensor) -> Tensor:
    """The angle of every column seen from above, from 0 to a full turn."""
    return torch.atan2(W[1], W[0]) % TURN


def gaps_between(W: Tensor) -> Tensor:
    """The angles between neighbouring columns, all the way round."""
    return gaps_of(angles(W))


def gaps_of(angles: Tensor) -> Tensor:
    around = (angles % TURN).sort().values
    return torch.cat([around, around[:1] + TURN]).diff()


def alike(gaps: Tensor, others: Tensor) -> bool:
    """Whether two shapes in the plane can be turned or mirrored onto each other."""
    return any(
        same(gaps, way.roll(shift), 1e-3)
        for way in (others, others.flip(0))
        for shift in range(len(others))
    )


def twice_the_same(W: Tensor) -> bool:
    return same(W[0], W[1], EXACT) and bool((W[0] != 0).any())


def all_in(values: Tensor, *wanted: float | Tensor) -> bool:
    return all(any(abs(float(v) - float(w)) < ROUGH for w in wanted) for v in values)


def listed(values: Tensor) -> str:
    return ", ".join(f"{round(float(v), 3) + 0.0:g}" for v in values)


def not_unit(lengths: Tensor) -> str:
    return (
        f"The directions are right, but the lengths are {listed(lengths)}. Every arrow must have "
        "the length 1: divide it by its length."
    )


def rounded(exact: str) -> str:
    return (
        "That is the right shape, only roughly: somewhere there are numbers with too few digits. "
        f"Let the computer work them out: use {exact} in place of decimals."
    )


def wrong_lengths(lengths: Tensor, tried: str) -> Mistake:
    return unforeseen(
        tried=f"{tried}, and looked at the lengths",
        want="the length 1 for every arrow",
        why="all arrows have the same length, 1",
        got=f"the lengths {listed(lengths)}",
    )
