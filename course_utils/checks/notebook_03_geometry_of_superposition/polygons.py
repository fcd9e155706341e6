"""Exercise 3.3: regular polygons."""

from __future__ import annotations

import math
from typing import Any

import torch

from course_utils import geometry
from course_utils.checks.answer import Answer
from course_utils.checks.compare import same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_03_geometry_of_superposition.arrows import (
    EXACT,
    EXACT_ANGLE,
    ROUGH,
    TURN,
    TWICE,
    alike,
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


@exercise(
    "3.3",
    fallback=geometry.regular_polygon,
    diagnoses=(
        "half-turn",
        "first-and-last-coincide",
        "degrees-as-radians",
        "turns-as-radians",
        "all-the-same",
        "cosine-twice",
        "not-unit",
        "rounded",
        "transposed",
    ),
)
def regular_polygon(answer: Answer) -> str:
    for k in (5, 3, 1, 2, 8):
        _judge_polygon(answer(k), k)
    return "Equal angles all the way round: every line in the plane is used equally, from k = 3 on."


def _judge_polygon(value: Any, k: int) -> None:
    W = arrows(value, (2, k), f"2 coordinates, {k} arrows")
    lengths, gaps = W.norm(dim=0), gaps_between(W)
    right_lengths = same(lengths, torch.ones(k), EXACT)
    off = float((gaps - TURN / k).abs().max())
    if right_lengths and off < EXACT_ANGLE:
        return
    if off < ROUGH and lengths.min() > ROUGH:
        if (lengths - 1).abs().max() < ROUGH:
            raise Mistake("rounded", rounded("`torch.pi` for π, and `torch.cos`"))
        raise Mistake("not-unit", not_unit(lengths))
    if k > 2 and twice_the_same(W):
        raise Mistake("cosine-twice", TWICE)
    if not right_lengths:
        raise wrong_lengths(lengths, f"k = {k}")
    if k > 2:
        i = torch.arange(k, dtype=torch.float64)
        for slug, angles, message in (
            (
                "half-turn",
                (math.pi * i / k, math.pi * i / (k - 1)),
                "Your arrows fill only half of the circle. All the way round is 2π, twice as much.",
            ),
            (
                "first-and-last-coincide",
                (TURN * i / (k - 1),),
                "Your last arrow is the same as the first: 2π is where the circle began. Divide "
                "the turn into k steps and leave the end out, as `torch.arange(k) / k` does.",
            ),
            (
                "degrees-as-radians",
                (360 * i / k,),
                "Your angles are in degrees, and `cos` and `sin` want radians: a full turn is 2π "
                "and not 360. Or convert them with `deg2rad()`.",
            ),
            (
                "turns-as-radians",
                (i / k,),
                "Your angles run from 0 to 1, in parts of a turn. A full turn is 2π: multiply "
                "them by that.",
            ),
            (
                "all-the-same",
                (0 * i,),
                "All your arrows point the same way: their angles are equal, or differ by full "
                "turns. Arrow i is at the angle 2π·i/k.",
            ),
        ):
            if any(alike(gaps, gaps_of(a)) for a in angles):
                raise Mistake(slug, message)
    raise unforeseen(
        tried=f"k = {k}",
        want=f"gaps of {360 / k:g} degrees between neighbours",
        why=f"a full turn of 360 degrees is divided evenly among {k}",
        got=f"gaps of {listed(gaps.rad2deg())} degrees",
    )
