"""A small network as a graph of units and connections: what of it is drawn, is off, and is said."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.plots.pictures import as_png
from course_utils.plots.theme import NEGATIVE, POSITIVE, as_array, number

Unit = tuple[str, int]  # (layer, unit)
Edge = tuple[str, int, int]  # (layer, from, to), the layer of the unit that is heard
Parts = Collection[tuple]  # of either kind

THINNEST, THICKEST = 1.5, 6.0  # pixels
LISTED = 4  # more are counted


@dataclass(frozen=True)
class CircuitDiagram:
    """What there is to draw.

    Args:
        strengths: for each layer, in order, what its units carry to the next layer, and those of
            the last one to the classes: (out, in), of any sign.
        classes: the names of what the network tells apart.
        filters: of the first layer, (n, h, w) or (n, 1, h, w), drawn in its units.
        cut: a connection is drawn when its strength is at least this share of the strongest one
            between the same two layers, from 0 to 1.

    Raises:
        ValueError: these do not belong together; the sentence says what to change.
    """

    strengths: Mapping[str, Any]
    classes: Collection[str]
    filters: Any = None
    cut: float = 0.25

    def __post_init__(self) -> None:
        strengths = {layer: as_array(values) for layer, values in self.strengths.items()}
        object.__setattr__(self, "strengths", strengths)
        object.__setattr__(self, "classes", tuple(self.classes))
        if not strengths or len(set(self.classes)) < max(len(self.classes), 1):
            raise ValueError("use at least one layer and one class, and a name only once")
        for layer, values in strengths.items():
            if values.ndim != 2 or not values.size or not np.isfinite(values).all():
                raise ValueError(f"the strengths of {layer} must be finite numbers (out, in)")
        out = [*self.units.values(), len(self.classes)][1:]
        for (layer, values), n in zip(strengths.items(), out):
            if len(values) != n:
                raise ValueError(f"{layer} leads to {len(values)} units, but {n} come next")
        if not 0 <= self.cut <= 1:
            raise ValueError(f"cut is {self.cut}; use a share from 0 to 1")
        if self.filters is not None:
            object.__setattr__(self, "filters", self._filters())

    def _filters(self) -> np.ndarray:
        filters, first = as_array(self.filters), next(iter(self.units.values()))
        grey = filters[:, 0] if filters.ndim == 4 and filters.shape[1] == 1 else filters
        if grey.ndim != 3 or len(grey) != first or not np.isfinite(grey).all():
            raise ValueError(f"filters has shape {filters.shape}; use finite ({first}, h, w)")
        return grey

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.strengths)

    @property
    def units(self) -> dict[str, int]:
        """How many units each layer has."""
        return {layer: values.shape[1] for layer, values in self.strengths.items()}

    def next_to(self, layer: str) -> str:
        """The layer that hears this one; "classes" after the last."""
        return dict(zip(self.layers, self.layers[1:])).get(layer, "the classes")

    def parts(self, layer: str, *, edges: bool) -> list[tuple]:
        """All connections out of a layer, or all its units."""
        n_out, n_in = self.strengths[layer].shape
        if not edges:
            return [(layer, i) for i in range(n_in)]
        return [(layer, i, o) for i in range(n_in) for o in range(n_out)]

    def strength(self, edge: Edge) -> float:
        layer, i, o = edge
        return float(self.strengths[layer][o, i])

    def share(self, edge: Edge) -> float:
        """Strength over that of the strongest between the same layers, without sign."""
        strongest = np.abs(self.strengths[edge[0]]).max()
        return abs(self.strength(edge)) / strongest if strongest else 0.0

    def name(self, part: tuple) -> str:
        """In words. Raises ValueError when there is no such unit or connection."""
        layer, *numbers = part
        if layer not in self.strengths or tuple(part) not in self.parts(
            layer, edges=len(numbers) == 2
        ):
            raise ValueError(
                f"there is no {part}; use (layer, unit) or (layer, from, to), with a layer of "
                f"{', '.join(self.layers)}"
            )
        if len(numbers) == 1:
            return f"{layer} unit {numbers[0]}"
        return f"{layer} unit {numbers[0]} to {self._end(layer, numbers[1])}"

    def _end(self, layer: str, o: int) -> str:
        last = layer == self.layers[-1]
        return self.classes[o] if last else f"{self.next_to(layer)} unit {o}"

    def drawn(self, always: Parts = ()) -> list[Edge]:
        """The connections strong enough, and those that are always drawn."""
        return [
            edge
            for layer in self.layers
            for edge in self.parts(layer, edges=True)
            if self.share(edge) >= max(self.cut, 1e-12) or edge in always
        ]

    def key(self, part: tuple) -> str:
        """A part as text, for the browser: "1.3" is unit 3 of the second layer."""
        return ".".join(map(str, (self.layers.index(part[0]), *part[1:])))

    def part(self, key: str) -> tuple:
        """The part with this key."""
        layer, *numbers = map(int, key.split("."))
        return (self.layers[layer], *numbers)


def circuit_drawing(diagram: CircuitDiagram, circuit: Parts = ()) -> dict[str, Any]:
    """What of the picture never changes: units, connections that are strong enough, and a circuit.

    The circuit is marked, and its connections are drawn however weak they are.

    Raises:
        ValueError: the circuit has a part that is not in the diagram.
    """
    for part in circuit:
        diagram.name(part)
    drawn = diagram.drawn(circuit)
    edges = [
        {
            "key": diagram.key(edge),
            "name": f"{diagram.name(edge)}, {_signed(diagram.strength(edge))}",
            "color": f"rgb({NEGATIVE if diagram.strength(edge) < 0 else POSITIVE})",
            "width": round(max(THINNEST, THICKEST * diagram.share(edge)), 2),
        }
        for edge in drawn
    ]
    total = sum(values.size for values in diagram.strengths.values())
    weak = (
        f"{len(drawn)} of {total} connections are drawn; the other {total - len(drawn)} have less "
        f"than {percent(diagram.cut)} of the strength of the strongest between the same layers."
    )
    pictures = []
    for w in diagram.filters if diagram.filters is not None else []:
        pictures.append(as_png(0.5 + w / (2 * max(float(np.abs(w).max()), 1e-12))))
    return {
        "layers": [{"name": layer, "count": n} for layer, n in diagram.units.items()],
        "classes": list(diagram.classes),
        "filters": pictures,
        "edges": edges,
        "circuit": sorted(map(diagram.key, circuit)),
        "colors": [f"rgb({POSITIVE})", f"rgb({NEGATIVE})"],
        "note": weak if len(drawn) < total else f"All {total} connections are drawn.",
    }


def circuit_state(
    diagram: CircuitDiagram,
    accuracy: Any,
    whole: Any,
    *,
    off: Parts = (),
    before: Any = None,
) -> dict[str, Any]:
    """One moment: what is off, the accuracy of each class as bars, and both in words.

    Args:
        accuracy: of each class now, from 0 to 1: an array in the order of the classes, or a
            mapping from their names. NaN for a class without images. None: it is not known.
        whole: the same with everything on.
        off: the units and connections that are off.
        before: the accuracies a moment ago, for saying what changed; None says nothing of it.

    Raises:
        ValueError: accuracies that are not from 0 to 1 or are not one for each class.
    """
    now, all_on = _accuracies(accuracy, diagram.classes), _accuracies(whole, diagram.classes)
    bars = [
        {
            "value": value if math.isfinite(value) else None,
            "text": percent(value),
            "whole": full if math.isfinite(full) else None,
            "whole_text": percent(full),
        }
        for value, full in zip(now.tolist(), all_on.tolist())
    ]
    each = ", ".join(
        f"{name} {bar['text']} ({bar['whole_text']})" for name, bar in zip(diagram.classes, bars)
    )
    means = f"Mean accuracy {percent(_mean(now))} (whole network {percent(_mean(all_on))})"
    changed = _change(now, _accuracies(before, diagram.classes), diagram.classes)
    summary = f"{_off(diagram, off)} {means}{changed}."
    return {
        "off": sorted(map(diagram.key, off)),
        "bars": bars,
        "mean": _mean(now) if np.isfinite(now).any() else None,
        "summary": summary,
        "words": f"{summary} Accuracy of each class now (and of the whole network): {each}.",
    }


def _accuracies(values: Any, classes: tuple[str, ...]) -> np.ndarray:
    if values is None:
        return np.full(len(classes), np.nan)
    if isinstance(values, Mapping):
        if missing := set(classes) - set(values):
            raise ValueError(f"there is no accuracy for {', '.join(sorted(missing))}")
        values = [float(values[name]) for name in classes]
    values = as_array(values)
    if values.shape != (len(classes),):
        raise ValueError(f"accuracies have shape {values.shape}; use one for each class")
    if ((values < -1e-6) | (values > 1 + 1e-6)).any():  # NaN is neither
        raise ValueError(f"accuracies are {values.tolist()}; use shares from 0 to 1")
    return values.clip(0, 1)


def _mean(values: np.ndarray) -> float:
    """Over the classes of which something is known."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _change(now: np.ndarray, before: np.ndarray, classes: tuple[str, ...]) -> str:
    known = np.isfinite(now) & np.isfinite(before)
    if not known.any():
        return ""
    most = int(np.argmax(np.where(known, np.abs(now - before), -1)))
    if abs(now[most] - before[most]) < 0.005:
        return "; no class has changed"
    steps = f"{percent(before[most])} to {percent(now[most])}"
    return f", before {percent(_mean(before))}; most changed: {classes[most]}, {steps}"


def _off(diagram: CircuitDiagram, off: Parts) -> str:
    """Few by their names, many by their number."""
    said = []
    for layer in diagram.layers:
        units = sorted(part[1] for part in off if part[0] == layer and len(part) == 2)
        if len(units) > LISTED:
            said.append(f"{len(units)} of {diagram.units[layer]} units of {layer}")
        elif units:
            said.append(f"{layer} unit{'s' * (len(units) > 1)} {', '.join(map(str, units))}")
    for layer in diagram.layers:
        edges = sorted(part for part in off if part[0] == layer and len(part) == 3)
        if len(edges) > LISTED:
            total = diagram.strengths[layer].size
            ends = f"from {layer} to {diagram.next_to(layer)}"
            said.append(f"{len(edges)} of {total} connections {ends}")
        else:
            said += [diagram.name(edge) for edge in edges]
    return f"Off: {'; '.join(said)}." if said else "Everything is on."


def percent(share: float) -> str:
    """A share in words; NaN is unknown."""
    return f"{100 * share:.0f} %" if math.isfinite(share) else "unknown"


def _signed(value: float) -> str:
    return f"strength {number(abs(value))}, {'lowers it' if value < 0 else 'raises it'}"
