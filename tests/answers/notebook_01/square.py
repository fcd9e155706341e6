"""What learners write for exercise 1.6: right answers of different kinds, and wrong ones."""

from __future__ import annotations

from typing import Any

import torch
from answers.tables import Tables

from course_utils import stimuli, vision

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []


def rims(wide=1, far=7, along=range(-6, 7), maps=(0, 1, 2, 3)):
    """Weights of 1 at the four outer rims; `maps` says which map is looked up for which rim."""
    weights = torch.zeros(4, 19, 19)
    for o in along:
        for d in range(far - wide, far + wide + 1):
            weights[maps[0], 9 + d, 9 + o] = 1
            weights[maps[1], 9 + o, 9 + d] = 1
            weights[maps[2], 9 - d, 9 + o] = 1
            weights[maps[3], 9 + o, 9 - d] = 1
    return weights


@right("1.6")
def outer_rims():
    return rims(), -15.9


@right("1.6")
def near_the_corners_only():
    return rims(along=(-6, -5, -4, -3, 3, 4, 5, 6)), torch.tensor(-8.6)


def template(kind):
    """What the maps of a kind of outline look like, less their mean."""
    picture = stimuli.shape(kind, radius=6.0, polarity=0.8, size=33)
    maps = vision.edge_maps(picture)[0, :, 7:26, 7:26]
    return 100 * (maps - maps.mean())


@right("1.6")
def as_a_template():
    return [template("square").double(), -265.0]


@right("1.6")
class Scaled:
    def __call__(self):
        return rims() / 10, -1.59


@wrong("1.6", "nothing-excites-it")
def zeros():
    return torch.zeros(4, 19, 19), -1.0


@wrong("1.6", "nothing-excites-it")
def negative():
    return -rims(), 15.9


@wrong("1.6", "bias-too-low")
def silent():
    return rims(), -30.0


@wrong("1.6", "bias-too-high")
def no_bias():
    return rims(), 0.0


@wrong("1.6", "bias-too-high")
def low_threshold():
    return rims(), -10.0


@wrong("1.6", "bias-positive")
def sign_of_the_bias():
    return rims(), 15.9


@wrong("1.6", "sides-swapped")
def above_for_below():
    return rims(maps=(2, 3, 0, 1)), -15.9


@wrong("1.6", "sides-swapped")
def only_one_axis_swapped():
    return rims(maps=(2, 1, 0, 3)), -15.9


@wrong("1.6", "counts-edges")
def everywhere():
    return torch.ones(4, 19, 19), -41.0


@wrong("1.6", "wrong-shape")
def one_map():
    return torch.ones(19, 19), -1.0


@wrong("1.6", "wrong-type")
def without_bias():
    return rims()


@wrong("1.6", "confuses-triangle")
def only_the_bottom():
    weights = rims()
    weights[1:] = 0
    return weights, -4.8


@wrong("1.6", "confuses-circle")
def middles_of_the_sides():
    return rims(wide=0, along=(-1, 0, 1)), -2.0


@wrong("1.6", "confuses-l")
def bottom_and_left():
    weights = rims()
    weights[1] = weights[2] = 0
    return weights, -8.0


@wrong("1.6", "confuses-cross")
def looks_for_a_cross():
    return template("cross"), -40.0


@wrong("1.6", "confuses-broken-square")
def looks_for_a_broken_square():
    return template("broken square"), -100.0


@wrong("1.6", None)
def at_random():
    return torch.randn(
        4, 19, 19, generator=torch.Generator().manual_seed(1), dtype=torch.float32
    ), -9.0
