"""Exercises 3.4 and 3.5: the tetrahedron and the square antiprism."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_utils import geometry
from course_utils.checks.answer import Answer
from course_utils.checks.compare import expect, same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_03_geometry_of_superposition.arrows import (
    EXACT,
    EXACT_ANGLE,
    EXACT_COSINE,
    ROUGH,
    TURN,
    TWICE,
    alike,
    all_in,
    angles,
    arrows,
    gaps_between,
    gaps_of,
    listed,
    not_unit,
    rounded,
    twice_the_same,
    wrong_lengths,
)
from course_utils.checks.registry import exercise


def _tetrahedron() -> Tensor:
    return geometry.simplex(4)


@exercise(
    "3.4",
    fallback=_tetrahedron,
    diagnoses=(
        "flat",
        "any-four-corners",
        "right-angles",
        "basis-and-diagonal",
        "pyramid",
        "not-unit",
        "rounded",
        "transposed",
    ),
)
def tetrahedron(answer: Answer) -> str:
    value = answer()
    if type(value) is Tensor and value.dtype == torch.int64:
        value = value.double()  # corners of a cube; what is wrong with them can be said
    W = arrows(value, (3, 4), "3 coordinates, 4 arrows")
    lengths = W.norm(dim=0)
    if lengths.min() < ROUGH:
        raise wrong_lengths(lengths, "your four arrows")
    w = W / lengths
    C = (w.T @ w)[torch.triu_indices(4, 4, 1).unbind()]
    off = float((C + 1 / 3).abs().max())
    if off < EXACT_COSINE and same(lengths, torch.ones(4), EXACT):
        return "Four arrows in three dimensions: all cosines are −1/3, however you turn it."
    if off < ROUGH:
        if (lengths - 1).abs().max() < ROUGH:
            raise Mistake("rounded", rounded("roots, such as `3**0.5`,"))
        raise Mistake("not-unit", not_unit(lengths))
    _judge_corners(w, C)
    raise unforeseen(
        tried="the cosines between every two of your four arrows",
        want="−0.3333 six times",
        why="four equal angles in three dimensions are possible in this way only",
        got=listed(C),
    )


def _judge_corners(w: Tensor, C: Tensor) -> None:
    """Name the wrong shape of four arrows of length 1, which have the cosines C."""
    if torch.linalg.svdvals(w)[2] < ROUGH:
        raise Mistake(
            "flat",
            "All four of your arrows lie in one plane. There, no four can have the same angle "
            "between every two: a square has angles of 90 and of 180 degrees. Use the third "
            "dimension.",
        )
    if all_in(C, 1 / 3, -1 / 3, -1.0):
        raise Mistake(
            "any-four-corners",
            "Your arrows point to four corners of a cube, but not every two are equally far "
            f"apart: the cosines are {listed(C)}. Choose the corners so that any two differ in "
            "exactly two coordinates.",
        )
    if all_in(C, 0.0, 1.0, -1.0):
        raise Mistake(
            "right-angles",
            "Your arrows lie on the three axes, and the fourth has no axis of its own. Four equal "
            "angles in three dimensions cannot be right angles: they are wider, about 109.5 "
            "degrees.",
        )
    for apex in range(4):
        others = [i for i in range(4) if i != apex]
        to_apex = w[:, apex] @ w[:, others]
        between = (w.T @ w)[others][:, others][torch.triu_indices(3, 3, 1).unbind()]
        if not (all_in(to_apex, to_apex[0]) and all_in(between, between[0])):
            continue
        if abs(float(between[0])) < ROUGH:
            raise Mistake(
                "basis-and-diagonal",
                "Three of your arrows are at right angles, and the fourth is on their diagonal: "
                f"its cosine with them is {to_apex[0]:.3f}. All six cosines must be the same, so "
                "the three may not be at right angles either.",
            )
        raise Mistake(
            "pyramid",
            "Three of your arrows are alike, and one is not: its cosine with each of them is "
            f"{to_apex[0]:.3f}, and between two of them it is {between[0]:.3f}. Lift or lower the "
            "three, and keep their length 1, until both are −1/3.",
        )


@exercise(
    "3.5",
    fallback=geometry.square_antiprism,
    diagnoses=(
        "not-turned",
        "half-circles",
        "degrees-as-radians",
        "cosine-twice",
        "same-side",
        "height-for-distance",
        "another-row",
        "normalised-afterwards",
        "radius-one",
        "forgets-the-root",
        "one-minus-height",
        "rounded",
        "transposed",
    ),
)
def square_antiprism(answer: Answer) -> str:
    for height in (0.5, 0.2, 0.8):
        W = arrows(answer(height), (3, 8), "3 coordinates, 8 arrows")
        _judge_heights(W, height)
        _judge_radius(W, height)
        _judge_squares(W, height)
    # At the ends: an octagon in a plane, and two poles.
    for height, gap in ((0.0, 45.0), (1.0, None)):
        W = arrows(answer(height), (3, 8), "3 coordinates, 8 arrows")
        _judge_heights(W, height)
        _judge_radius(W, height)
        if gap:
            expect(
                gaps_between(W).rad2deg(),
                torch.full((8,), gap, dtype=torch.float64),
                tried=f"height = {height:g}, and looked at the gaps between neighbours in degrees",
                why=f"both squares are in one plane, one turned by {gap:g} degrees",
            )
    return "Symmetry makes all eight arrows equal, at every height."


def _judge_heights(W: Tensor, height: float) -> None:
    def at(z: Tensor, h: float) -> bool:
        return same(z.sort().values, torch.tensor([-h] * 4 + [h] * 4), EXACT)

    z = W[2]
    if at(z, height):
        return
    if at(W[0], height) or at(W[1], height):
        raise Mistake(
            "another-row",
            "The heights are there, in another row. They are the third coordinate: the last row "
            "of W.",
        )
    if height and (same(z, torch.full((8,), height)) or same(z, torch.full((8,), -height))):
        raise Mistake(
            "same-side",
            f"All eight of your arrows have the third coordinate {z[0]:.4g}. One square goes up to "
            "+height, the other down to −height.",
        )
    if at(z, height / 2):
        raise Mistake(
            "height-for-distance",
            f"For height = {height:g} your squares are at ±{height / 2:g}. The height is counted "
            "from the middle: +height and −height, so that they are twice that far apart.",
        )
    if at(z, height / math.sqrt(1 + height**2)):
        raise Mistake(
            "normalised-afterwards",
            f"For height = {height:g} your squares are at ±{z.abs().max():.4g}. Dividing a "
            "finished arrow by its length lowers it too. Choose the distance from the axis as "
            "√(1 − z²) instead; then the length is 1 and the height is kept.",
        )
    raise unforeseen(
        tried=f"height = {height:g}, and looked at the third coordinates",
        want=f"+{height:g} four times and −{height:g} four times",
        why="one square is at +height and the other at −height",
        got=listed(z),
    )


def _judge_radius(W: Tensor, height: float) -> None:
    """Decide on the lengths; the third coordinates are right."""
    lengths = W.norm(dim=0)
    if same(lengths, torch.ones(8), EXACT):
        return
    radius = W[:2].norm(dim=0)
    if twice_the_same(W):
        raise Mistake("cosine-twice", TWICE)
    for slug, wrong, message in (
        (
            "radius-one",
            1.0,
            f"For height = {height:g} your arrows have the length {lengths[0]:.4g}. They end at a "
            "distance of 1 from the axis, and the height comes on top. The distance has to shrink: "
            "√(1 − z²).",
        ),
        (
            "forgets-the-root",
            1 - height**2,
            "You take 1 − z² for the distance from the axis. By Pythagoras that is its square: "
            "take the root.",
        ),
        (
            "one-minus-height",
            1 - height,
            "You take 1 − height for the distance from the axis. By Pythagoras it is √(1 − z²).",
        ),
    ):
        if same(radius, torch.full((8,), wrong), EXACT):
            raise Mistake(slug, message)
    if (lengths - 1).abs().max() < ROUGH:
        raise Mistake("rounded", rounded("`torch.pi` for π, and roots"))
    raise wrong_lengths(lengths, f"height = {height:g}")


def _judge_squares(W: Tensor, height: float) -> None:
    """Decide on the angles; lengths and third coordinates are right, and neither 0 nor 1."""
    upper, lower = W[:, W[2] > 0], W[:, W[2] < 0]
    gaps = [gaps_between(upper), gaps_between(lower)]
    degrees = torch.tensor([0.0, 90, 180, 270], dtype=torch.float64)
    if all(alike(g, gaps_of(degrees + start)) for g, start in zip(gaps, (0, 45))):
        raise Mistake(
            "degrees-as-radians",
            "Your angles are in degrees, and `cos` and `sin` want radians. Convert them with "
            "`deg2rad()`.",
        )
    if all(alike(g, gaps_of((degrees / 2).deg2rad())) for g in gaps):
        raise Mistake(
            "half-circles",
            "Four neighbours of yours are up and the four others down: each is half a circle and "
            "no square. Up belong 0, 90, 180 and 270 degrees, down the four between.",
        )
    off = max(float((g - TURN / 4).abs().max()) for g in gaps)
    turned = float((angles(lower)[0] - angles(upper)[0]).rad2deg() % 90)
    if off < ROUGH:
        if min(turned, 90 - turned) < 0.1:
            raise Mistake(
                "not-turned",
                "Your two squares stand exactly above each other, and that is a box. Turn one of "
                "them by 45 degrees.",
            )
        off_turn = abs(math.radians(turned - 45))
        if off < EXACT_ANGLE and off_turn < EXACT_ANGLE:
            return
        if off_turn < ROUGH:
            raise Mistake("rounded", rounded("`torch.pi` for π, and `torch.cos`"))
    above, below = (listed(angles(part).rad2deg().sort().values) for part in (upper, lower))
    raise unforeseen(
        tried=f"height = {height:g}, and looked from above",
        want="one square at 0, 90, 180, 270 degrees and one at 45, 135, 225, 315 degrees, or both "
        "turned by the same angle",
        why="the lower square is turned by 45 degrees against the upper one",
        got=f"{above} degrees up, and {below} degrees down",
    )
