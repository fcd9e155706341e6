"""The tuning-curve explorer: what is drawn of one unit at one angle, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.plots.theme import PALETTE, as_array, number

LARGEST = 128  # pixels of a picture that is sent to the browser
FAINTEST = 0.05  # of the layer's largest response: what is below it looks as small as it is


@dataclass(frozen=True)
class LayerTuning:
    """What was measured of some units of one layer, at some angles, and its control.

    Args:
        responses: (n_units, n_angles).
        selectivity: (n_units,), from 0 to 1.
        preferred: (n_units,), in degrees; NaN for a unit that prefers none.
        control: the responses of an untrained network's units of the same numbers, or None.
        control_selectivity, control_preferred: the same of the control, or None.
        band: (2, n_units, n_angles), from where to where responses go by chance, or None. There
            must be a control or a band.
        filters: (n_units, h, w), or (n_units, 3, h, w) in colour, of any scale; or None.
        units: the numbers of the units; None counts from 0.

    Raises:
        ValueError: these do not belong together; the sentence says what to change.
    """

    responses: Any
    selectivity: Any
    preferred: Any
    control: Any = None
    control_selectivity: Any = None
    control_preferred: Any = None
    band: Any = None
    filters: Any = None
    units: Sequence[int] | None = None

    def __post_init__(self) -> None:
        responses = as_array(self.responses)
        if responses.ndim != 2 or not responses.size or not np.isfinite(responses).all():
            raise ValueError(
                f"responses have shape {responses.shape}; use finite numbers (n_units, n_angles)"
            )
        object.__setattr__(self, "responses", responses)
        n, _ = responses.shape
        if self.control is None and self.band is None:
            raise ValueError("give a control or a band: a curve alone does not say what is learned")
        self._put("control", responses.shape)
        self._put("band", (2, *responses.shape))
        self._put("selectivity", (n,))
        self._put("preferred", (n,), unknown=True)
        self._put("control_selectivity", (n,))
        self._put("control_preferred", (n,), unknown=True)
        if self.band is not None and (self.band[0] > self.band[1]).any():
            raise ValueError("the band is upside down; use (2, n_units, n_angles) with low first")
        for name in ("selectivity", "control_selectivity"):
            values = getattr(self, name)
            if values is not None and ((values < -1e-6) | (values > 1 + 1e-6)).any():
                raise ValueError(f"{name} goes from {values.min():.3g} to {values.max():.3g}; "
                                 "use 0 to 1")  # fmt: skip
        if self.filters is not None:
            shape = as_array(self.filters).shape
            if len(shape) not in (3, 4) or (len(shape) == 4 and shape[1] not in (1, 3)):
                raise ValueError(f"filters have shape {shape}; use (n_units, h, w), or "
                                 "(n_units, 3, h, w) in colour")  # fmt: skip
            self._put("filters", (n, *shape[1:]))
        units = tuple(range(n) if self.units is None else map(int, self.units))
        if len(set(units)) != n:
            raise ValueError(f"units are {units}; use {n} different numbers, one for each unit")
        object.__setattr__(self, "units", units)

    def _put(self, name: str, shape: tuple[int, ...], *, unknown: bool = False) -> None:
        if (values := getattr(self, name)) is None and name not in ("selectivity", "preferred"):
            return
        values = as_array(values)
        if values.shape != shape or not (np.isfinite(values) | (unknown & np.isnan(values))).all():
            raise ValueError(
                f"{name} has shape {values.shape}; use finite numbers {shape}, as many units "
                "and angles as the responses have"
            )
        object.__setattr__(self, name, values)


@dataclass(frozen=True)
class TuningCurves:
    """Tuning curves of the layers of a network, all at the same angles.

    Args:
        layers: what was measured of each, in order.
        angles: (n_angles,), in degrees, increasing, over at most one period.
        period: 180 for bars and gratings, 360 for edges and curves. The response at an angle is
            drawn again one period later, where that closes the curve.
        relative: draw each curve as a share of its own largest response. For a network and a
            control that were shown different contrasts, or have other units.
        name, control_name: of the networks; band_name: what the band is.

    Raises:
        ValueError: these do not belong together; the sentence says what to change.
    """

    layers: Mapping[str, LayerTuning]
    angles: Any
    period: float = 180.0
    relative: bool = False
    name: str = "trained"
    control_name: str = "untrained"
    band_name: str = "shuffled, middle 95 %"

    def __post_init__(self) -> None:
        angles = as_array(self.angles)
        object.__setattr__(self, "angles", angles)
        object.__setattr__(self, "layers", dict(self.layers))
        if not self.layers:
            raise ValueError("there is no layer; give at least one")
        if not (math.isfinite(self.period) and self.period > 0):
            raise ValueError(f"period is {self.period}; use 180 for bars and gratings, 360 for "
                             "edges and curves")  # fmt: skip
        if angles.ndim != 1 or len(angles) < 2 or not (np.diff(angles) > 0).all():
            raise ValueError("angles must be at least two, increasing, in degrees")
        if not np.isfinite(angles).all() or np.ptp(angles) > self.period + 1e-6:
            raise ValueError(f"angles go from {angles[0]:g} to {angles[-1]:g}; use at most one "
                             f"period of {self.period:g} degrees")  # fmt: skip
        for layer, tuning in self.layers.items():
            if tuning.responses.shape[1] != len(angles):
                raise ValueError(
                    f"{layer} has {tuning.responses.shape[1]} responses a unit for {len(angles)} "
                    "angles; use (n_units, n_angles), and .T if it is the other way round"
                )

    @property
    def angle_labels(self) -> list[str]:
        return [degrees(a) for a in self.angles]

    def unit_labels(self, layer: str) -> list[str]:
        return [f"unit {unit}" for unit in self.layers[layer].units]


def tuning_state(curves: TuningCurves, layer: str, unit: int, angle: int) -> dict[str, Any]:
    """One moment: the curve of a unit and its control, the values at one angle, and the words.

    Args:
        unit, angle: their positions in the arrays, from 0.
    """
    tuning = curves.layers[layer]
    title = f"{layer} unit {tuning.units[unit]}"
    lines = [
        _line(curves, curves.name, PALETTE[0], tuning.responses[unit], angle,
              tuning.selectivity[unit], tuning.preferred[unit]),
    ]  # fmt: skip
    if tuning.control is not None:
        numbers = (tuning.control_selectivity, tuning.control_preferred)
        lines.append(_line(curves, curves.control_name, PALETTE[4], tuning.control[unit], angle,
                           *(None if n is None else n[unit] for n in numbers)))  # fmt: skip
    band = _band(curves, tuning, unit)
    shown = [y for line in lines for _, y in line["points"]]
    shown += [y for _, *ends in band or [] for y in ends]
    largest = 1 / FAINTEST if curves.relative else float(np.abs(tuning.responses).max())
    summary = _summary(curves, tuning, unit, angle, [title, *(line["said"] for line in lines)])
    high, low = (degrees(curves.angles[k(tuning.responses[unit])]) for k in (np.argmax, np.argmin))
    return {
        "title": title,
        "x": _x_axis(curves),
        "y": _axis(min(0.0, *shown), max(FAINTEST * largest, 1e-12, *shown)),
        "y_title": "response / its largest" if curves.relative else "response",
        "lines": lines,
        "band": band,
        "band_name": f"band: {curves.band_name}" if band else "",
        "angle": float(curves.angles[angle]),
        "angle_text": degrees(curves.angles[angle]),
        "filter": None if tuning.filters is None else _filter(tuning.filters[unit]),
        "summary": summary,
        "words": f"Tuning curve, largest at {high} and smallest at {low}. {summary}",
    }


def pixels(image: Any, what: str = "the picture") -> dict[str, Any]:
    """A picture as bytes for a canvas: grey (h, w) or RGB (3, h, w), from 0 (black) to 1 (white).

    Dimensions of 1 in front do not matter. One of more than 128 pixels is made smaller.

    Raises:
        ValueError: it has another shape, or values out of that range.
    """
    values = as_array(image)
    while values.ndim > 2 and len(values) == 1:
        values = values[0]
    if values.ndim not in (2, 3) or not values.size or (values.ndim == 3 and len(values) != 3):
        raise ValueError(f"{what} has shape {np.shape(image)}; use (size, size)")
    if not (np.isfinite(values).all() and values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
        raise ValueError(f"{what} has values from {values.min():.3g} to {values.max():.3g}; use 0 "
                         "for black to 1 for white")  # fmt: skip
    values = values[None] if values.ndim == 2 else values
    k = math.ceil(max(values.shape[1:]) / LARGEST)
    height, width = (max(1, side // k) for side in values.shape[1:])
    blocks = values[:, : height * k, : width * k].reshape(len(values), height, -1, width, k)
    small = blocks.mean(axis=(2, 4)).transpose(1, 2, 0)
    data = np.round(255 * small.clip(0, 1)).astype(np.uint8).tobytes()
    return {"width": width, "height": height, "data": data}


def degrees(angle: float) -> str:
    """At most one decimal."""
    return f"{round(float(angle), 1) + 0.0:g}°"


def significant(value: float) -> str:
    """Three digits, for responses of any size."""
    return f"{value + 0.0:#.3g}".rstrip(".")


def _scale(curves: TuningCurves, responses: np.ndarray) -> float:
    """What a curve is divided by before it is drawn."""
    return max(float(np.abs(responses).max()), 1e-12) if curves.relative else 1.0


def _line(
    curves: TuningCurves,
    name: str,
    color: str,
    responses: np.ndarray,
    angle: int,
    selectivity: float | None,
    preferred: float | None,
) -> dict[str, Any]:
    drawn, start = responses / _scale(curves, responses), float(curves.angles[0])
    known = preferred is not None and math.isfinite(preferred)
    said = []
    if not responses.any():
        said.append("never responds")
    elif preferred is not None:
        said.append(f"prefers {degrees(preferred)}" if known else "prefers no angle")
    if selectivity is not None:
        said.append(f"selectivity {number(selectivity)}")
    return {
        "said": ": ".join(filter(None, (name, ", ".join(said)))),
        "color": color,
        "points": _closed(curves, drawn),
        # Within the period that is drawn.
        "preferred": start + (float(preferred) - start) % curves.period if known else None,
        "now": {"value": float(drawn[angle]), "text": significant(drawn[angle])},
    }


def _closed(curves: TuningCurves, values: np.ndarray) -> list[list[float]]:
    """Points of a curve; after a whole period it is where it began."""
    points = [[float(a), float(v)] for a, v in zip(curves.angles, values)]
    end = points[0][0] + curves.period
    # A gap wider than that between the angles was not measured, and is left open.
    gap = float(np.diff(curves.angles).max()) + 1e-6
    return [*points, [end, points[0][1]]] if 1e-6 < end - points[-1][0] <= gap else points


def _band(curves: TuningCurves, tuning: LayerTuning, unit: int) -> list[list[float]] | None:
    if tuning.band is None:
        return None
    low, high = tuning.band[:, unit] / _scale(curves, tuning.responses[unit])
    return [[x, a, b] for (x, a), (_, b) in zip(_closed(curves, low), _closed(curves, high))]


def _x_axis(curves: TuningCurves) -> dict[str, Any]:
    start, step = float(curves.angles[0]), curves.period / 4
    first = math.ceil(start / step - 1e-9)
    ticks = [k * step for k in range(first, first + 5) if k * step <= start + curves.period + 1e-6]
    return {"from": start, "to": start + curves.period,
            "ticks": [{"value": t, "text": degrees(t)} for t in ticks]}  # fmt: skip


def _axis(low: float, high: float) -> dict[str, Any]:
    """From low to high, with four or so round numbers."""
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = power * next(k for k in (1, 2, 2.5, 5, 10) if k * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    values = [k * step for k in range(first, last + 1)]
    ticks = [{"value": value, "text": f"{value:.6g}"} for value in values]
    return {"from": values[0], "to": max(high, values[-1]), "ticks": ticks}


def _filter(weights: np.ndarray) -> dict[str, Any]:
    """0 is grey, white positive, black negative."""
    return pixels(0.5 + weights / (2 * max(float(np.abs(weights).max()), 1e-12)))


def _summary(
    curves: TuningCurves, tuning: LayerTuning, unit: int, angle: int, said: list[str]
) -> str:
    """The present value beside its control, and how selective the layer is without training."""
    responses = tuning.responses[unit]
    now = f"response {_with_share(responses, angle)}"
    if tuning.control is not None:
        now += f", {curves.control_name} {_with_share(tuning.control[unit], angle)}"
    if tuning.band is not None:
        low, high = tuning.band[:, unit, angle]
        where = "below" if responses[angle] < low else "above" if responses[angle] > high else "in"
        now += f"; {where} the band ({curves.band_name})"
    title, *lines = said
    words = f"{title} at {degrees(curves.angles[angle])}: {now}. "
    words += "".join(f"{line[:1].upper()}{line[1:]}. " for line in lines)
    if tuning.control_selectivity is not None:
        more = int((tuning.control_selectivity > tuning.selectivity[unit]).sum())
        words += (f"Of {len(tuning.units)} {curves.control_name} units of this layer, {more} "
                  f"{'is' if more == 1 else 'are'} more selective.")  # fmt: skip
    return words.strip()


def _with_share(responses: np.ndarray, angle: int) -> str:
    """A value, and what share of the largest one it is."""
    largest = responses.max()
    share = f" ({100 * responses[angle] / largest:.0f} % of its largest)" if largest > 0 else ""
    return significant(responses[angle]) + share
