"""What learners write for exercises 1.7 and 1.8: right answers of different kinds, wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from answers.tables import Tables

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []

# 1.7 Three ways to switch a unit off -----------------------------------------------------


def with_unit(maps, unit, value):
    """A copy in which the unit has these maps."""
    maps = maps.clone()
    maps[:, unit] = value
    return maps


@right("1.7")
def in_a_clone(maps, unit, kind, other):
    maps = maps.clone()
    if kind == "zero":
        maps[:, unit] = 0
    elif kind == "mean":
        maps[:, unit] = maps[:, unit].mean(0)
    else:
        maps[:, unit] = maps[other, unit]
    return maps


@right("1.7")
def ablates_with_loops(maps, unit, kind, other):
    n, units, height, width = maps.shape
    result = torch.zeros(n, units, height, width)
    for i in range(n):
        for u in range(units):
            for r in range(height):
                for c in range(width):
                    if u != unit:
                        result[i, u, r, c] = maps[i, u, r, c]
                    elif kind == "mean":
                        result[i, u, r, c] = sum(maps[k, u, r, c] for k in range(n)) / n
                    elif kind == "resample":
                        result[i, u, r, c] = maps[other[i], u, r, c]
    return result


@right("1.7")
def with_a_mask_in_float64(maps, unit, kind, other):
    maps = maps.double()
    instead = {"zero": 0 * maps, "mean": maps.mean(0, keepdim=True), "resample": maps[other]}[kind]
    off = (torch.arange(maps.shape[1]) == unit)[:, None, None]
    return torch.where(off, instead, maps)


@right("1.7")
def with_einsum(maps, unit, kind, other):
    n = len(maps)
    weights = {
        "zero": torch.zeros(n, n),
        "mean": torch.full((n, n), 1 / n),
        "resample": torch.eye(n)[other],
    }[kind]
    own = torch.einsum("ij,jhw->ihw", weights, maps[:, unit])
    return torch.cat([maps[:, :unit], own[:, None], maps[:, unit + 1 :]], dim=1)


@right("1.7")
class AblatesByNumpy:
    def __call__(self, maps, unit, kind, other):
        array = maps.numpy().copy()
        own = array[:, unit].copy()
        array[:, unit] = own[other.numpy()] if kind == "resample" else 0
        if kind == "mean":
            array[:, unit] += np.mean(own, axis=0)
        return torch.from_numpy(array)


@right("1.7")
def with_a_list_and_a_graph(maps, unit, kind, other):
    kept = list(maps.clone().requires_grad_().unbind(1))
    own = kept[unit]
    if kind == "zero":
        kept[unit] = torch.zeros_like(own)
    if kind == "mean":
        kept[unit] = own.sum(0).div(len(own)).repeat(len(own), 1, 1)
    if kind == "resample":
        kept[unit] = torch.stack([own[int(j)] for j in other])
    return torch.stack(kept, 1)


@wrong("1.7", "changes-input")
def writes_into_maps(maps, unit, kind, other):
    own = maps[:, unit].clone()
    maps[:, unit] = {"zero": 0 * own, "mean": own.mean(0).expand_as(own), "resample": own[other]}[
        kind
    ]
    return maps


@wrong("1.7", "changes-input")
def clones_too_late(maps, unit, kind, other):
    maps[:, unit] = 0
    return maps.clone()


@wrong("1.7", "unit-left-out")
def without_the_unit(maps, unit, kind, other):
    return torch.cat([maps[:, :unit], maps[:, unit + 1 :]], dim=1)


@wrong("1.7", "only-the-unit")
def maps_of_the_unit(maps, unit, kind, other):
    return in_a_clone(maps, unit, kind, other)[:, unit]


@wrong("1.7", "only-the-unit")
def maps_of_the_unit_with_its_axis(maps, unit, kind, other):
    return in_a_clone(maps, unit, kind, other)[:, unit : unit + 1]


@wrong("1.7", "nothing-changes")
def changes_a_copy_and_returns_maps(maps, unit, kind, other):
    changed = maps.clone()
    changed[:, unit] = 0
    return maps


@wrong("1.7", "nothing-changes")
def changes_a_copy_of_a_copy(maps, unit, kind, other):
    if kind == "zero":
        return with_unit(maps, unit, 0)
    maps = maps.clone()
    maps[:, unit].clone().copy_(maps[:, unit].mean(0).expand_as(maps[:, unit]))
    return maps


@wrong("1.7", "wrong-unit")
def counts_from_one(maps, unit, kind, other):
    return in_a_clone(maps, unit - 1, kind, other)


@wrong("1.7", "wrong-unit")
def always_unit_1(maps, unit, kind, other):
    return in_a_clone(maps, 1, kind, other)


@wrong("1.7", "image-for-unit")
def first_axis(maps, unit, kind, other):
    maps = maps.clone()
    maps[unit] = 0
    return maps


@wrong("1.7", "image-for-unit")
def first_axis_for_the_mean(maps, unit, kind, other):
    if kind != "mean":
        return in_a_clone(maps, unit, kind, other)
    maps = maps.clone()
    maps[unit] = maps.mean(0)
    return maps


@wrong("1.7", "image-for-unit")
def mean_of_one_image(maps, unit, kind, other):
    if kind != "mean":
        return in_a_clone(maps, unit, kind, other)
    maps = maps.clone()
    maps[unit] = maps[unit].mean(0)
    return maps


@wrong("1.7", "image-for-unit")
def another_image_in_its_place(maps, unit, kind, other):
    if kind != "resample":
        return in_a_clone(maps, unit, kind, other)
    maps = maps.clone()
    maps[unit] = maps[other[unit]]
    return maps


@wrong("1.7", "all-units")
def everything_is_zero(maps, unit, kind, other):
    return torch.zeros_like(maps)


@wrong("1.7", "all-units")
def mean_of_all_units(maps, unit, kind, other):
    return maps.mean(0).expand_as(maps) if kind == "mean" else in_a_clone(maps, unit, kind, other)


@wrong("1.7", "all-units")
def other_images(maps, unit, kind, other):
    return maps[other] if kind == "resample" else in_a_clone(maps, unit, kind, other)


@wrong("1.7", "zero-instead")
def zero_whatever_the_kind(maps, unit, kind, other):
    return with_unit(maps, unit, 0)


@wrong("1.7", "zero-instead")
def a_misspelt_kind(maps, unit, kind, other):
    return in_a_clone(maps, unit, "zero" if kind == "resample" else kind, other)


@wrong("1.7", "kinds-exchanged")
def mean_whatever_the_kind(maps, unit, kind, other):
    return in_a_clone(maps, unit, "mean", other)


@wrong("1.7", "kinds-exchanged")
def condition_is_always_true(maps, unit, kind, other):
    if kind == "zero":
        return with_unit(maps, unit, 0)
    if kind == "mean" or "average":
        return with_unit(maps, unit, maps[:, unit].mean(0))


@wrong("1.7", "mean-over-everything")
def one_number_for_the_unit(maps, unit, kind, other):
    if kind == "mean":
        return with_unit(maps, unit, maps[:, unit].mean())
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "mean-over-everything")
def one_number_for_the_layer(maps, unit, kind, other):
    if kind == "mean":
        return with_unit(maps, unit, maps.mean())
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "mean-over-places")
def mean_of_each_image(maps, unit, kind, other):
    if kind == "mean":
        return with_unit(maps, unit, maps[:, unit].mean(dim=(1, 2), keepdim=True))
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "mean-over-places")
def mean_of_each_image_in_a_loop(maps, unit, kind, other):
    if kind != "mean":
        return in_a_clone(maps, unit, kind, other)
    maps = maps.clone()
    for image in maps:
        image[unit] = image[unit].mean()
    return maps


@wrong("1.7", "mean-over-units")
def mean_along_the_units(maps, unit, kind, other):
    if kind == "mean":
        return with_unit(maps, unit, maps.mean(1))
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "mean-over-units")
def mean_of_images_and_units(maps, unit, kind, other):
    if kind == "mean":
        return with_unit(maps, unit, maps.mean((0, 1)))
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "reads-what-it-wrote")
def resamples_one_by_one(maps, unit, kind, other):
    if kind != "resample":
        return in_a_clone(maps, unit, kind, other)
    maps = maps.clone()
    for i in range(len(maps)):
        maps[i, unit] = maps[other[i], unit]
    return maps


@wrong("1.7", "reads-what-it-wrote")
def averages_one_by_one(maps, unit, kind, other):
    if kind != "mean":
        return in_a_clone(maps, unit, kind, other)
    maps = maps.clone()
    for i in range(len(maps)):
        maps[i, unit] = maps[:, unit].mean(0)
    return maps


@wrong("1.7", "other-inverted")
def other_on_the_left(maps, unit, kind, other):
    if kind != "resample":
        return in_a_clone(maps, unit, kind, other)
    result = maps.clone()
    result[other, unit] = maps[:, unit]
    return result


@wrong("1.7", "shuffles-places")
def rows_upside_down(maps, unit, kind, other):
    if kind == "resample":
        return with_unit(maps, unit, maps[:, unit].flip(1))
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "shuffles-places")
def pixels_in_random_order(maps, unit, kind, other):
    if kind != "resample":
        return in_a_clone(maps, unit, kind, other)
    own = maps[:, unit].flatten(1)
    order = torch.randperm(own.shape[1], generator=torch.Generator().manual_seed(3))
    return with_unit(maps, unit, own[:, order].reshape(maps[:, unit].shape))


@wrong("1.7", "own-order")
def the_image_before(maps, unit, kind, other):
    if kind == "resample":
        return with_unit(maps, unit, maps[:, unit].roll(1, 0))
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "own-order")
def the_first_of_other_for_all(maps, unit, kind, other):
    if kind == "resample":
        return with_unit(maps, unit, maps[other[0], unit])
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "own-order")
def its_own_random_order(maps, unit, kind, other):
    if kind != "resample":
        return in_a_clone(maps, unit, kind, other)
    order = torch.randperm(len(maps), generator=torch.Generator().manual_seed(1))
    return with_unit(maps, unit, maps[order, unit])


@wrong("1.7", "returns-nothing")
def only_for_zero(maps, unit, kind, other):
    if kind == "zero":
        return with_unit(maps, unit, 0)


@wrong("1.7", "raises")
def other_for_units(maps, unit, kind, other):
    if kind == "resample":
        return with_unit(maps, unit, maps[:, other])
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", "wrong-shape")
def mean_drops_an_axis(maps, unit, kind, other):
    return maps.mean(0) if kind == "mean" else in_a_clone(maps, unit, kind, other)


@wrong("1.7", "wrong-type")
def as_whole_numbers(maps, unit, kind, other):
    return in_a_clone(maps, unit, kind, other).long()


@wrong("1.7", None)
def mean_of_the_other_images(maps, unit, kind, other):
    own = maps[:, unit]
    if kind == "mean":
        return with_unit(maps, unit, (own.sum(0) - own) / (len(own) - 1))
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", None)
def sum_for_the_mean(maps, unit, kind, other):
    if kind == "mean":
        return with_unit(maps, unit, maps[:, unit].sum(0))
    return in_a_clone(maps, unit, kind, other)


@wrong("1.7", None)
def only_weaker(maps, unit, kind, other):
    return with_unit(maps, unit, maps[:, unit] / 2)


@wrong("1.7", None)
def cuts_off_what_is_negative(maps, unit, kind, other):
    return in_a_clone(maps, unit, kind, other).relu()


# 1.8 Faithful and complete ---------------------------------------------------------------


@right("1.8")
def with_an_inner_function(score, circuit, rest, everything, nothing):
    def share(c):
        return (score(c) - score(nothing)) / (score(everything) - score(nothing))

    return share(circuit), 1 - share(rest)


@right("1.8")
def complete_from_the_other_end(score, circuit, rest, everything, nothing):
    whole = score(everything) - score(nothing)
    return [(score(circuit) - score(nothing)) / whole, (score(everything) - score(rest)) / whole]


@right("1.8")
def as_one_tensor(score, circuit, rest, everything, nothing):
    scores = torch.tensor([score(circuit), score(rest)])
    share = (scores - score(nothing)) / (score(everything) - score(nothing))
    share[1] = 1 - share[1]
    return share


@right("1.8")
class JudgesByNumpy:
    def __call__(self, score, circuit, rest, everything, nothing):
        c, r, e, n = map(score, (circuit, rest, everything, nothing))
        return np.divide([c - n, e - r], e - n)


@right("1.8")
def in_fractions_and_the_complements(score, circuit, rest, everything, nothing):
    c, r = Fraction(score(circuit)), Fraction(score(~circuit))
    e, n = Fraction(score(everything)), Fraction(score(~everything))
    return (c - n) / (e - n), 1 - (r - n) / (e - n)


@right("1.8")
def with_tensors_of_no_axis(score, circuit, rest, everything, nothing):
    c, r, e, n = (torch.tensor(score(x)) for x in (circuit, rest, everything, nothing))
    return ((c - n) / (e - n)).requires_grad_(), (1 - (r - n) / (e - n)).double()


def judged(pair):
    """An answer from a formula for the four scores."""

    def judge(score, circuit, rest, everything, nothing):
        return pair(score(circuit), score(rest), score(everything), score(nothing))

    return judge


def share(s, e, n):
    return (s - n) / (e - n)


def clip(x, low=0.0, high=1.0):
    return min(max(x, low), high)


WRONG["1.8"] = [
    ("swapped", judged(lambda c, r, e, n: (1 - share(r, e, n), share(c, e, n)))),
    ("share-of-rest", judged(lambda c, r, e, n: (share(c, e, n), share(r, e, n)))),
    ("complement-of-faithful", judged(lambda c, r, e, n: (share(c, e, n), 1 - share(c, e, n)))),
    ("sets-exchanged", judged(lambda c, r, e, n: (share(r, e, n), 1 - share(c, e, n)))),
    ("one-minus-misplaced", judged(lambda c, r, e, n: (1 - share(c, e, n), share(r, e, n)))),
    ("one-minus-misplaced", judged(lambda c, r, e, n: (1 - share(c, e, n), 1 - share(r, e, n)))),
    ("not-normalised", judged(lambda c, r, e, n: (c, r))),
    ("not-normalised", judged(lambda c, r, e, n: (c, 1 - r))),
    ("not-normalised", judged(lambda c, r, e, n: (share(c, e, n), 1 - r))),
    ("only-subtracted", judged(lambda c, r, e, n: (c - n, r - n))),
    ("only-subtracted", judged(lambda c, r, e, n: (c - n, 1 - (r - n)))),
    ("only-subtracted", judged(lambda c, r, e, n: (e - c, e - r))),
    ("nothing-forgotten", judged(lambda c, r, e, n: (c / e, 1 - r / e))),
    ("nothing-forgotten", judged(lambda c, r, e, n: (c / e, r / e))),
    ("nothing-forgotten", judged(lambda c, r, e, n: ((c - n) / e, 1 - (r - n) / e))),
    ("nothing-forgotten", judged(lambda c, r, e, n: (c / (e - n), 1 - r / (e - n)))),
    ("drops-brackets", judged(lambda c, r, e, n: (c - n / e - n, 1 - (r - n / e - n)))),
    ("drops-brackets", judged(lambda c, r, e, n: ((c - n) / e - n, 1 - ((r - n) / e - n)))),
    ("drops-brackets", judged(lambda c, r, e, n: (c - n / (e - n), 1 - share(r, e, n)))),
    ("half-for-nothing", judged(lambda c, r, e, n: (share(c, e, 0.5), 1 - share(r, e, 0.5)))),
    ("perfect-for-everything", judged(lambda c, r, e, n: (share(c, 1, n), 1 - share(r, 1, n)))),
    ("upside-down", judged(lambda c, r, e, n: (1 / share(c, e, n), 1 - 1 / share(r, e, n)))),
    ("in-percent", judged(lambda c, r, e, n: (100 * share(c, e, n), 100 - 100 * share(r, e, n)))),
    ("in-percent", judged(lambda c, r, e, n: (100 * share(c, e, n), 1 - 100 * share(r, e, n)))),
    ("clipped", judged(lambda c, r, e, n: (clip(share(c, e, n)), 1 - clip(share(r, e, n))))),
    ("clipped", judged(lambda c, r, e, n: (min(share(c, e, n), 1), 1 - share(r, e, n)))),
    ("clipped", judged(lambda c, r, e, n: (share(c, e, n), max(1 - share(r, e, n), 0)))),
    ("clipped", judged(lambda c, r, e, n: (share(c, e, n), 1 - max(share(r, e, n), 0)))),
    ("wrong-type", judged(lambda c, r, e, n: share(c, e, n))),
    ("wrong-type", judged(lambda c, r, e, n: {share(c, e, n), 1 - share(r, e, n)})),
    ("wrong-type", judged(lambda c, r, e, n: {"f": share(c, e, n), "c": 1 - share(r, e, n)})),
    ("wrong-type", judged(lambda c, r, e, n: (f"{share(c, e, n):.2f}", f"{share(r, e, n):.2f}"))),
    ("wrong-shape", judged(lambda c, r, e, n: (share(c, e, n), share(r, e, n), 1.0))),
    ("wrong-shape", judged(lambda c, r, e, n: torch.tensor([[share(c, e, n), share(r, e, n)]]))),
    ("not-finite", judged(lambda c, r, e, n: (share(c, e, n), float("nan")))),
    (None, judged(lambda c, r, e, n: (round(share(c, e, n), 1), round(1 - share(r, e, n), 1)))),
    (None, judged(lambda c, r, e, n: (share(c, e, n) ** 2, 1 - share(r, e, n) ** 2))),
    (None, judged(lambda c, r, e, n: (1.0, 1.0))),
]


@wrong("1.8", "raises")
def subtracts_sets(score, circuit, rest, everything, nothing):
    return score(circuit - nothing) / score(everything - nothing), 1.0


@wrong("1.8", "raises")
def score_of_a_number(score, circuit, rest, everything, nothing):
    return score(1), score(0)


@wrong("1.8", "raises")
def forgets_to_score(score, circuit, rest, everything, nothing):
    return (circuit - nothing) / (everything - nothing), 1 - rest


@wrong("1.8", "returns-nothing")
def only_prints(score, circuit, rest, everything, nothing):
    print(score(circuit), score(rest))
