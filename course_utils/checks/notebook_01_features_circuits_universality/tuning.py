"""Exercise 1.2: a tuning curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from course_utils import stimuli
from course_utils.checks import inputs
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

FREQUENCY = 1 / 8
CURVES = {
    "wrong-frequency": "Your stripes do not repeat every 8 pixels. The frequency counts cycles "
    "per pixel, and is 1 / 8: not 8, and not 1 // 8, which is 0.",
    "list-for-tensor": "You return a list. Make it one tensor with `torch.stack`, or with "
    "`torch.tensor` if it holds plain numbers.",
    "values-and-places": "You return two tensors: `.max(dim)` gives the values and their places. "
    "Take the first, `.values`.",
    "one-number": "You return one number for all angles. Take the maximum over the phases of each "
    "angle by itself.",
    "place-for-value": "You return where the largest response is, not how large it is. Take "
    "`.max()`, not `.argmax()`.",
    "one-phase": "You use one phase only. There the stripes may lie the wrong way under the unit: "
    "show all phases, and take the largest response.",
    "mean-for-maximum": "You add up the responses to all phases, or average them. In most phases "
    "the stripes lie the wrong way, so the largest response counts.",
    "smallest": "You return the smallest response at each angle. The largest was asked for.",
    "size-for-value": "You take the size of each response, so that a strongly negative one wins. "
    "Compare them with their signs.",
    "starts-at-zero": "Yours is never below 0, but this unit is below 0 for every grating. If you "
    "keep the largest so far, start it at minus infinity.",
    "maximum-over-angles": "Your maximum goes over the angles, and leaves one number for each "
    "phase. Let it go over the phases.",
    "angles-as-phases": "You exchange angles and phases. The order is `stimuli.grating(angle, "
    "frequency, phase)`.",
    "pairs-up": "You show each angle with one phase, the one of the same number. Show each angle "
    "with all phases: go through the angles in a loop.",
    "radians": "You turn degrees into radians. `stimuli.grating` takes degrees, for angles and "
    "phases: hand them over as they are.",
    "stripes-across": "Your stripes are a quarter turn off. The angle is that of the stripes "
    "themselves, and not of the wave across them.",
}


def _tuning_curve(respond: Callable, angles: Tensor, phases: Tensor) -> Tensor:
    images = [stimuli.grating(float(angle), FREQUENCY, phases) for angle in angles]
    return torch.stack([respond(shown_at).max() for shown_at in images])


@exercise("1.2", fallback=_tuning_curve, diagnoses=tuple(CURVES))
def tuning_curve(answer: Answer) -> str:
    weights = inputs.normal(5, 5, seed=21)
    three, phases = torch.tensor([20.0, 75.0, 130.0]), torch.tensor([30.0, 110.0, 250.0])
    _judge_curve(answer, _Unit(weights, 0.0), three, phases)
    _judge_curve(answer, _Unit(weights, 40.0), three, phases)
    # As in the notebook: phases are whole numbers, and negative responses are cut off.
    rectified = _Unit(weights, 0.0, rectified=True)
    _judge_curve(answer, rectified, torch.arange(0, 180, 22.5), torch.arange(0, 360, 60))
    _judge_curve(answer, rectified, torch.tensor([50.0]), torch.arange(0, 360, 90))
    _judge_curve(answer, rectified, torch.arange(0, 180, 36.0), torch.tensor([200]))
    return (
        "The largest response over the phases depends on the angle, not on where the stripes lie."
    )


class _Unit:
    """A unit that sees 5 x 5 pixels, up left of the middle, and subtracts a threshold."""

    def __init__(self, weights: Tensor, threshold: float, rectified: bool = False) -> None:
        self.weights, self.threshold, self.rectified = weights, threshold, rectified

    def __call__(self, images: Any) -> Tensor:
        """What the learner's function calls. An error in here is shown as one of their code."""
        images = torch.as_tensor(images)
        if images.ndim != 4 or images.shape[1:] != (1, 32, 32):
            wanted = f"of shape (batch, 1, 32, 32), but was given {tuple(images.shape)}"
            raise ValueError(f"`respond` takes images {wanted}")
        seen = images[:, 0, 11:16, 10:15].to(self.weights.dtype) - 0.5
        response = (seen * self.weights).sum((1, 2)) - self.threshold
        return response.relu() if self.rectified else response

    def at(self, angle: Tensor, phase: Tensor, frequency: float = FREQUENCY) -> Tensor:
        """The response to a grating, which is drawn here from its formula."""
        a, middle = math.radians(float(angle)), 15.5
        place = torch.arange(32, dtype=torch.float64) - middle
        left = -place[:, None] * math.cos(a) - place * math.sin(a)
        wave = (2 * math.pi * frequency * left - math.radians(float(phase))).cos()
        return self(((1 + wave) / 2)[None, None])[0].double()

    def table(self, angles: Tensor, phases: Tensor, frequency: float = FREQUENCY) -> Tensor:
        """Responses, a row for each angle and a column for each phase."""
        rows = [torch.stack([self.at(a, p, frequency) for p in phases]) for a in angles]
        return torch.stack(rows)


