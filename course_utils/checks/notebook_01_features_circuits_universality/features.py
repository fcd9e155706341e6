"""Exercises 1.1 and 1.4: an edge filter by hand, and one step of gradient ascent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from course_utils import stimuli, vision
from course_utils.checks import inputs
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# 1.1 -------------------------------------------------------------------------------------

EIGHTHS = tuple(range(0, 360, 45))
BETWEEN = (20, 67, 110, 155, 200, 247, 290, 335)
ALIKE = 17.0  # degrees: weights that are only 1 and -1 cannot point better than that
ENOUGH = 0.3  # of 0.5, which the best filters reach at their own edge

FILTERS = {
    "divides-by-sum": "You divide by the sum of the weights, and that is 0. Divide by the sum of "
    "their sizes, `.abs().sum()`.",
    "same-for-all-angles": "Your filter is the same at every angle. The distance to the left of "
    "the line, y · cos a − x · sin a, depends on it.",
    "only-positive": "None of your weights is negative, so uniform white excites the filter most. "
    "What is black should count against the edge.",
    "not-zero-sum": "At the angle {angle} your weights add up to {sum:.4g}, and so uniform grey "
    "excites or silences the filter. As much must be negative as is positive.",
    "length-for-sizes": "The squares of your weights add up to 1. The sizes should: divide by "
    "`.abs().sum()` and not by `.norm()`.",
    "not-normalised": "At the angle {angle} the sizes of your weights add up to {size:.4g}. "
    "Divide by that, and they add up to 1.",
    "line-filter": "Your filter is the same on both sides of the line: it looks for a line. For "
    "an edge one side is positive and the other one negative.",
    "black-on-left": "Your filter looks for black on the left of the direction. White belongs "
    "there, so turn all signs around.",
    "turned-by-90": "Your filter is a quarter turn off: it looks for an edge across the one that "
    "was asked for. You need the distance from the line, not the way along it.",
    "y-downwards": "Your filter is upside down: in yours y grows downwards. Row 0 is the top and "
    "has y = 2: let y run from 2 to −2.",
    "clockwise": "Your angles run clockwise: at 90 degrees white is on the right. Look at the sign "
    "of x · sin a, and at whether x grows to the right.",
    "axes-swapped": "Your x and y are exchanged, or sine and cosine are. The row of a weight says "
    "y and the column says x, and the distance is y · cos a − x · sin a.",
    "degrees-as-radians": "Your filter is right at 0 and nowhere else: the angle is in degrees, "
    "and `cos` and `sin` want radians. Convert it with `deg2rad()` or `math.radians`.",
    "angle-rounded": "Your filter is right at the angles {step} degrees apart, and takes the "
    "nearest of them for the others. It should turn with every degree.",
    "same-for-opposite": "Your filters at 0 and at 180 degrees are the same. These are different "
    "edges: white is above at 0 and below at 180.",
}


@exercise("1.1", fallback=vision.edge_filter, diagnoses=tuple(FILTERS))
def edge_filter(answer: Answer) -> str:
    filters = {a: _filter(answer, a) for a in (*EIGHTHS, *BETWEEN)}
    if all(same(w, filters[0]) for w in filters.values()):
        raise Mistake("same-for-all-angles", FILTERS["same-for-all-angles"])
    for angle, w in filters.items():
        _judge_sums(angle, w)
    slug = _wrong_turn(filters)
    if slug is not None:
        raise Mistake(slug, FILTERS[slug].format(step=45 if _off(filters[45], 45) < 20 else 90))
    for angle, w in filters.items():
        if _off(w, angle) > ALIKE:
            raise unforeseen(
                tried=f"angle = {angle}",
                want=f"the strongest response at the edge of {angle} degrees, give or take "
                f"{ALIKE:.0f}",
                why="a filter looks like the edge that it looks for",
                got=f"the strongest response at about {_direction(w):.0f} degrees",
            )
        own = float(_responses(w, torch.tensor([float(angle)])))
        if own < ENOUGH:
            raise unforeseen(
                tried=f"angle = {angle}, and the edge of that angle",
                want=f"a response near 0.5, and above {ENOUGH:g}",
                why="the weights are +½ together where it is white, and −½ where it is black",
                got=f"a response of {own:.3g}",
            )
    return "A filter looks like what it looks for, and what adds up to 0 ignores uniform grey."


def _filter(answer: Answer, angle: int) -> Tensor:
    value = answer(float(angle))
    try:
        return as_tensor(value, shape=(5, 5), meaning="five rows of five weights")
    except Mistake as mistake:
        if mistake.diagnosis == "not-finite" and bool(torch.isinf(value).any()):
            raise Mistake("divides-by-sum", FILTERS["divides-by-sum"]) from None
        raise


def _judge_sums(angle: int, w: Tensor) -> None:
    total, size = float(w.sum()), float(w.abs().sum())
    if size < 1e-6:
        raise unforeseen(
            tried=f"angle = {angle}",
            want="weights whose sizes add up to 1",
            why="positive ones find what is white and negative ones what is black",
            got="25 weights of 0",
        )
    facts = {"angle": angle, "sum": total, "size": size}
    if w.min() >= 0:
        raise Mistake("only-positive", FILTERS["only-positive"])
    if abs(total) > 1e-3 * size:
        raise Mistake("not-zero-sum", FILTERS["not-zero-sum"].format(**facts))
    if abs(size - 1) > 1e-3:
        slug = "length-for-sizes" if abs(float(w.norm()) - 1) < 1e-3 else "not-normalised"
        raise Mistake(slug, FILTERS[slug].format(**facts))


def _responses(w: Tensor, angles: Tensor) -> Tensor:
    """To edges at these angles, less what grey gives."""
    return ((stimuli.edge(angles, size=5)[:, 0].double() - 0.5) * w).sum((1, 2))


def _direction(w: Tensor) -> float:
    """The angle, in degrees, about which the responses to edges all the way round gather."""
    around = torch.arange(0, 360, 5)
    arrow = torch.polar(_responses(w, around), around.double().deg2rad()).sum()
    return float(arrow.angle().rad2deg()) % 360


def _off(w: Tensor, angle: float) -> float:
    """How many degrees a filter is away from the angle."""
    return abs((_direction(w) - angle + 180) % 360 - 180)


def _wrong_turn(filters: dict[int, Tensor]) -> str | None:
    """What is wrong with all angles together, or None."""
    if all(same(w, w.flip(0, 1)) for w in filters.values()):
        return "line-filter"
    turns: tuple[tuple[str | None, Callable[[float], float]], ...] = (
        (None, lambda a: a),
        ("black-on-left", lambda a: a + 180),
        ("turned-by-90", lambda a: a + 90),
        ("turned-by-90", lambda a: a - 90),
        ("y-downwards", lambda a: 180 - a),
        ("clockwise", lambda a: -a),
        ("axes-swapped", lambda a: 90 - a),
        ("axes-swapped", lambda a: -90 - a),
        ("degrees-as-radians", math.degrees),
        ("degrees-as-radians", lambda a: math.degrees(math.degrees(a))),
        ("same-for-opposite", lambda a: a % 180),
    )
    for slug, turn in turns:
        if all(_off(w, turn(a)) <= ALIKE for a, w in filters.items()):
            return slug
    for step in (45, 90):
        grid = {a: filters[a] for a in range(0, 360, step)}
        right = all(_off(w, a) <= ALIKE for a, w in grid.items())
        if right and all(any(same(w, g) for g in grid.values()) for w in filters.values()):
            return "angle-rounded"
    return None


# 1.4 -------------------------------------------------------------------------------------

STEPS = {
    "no-gradient-asked-for": "The image that you give to the objective does not track gradients. "
    "Start with `image.detach().requires_grad_()`, and hand on this one.",
    "gradient-is-none": "You have None for the gradient. `.backward()` returns nothing: it fills "
    "the `.grad` of the image on which you called `requires_grad_()`.",
    "gradient-in-a-tuple": "`torch.autograd.grad` returns a tuple, with one gradient for each "
    "thing asked about. Unpack it: `(gradient,) = ...`, or take `[0]`.",
    "image-unchanged": "Your image stays as it was, though the gradient is not 0. Return image + "
    "the step.",
    "downhill": "Your step goes downhill: the objective gets smaller. Add the gradient, do not "
    "subtract it.",
    "only-the-step": "You return the step alone. Add it to the image.",
    "not-normalised": "For a gradient of length {length:.3g} your step has the length {step:.3g}. "
    "Divide the gradient by its length, so that every step has the length `rate`.",
    "forgets-rate": "Your step has the length 1. Multiply it by the rate, which is {rate:g} here.",
    "sign-for-gradient": "You take the sign of each gradient, so that all pixels change by the "
    "same amount. Keep the sizes: divide all of it by one number, its length.",
    "normalised-in-parts": "You divide each channel, row or pixel by a length of its own. The "
    "gradient is one arrow: divide all of it by one number.",
    "other-norm": "You do not divide by the length. The length is the root of the sum of all "
    "squares, `gradient.norm()`: no mean, no largest value, no sum of sizes.",
    "image-normalised": "You scale the image too. Only the gradient is divided by its length.",
    "clipped": "You cut the image off at 0 or 1. That is not asked for here: return image + rate "
    "· g / ‖g‖ as it is.",
    "accumulates": "On the second call with the same image yours adds the old gradient to the new "
    "one: `.backward()` adds to `image.grad`. Work on `image.detach().clone()`, or use "
    "`torch.autograd.grad`.",
    "zero-gradient": "Where the gradient is 0 your image is not as it was. There the length is 0 "
    "as well: keep it out of the division, as `clamp_min(1e-12)` does.",
    "keeps-the-graph": "Your image still tracks gradients, so one step would hang on the one "
    "before. End with `.detach()`.",
}


def _ascent_step(objective: Any, image: Tensor, rate: float) -> Tensor:
    image = image.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(image), image)
    return (image + rate * gradient / gradient.norm().clamp_min(1e-12)).detach()


@exercise("1.4", fallback=_ascent_step, diagnoses=tuple(STEPS))
def ascent_step(answer: Answer) -> str:
    # No length, mean, sum or largest value of these gradients is 1, and no two are the same.
    for shape, slope, rate in (
        ((1, 1, 2, 3), [3.0, -1.0, 2.0, -0.5, 1.5, -2.5], 0.4),
        ((1, 3, 2, 2), [4.0, 1.0, -2.0, 0.5, -3.0, 6.0, 2.5, -1.5, 5.0, -0.2, 0.8, 3.5], 2.0),
        ((1, 1, 1, 4), [0.02, -0.05, 0.03, 0.01], 0.3),
    ):
        image, g = inputs.uniform(*shape, seed=40), torch.tensor(slope).reshape(shape)
        _judge_step(answer, _linear(g), g, image, rate, "with the same gradient everywhere")
    image, top = inputs.uniform(1, 1, 2, 2, seed=43), inputs.uniform(1, 1, 2, 2, seed=44) + 1.05
    g = 2 * (top - image)
    _judge_step(answer, lambda x: -((x - top) ** 2).sum(), g, image, 0.5, "shaped like a hill")
    _judge_second_call(answer)
    _judge_zero(answer)
    return "The gradient says how every pixel should change; its length is yours to choose."


def _linear(slope: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda image: (slope * image).sum()


def _called(answer: Answer, *args: Any, may_change: tuple[int, ...] = ()) -> tuple[Any, Tensor]:
    """What came back, and the same as numbers."""
    try:
        value = answer(*args, may_change=may_change)
    except Mistake as mistake:
        for slug, words in (
            ("no-gradient-asked-for", "does not require grad"),
            ("gradient-is-none", "NoneType"),
            *(("gradient-in-a-tuple", w) for w in ("'tuple'", "not tuple", "multiply sequence by")),
        ):
            if mistake.diagnosis == "raises" and words in mistake.message:
                raise Mistake(slug, STEPS[slug]) from None
        raise
    return value, as_tensor(value, shape=tuple(args[1].shape), meaning="the next image")


def _judge_step(
    answer: Answer, objective: Any, slope: Tensor, image: Tensor, rate: float, what: str
) -> None:
    value, got = _called(answer, objective, image, rate)
    g, x = slope.double(), image.double()
    want = x + rate * g / g.norm()
    if not same(got, want):
        for slug, wrong in _wrong_steps(x, g, rate):
            if same(got, wrong):
                facts = {"rate": rate, "length": g.norm(), "step": rate * g.norm()}
                raise Mistake(slug, STEPS[slug].format(**facts))
        raise unforeseen(
            tried=f"image = {shown(x)}, rate = {rate:g}, and an objective {what}; here the "
            f"gradient is {shown(g)}",
            want=shown(want),
            why=f"the gradient has the length {float(g.norm()):.4g}, and the step the length "
            f"{rate:g}",
            got=shown(got),
        )
    if value.requires_grad:
        raise Mistake("keeps-the-graph", STEPS["keeps-the-graph"])


def _wrong_steps(x: Tensor, g: Tensor, rate: float) -> Iterator[tuple[str, Tensor]]:
    unit = g / g.norm()
    yield "image-unchanged", x
    yield "downhill", x - rate * unit
    yield "downhill", x - rate * g
    for step in (unit, rate * unit, g, rate * g):
        yield "only-the-step", step
    yield "not-normalised", x + rate * g
    yield "forgets-rate", x + unit
    yield "sign-for-gradient", x + rate * g.sign()
    for dims in ((1,), (2,), (3,), (2, 3), (1, 2), (1, 3)):
        yield "normalised-in-parts", x + rate * g / g.norm(dim=dims, keepdim=True)
    sizes, spreads = g.abs(), (g.std(), g.std(correction=0), g.square().mean().sqrt())
    for size in (sizes.max(), sizes.sum(), sizes.mean(), g.sum().abs(), g.norm() ** 2, *spreads):
        yield "other-norm", x + rate * g / size
    right = x + rate * unit
    for image in (x / x.norm() + rate * unit, right / right.norm(), (x + rate * g) / g.norm()):
        yield "image-normalised", image
    for image in (right.clamp(0, 1), right.clamp_min(0), right.clamp_max(1)):
        yield "clipped", image


def _judge_second_call(answer: Answer) -> None:
    """The very same image twice, with gradients that have nothing in common."""
    image = inputs.uniform(1, 1, 2, 2, seed=45)
    before, old = image.double(), torch.tensor([[[[3.0, 0.0], [0.0, 4.0]]]])
    new = torch.tensor([[[[0.0, 1.0], [2.0, 0.0]]]])
    _called(answer, _linear(old), image, 1.0, may_change=(1,))
    _, got = _called(answer, _linear(new), image, 1.0, may_change=(1,))
    want, both = before + (new / new.norm()).double(), (old + new).double()
    if same(got, before + both / both.norm()):
        raise Mistake("accumulates", STEPS["accumulates"])
    if not same(got, want):
        raise unforeseen(
            tried=f"a second call with the same image = {shown(before)}, rate = 1, and another "
            f"objective, whose gradient is {shown(new)}",
            want=shown(want),
            why="each call starts from the image given, and from nothing else",
            got=shown(got),
        )


def _judge_zero(answer: Answer) -> None:
    image = inputs.uniform(1, 1, 2, 2, seed=46)
    try:
        value, got = _called(answer, lambda x: (x - 9).relu().sum(), image, 0.5)
    except Mistake as mistake:
        if mistake.diagnosis == "not-finite" or "ZeroDivisionError" in mistake.message:
            raise Mistake("zero-gradient", STEPS["zero-gradient"]) from None
        raise
    if not same(got, image) or value.requires_grad:
        slug = "keeps-the-graph" if same(got, image) else "zero-gradient"
        raise Mistake(slug, STEPS[slug])
