"""Exercise 1.3: the preferred angle and the selectivity of a tuning curve."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.answer import Answer, as_list, as_tensor
from course_utils.checks.compare import unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown
from course_utils.vision import tuning

NUMBERS = {
    "pair-swapped": "You return the two in the wrong order: the preferred angle first, then the "
    "selectivity.",
    "not-doubled": "You take the angles as they are. Then 0 and 180 point in opposite directions, "
    "though they are the same stripes: double the angles first.",
    "degrees-as-radians": "You give degrees to `cos` and `sin`, and they want radians. Convert the "
    "doubled angles with `deg2rad()`.",
    "not-halved": "You return the direction of the sum, which is twice the angle. Divide it by two "
    "again.",
    "largest-response": "You return the angle of the largest response. The preferred angle is that "
    "of the sum of all arrows: it can lie between the angles that were shown.",
    "averages-angles": "You take the mean of the angles, weighted by the responses. Then 1 and 179 "
    "degrees have the mean 90, though both are nearly 0: add arrows instead.",
    "angle-in-radians": "Your preferred angle is in radians. `atan2` gives radians: turn them into "
    "degrees with `rad2deg()`, halve, and bring them into the range.",
    "quarter-turn-off": "Your preferred angle is a quarter turn off. `atan` does not know which "
    "way both parts point, so take `atan2(y, x)`; and use `% 180` only after halving.",
    "swaps-sine-and-cosine": "Your x and y are exchanged: it is `atan2(y, x)`, y first, where y is "
    "the sum with the sine and x the one with the cosine.",
    "clockwise": "Your preferred angle has the wrong sign: you measure it clockwise. y is the sum "
    "of response · sin(2 · angle).",
    "not-wrapped": "Your preferred angle is {angle:.4g}, which is not from 0 to 180. `% 180` "
    "brings it into the range: {want:.4g} is the same direction.",
    "not-divided": "Your selectivity is the length of the sum. Divide it by the sum of all "
    "responses, or a unit that responds twice as much is twice as selective.",
    "wrong-divisor": "You divide the length by something else than the sum of all responses. Only "
    "that is the length which the sum of the arrows has if all point the same way.",
    "contrast": "Your selectivity compares the largest and the smallest response. Here all of them "
    "count: the length of the sum of arrows, divided by the sum of their lengths.",
    "one-minus": "Yours is 1 minus the selectivity. It should be 1 if only one angle counts.",
    "squared-length": "You leave out a square root. The length of the sum is √(x² + y²), "
    "`torch.hypot(x, y)`.",
    "adds-components": "You add x and y, or take one of them. The length of the sum is "
    "`torch.hypot(x, y)`, √(x² + y²).",
    "silent-unit": "A unit that never responds has selectivity 0. Yours divides 0 by 0, or gives "
    "another number: keep 0 out of the division, as `clamp_min(1e-12)` does.",
}


def _preference(curve: Tensor, angles: Tensor) -> tuple[float, float]:
    angle = tuning.preferred_angle(curve, angles)
    return float(angle.nan_to_num(0.0)), float(tuning.selectivity(curve, angles))


@exercise("1.3", fallback=_preference, diagnoses=tuple(NUMBERS))
def preference(answer: Answer) -> str:
    six = torch.arange(0, 180, 30.0)
    # The sum of this one points down left, where every known mistake gives another number.
    _judge_preference(answer, torch.tensor([0.3, 0.2, 0.5, 1.4, 1.7, 0.6]), six)
    _judge_preference(answer, torch.tensor([2.0, 3.0, 0.4, 0.0, 0.1, 0.9]), six)
    for preferred, depth, n, start, scale in (
        (170.0, 0.8, 8, 0.0, 1.0),
        (80.0, 0.5, 5, 10.0, 30.0),
        (0.0, 1.0, 4, 0.0, 0.05),
        (135.0, 0.3, 24, 0.0, 1.0),
    ):
        angles = start + 180 / n * torch.arange(n)
        _judge_preference(answer, scale * (1 + depth * _bump(angles, preferred)), angles)
    _judge_preference(answer, torch.tensor([0.0, 0.0, 0.0, 0.0, 2.0, 0.0]), six)
    for curve in (torch.ones(6), torch.zeros(6)):
        _judge_untuned(answer, curve, six)
    return "Doubling the angle makes stripes that repeat after 180 degrees go once round a circle."


def _bump(angles: Tensor, preferred: float) -> Tensor:
    return (2 * (angles - preferred)).deg2rad().cos()


def _arrows(curve: Tensor, radians: Tensor) -> Tensor:
    """The sum of arrows that are as long as the responses, as a complex number."""
    return torch.polar(curve.double(), radians.double()).sum()


def _judge_preference(answer: Answer, curve: Tensor, angles: Tensor) -> None:
    parts = _pair(answer(curve, angles))
    angle = float(as_tensor(parts[0], shape=(), meaning="the preferred angle"))
    sharp = float(as_tensor(parts[1], shape=(), meaning="the selectivity"))
    total, arrow = curve.double().sum(), _arrows(curve, (2 * angles.double()).deg2rad())
    want, share = _degrees(arrow) / 2 % 180, float(arrow.abs() / total)
    right_angle = _alike(angle, want, 180) and -1e-3 <= angle <= 180.001
    right_share = abs(sharp - share) < 1e-4
    if right_angle and right_share:
        return
    if abs(angle - share) < 1e-4 and _alike(sharp, want, 180):
        raise Mistake("pair-swapped", NUMBERS["pair-swapped"])
    for slug, turns, shares in _wrong_pairs(curve, angles, arrow):
        wrong_angle = not right_angle and any(abs(angle - float(t)) < 0.02 for t in turns)
        wrong_share = not right_share and any(abs(sharp - float(s)) < 1e-4 for s in shares)
        if wrong_angle or wrong_share:
            raise Mistake(slug, NUMBERS[slug].format(angle=angle, want=want))
    raise unforeseen(
        tried=f"curve = {shown(curve)} at the angles {shown(angles)}",
        want=f"({want:.4g}, {share:.4g})",
        why=f"the sum of the arrows is ({arrow.real:.4g}, {arrow.imag:.4g}), and their lengths "
        f"add up to {total:.4g}",
        got=f"({angle:.4g}, {sharp:.4g})",
    )


def _pair(value: Any) -> list[Any]:
    parts = as_list(value, "a pair, (preferred angle, selectivity)")
    if len(parts) != 2:
        raise Mistake(
            "wrong-type",
            f"Expected two numbers, the preferred angle and the selectivity, not {len(parts)}.",
        )
    return parts


def _degrees(arrow: Tensor) -> float:
    return float(arrow.angle().rad2deg())


def _alike(angle: float, other: float, period: float) -> bool:
    """Whether two directions are the same within a twentieth of a degree."""
    half = period / 2
    return abs((angle - other + half) % period - half) < 0.05


def _wrong_pairs(curve: Tensor, angles: Tensor, sum_of_arrows: Tensor) -> Iterator:
    """Slug, wrong angles and wrong selectivities, those first that spoil both."""
    r, a = curve.double(), angles.double()
    total, length, best = r.sum(), sum_of_arrows.abs(), a[r.argmax()]
    x, y, twice = sum_of_arrows.real, sum_of_arrows.imag, _degrees(sum_of_arrows)
    for slug, arrow in (("not-doubled", a.deg2rad()), ("degrees-as-radians", 2 * a)):
        wrong = _arrows(r, arrow)
        d = _degrees(wrong)
        yield slug, [d, d % 180, d % 360, d / 2, d / 2 % 180], [wrong.abs() / total]
    yield "not-wrapped", [twice / 2 + 180 * k for k in (-2, -1, 0, 1)], []
    yield "not-halved", [twice, twice % 360, twice % 180], []
    yield "largest-response", [best, r.argmax(), a[r.argmin()]], []
    yield "averages-angles", [(r * a).sum() / total, (r * a).mean(), (r * a).sum()], []
    rad = math.radians(twice)
    bare = [rad, rad / 2, rad % (2 * math.pi), rad / 2 % math.pi, rad % math.pi]
    yield "angle-in-radians", [*bare, rad % 180, rad / 2 % 180, rad % 360, rad % 360 / 2], []
    yield "quarter-turn-off", [twice / 2 % 180 - 90, (twice / 2 + 90) % 180, twice / 2 + 90], []
    for slug, d in (("swaps-sine-and-cosine", 90 - twice), ("clockwise", -twice)):
        yield slug, [d / 2, d / 2 % 180, ((d + 180) % 360 - 180) / 2], []
    yield "not-divided", [], [length]
    others = (len(r), r.max(), r.norm(), total**2, (r**2).sum(), length, total.sqrt())
    yield "wrong-divisor", [], [length / other for other in others]
    low, high = r.min(), r.max()
    yield "contrast", [], [(high - low) / (high + low), (high - low) / high, high / total]
    yield "one-minus", [], [1 - length / total]
    yield "squared-length", [], [length**2 / total, (length / total) ** 2, length**2]
    parts = (x + y, x, y, x.abs() + y.abs(), (x + y).abs(), x.abs(), y.abs())
    yield "adds-components", [], [part / total for part in parts]


def _judge_untuned(answer: Answer, curve: Tensor, angles: Tensor) -> None:
    """A curve without an angle: any may be named, or NaN, but the selectivity is 0."""
    silent = not bool(curve.any())
    try:
        parts = _pair(answer(curve, angles))
        sharp = float(as_tensor(parts[1], shape=(), meaning="the selectivity"))
    except Mistake as mistake:
        divides = mistake.diagnosis == "raises" and "ZeroDivisionError" in mistake.message
        if silent and (mistake.diagnosis == "not-finite" or divides):
            raise Mistake("silent-unit", NUMBERS["silent-unit"]) from None
        raise
    if abs(sharp) < 1e-4:
        return
    if silent:
        raise Mistake("silent-unit", NUMBERS["silent-unit"])
    raise unforeseen(
        tried=f"curve = {shown(curve)} at the angles {shown(angles)}",
        want="a selectivity of 0",
        why="arrows of the same length all the way round add up to nothing",
        got=f"a selectivity of {sharp:.4g}",
    )