def _judge_curve(answer: Answer, unit: _Unit, angles: Tensor, phases: Tensor) -> None:
    try:
        value = answer(unit, angles, phases)
    except Mistake as mistake:
        if mistake.diagnosis == "raises" and "frequency is" in mistake.message:
            raise Mistake("wrong-frequency", CURVES["wrong-frequency"]) from None
        raise
    table = unit.table(angles, phases)
    want = table.amax(1)
    got = _responses(value, want, (table.argmax(1), phases[table.argmax(1)]))
    if same(got, want):
        return
    for slug, wrong in _wrong_curves(unit, angles, phases, table):
        if same(got, wrong):
            raise Mistake(slug, CURVES[slug])
    i = int((got - want).abs().argmax())
    raise unforeseen(
        tried=f"angles = {shown(angles)}, phases = {shown(phases)} and a unit of 5 × 5 weights",
        want=shown(want),
        why=f"at the angle {float(angles[i]):g} its responses are {shown(table[i])}",
        got=shown(got),
    )


def _responses(value: Any, want: Tensor, places: tuple[Tensor, ...]) -> Tensor:
    """The answer as a curve; what comes in another form is named here."""
    n = len(want)
    if isinstance(value, list) and len(value) == n and all(_number(v) for v in value):
        raise Mistake("list-for-tensor", CURVES["list-for-tensor"])
    if isinstance(value, tuple) and len(value) == 2 and _has_shape(value[0], (n,)):
        raise Mistake("values-and-places", CURVES["values-and-places"])
    if n > 1 and _number(value):
        raise Mistake("one-number", CURVES["one-number"])
    try:
        return as_tensor(value, shape=(n,), meaning="one response for each angle")
    except Mistake as mistake:
        if mistake.diagnosis == "wrong-type" and isinstance(value, Tensor):
            if value.layout == torch.strided and any(same(value, place) for place in places):
                raise Mistake("place-for-value", CURVES["place-for-value"]) from None
        raise


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        as_tensor(value, shape=shape)
    except Mistake:
        return False
    return True


def _number(value: Any) -> bool:
    return _has_shape(value, ())


def _wrong_curves(
    unit: _Unit, angles: Tensor, phases: Tensor, table: Tensor
) -> Iterator[tuple[str, Tensor]]:
    yield "starts-at-zero", table.amax(1).clamp_min(0)
    yield "size-for-value", table.abs().amax(1)
    yield "place-for-value", phases.double()[table.argmax(1)]
    yield "place-for-value", table.argmax(1).double()
    yield "smallest", table.amin(1)
    for value in (table.mean(1), table.sum(1), table.median(1).values, table.abs().mean(1)):
        yield "mean-for-maximum", value
    for column in (unit.table(angles, torch.zeros(1)), *table.split(1, dim=1)):
        yield "one-phase", column[:, 0]
    if len(angles) == len(phases):
        yield "pairs-up", table.diagonal()
        yield "maximum-over-angles", table.amax(0)
        exchanged = unit.table(phases, angles)
        yield "angles-as-phases", exchanged.amax(1)
        yield "angles-as-phases", exchanged.amax(0)
    turned, moved = angles.double().deg2rad(), phases.double().deg2rad()
    for pair in ((turned, phases), (angles, moved), (turned, moved)):
        yield "radians", unit.table(*pair).amax(1)
    for turn in (90, -90):
        yield "stripes-across", unit.table(angles + turn, phases).amax(1)
    for f in (0.0, 0.5, 1 / 3, 1 / 4, 1 / 6, 1 / 10, 1 / 12, 1 / 16, 1 / 32, 1 / (16 * math.pi)):
        yield "wrong-frequency", unit.table(angles, phases, f).amax(1)
