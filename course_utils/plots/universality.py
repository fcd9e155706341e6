"""The universality panel: which networks are alike in a layer, beside what chance gives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.plots.theme import NEGATIVE, OPACITY, PALETTE, POSITIVE, as_array, number

SAME = 1e-6  # two values closer than that are the same
VERDICTS = {
    "above": "above the null",
    "unclear": "its interval touches the null",
    "within": "within the null",
    "below": "below the null",
}


@dataclass(frozen=True)
class NetworkSimilarities:
    """How alike some networks are, by each measure and in each layer, pair by pair.

    Args:
        names: of the networks, at least two.
        layers: at least one.
        value: for each measure, such as "linear CKA", an array (n_layers, n_networks, n_networks),
            from -1 to 1. On the diagonal, NaN is left blank. Where [i, j] and [j, i] differ, both
            are pairs of their own: [i, j] is how far network i is found in network j.
        low, high: of the interval of each value, likewise. It need not contain the value.
        null_low, null_high: of the values under the null, likewise. On the diagonal, none of
            these four is used.
        null_name: what the null is.
        controls: the names of networks that did not learn the task. Beside each pair of others
            stands the largest value that one of the two has with any of these.

    Raises:
        ValueError: these do not belong together; the sentence says what to change.
    """

    names: Sequence[str]
    layers: Sequence[str]
    value: Mapping[str, Any]
    low: Mapping[str, Any]
    high: Mapping[str, Any]
    null_low: Mapping[str, Any]
    null_high: Mapping[str, Any]
    null_name: str = "images shuffled"
    controls: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("names", "layers", "controls"):
            if isinstance(listed := getattr(self, name), str) or len(set(listed)) < len(listed):
                raise ValueError(f"{name} are {listed!r}; use a list, with each only once")
            object.__setattr__(self, name, tuple(listed))
        if len(self.names) < 2 or not self.layers or not self.value:
            raise ValueError("give at least two networks, one layer and one measure")
        if unknown := set(self.controls) - set(self.names):
            raise ValueError(f"the controls {sorted(unknown)} are not among the networks "
                             f"{list(self.names)}")  # fmt: skip
        for part in ("value", "low", "high", "null_low", "null_high"):
            self._put(part)
        for measure in self.value:
            for low, high in (("low", "high"), ("null_low", "null_high")):
                apart = getattr(self, high)[measure] - getattr(self, low)[measure]
                if (apart[:, ~self._diagonal] < -SAME).any():
                    raise ValueError(f"of {measure}, some {high} is below {low}; swap the two")

    @property
    def _diagonal(self) -> np.ndarray:
        return np.eye(len(self.names), dtype=bool)

    def _put(self, part: str) -> None:
        given = getattr(self, part)
        if set(given) != set(self.value):
            raise ValueError(
                f"{part} has the measures {sorted(given)}, but value has {sorted(self.value)}"
            )
        arrays = {measure: as_array(given[measure]) for measure in self.value}
        n = len(self.names)
        for measure, array in arrays.items():
            if array.shape != (len(self.layers), n, n):
                raise ValueError(
                    f"{part} of {measure} has shape {array.shape}; use "
                    f"{(len(self.layers), n, n)}: layers, networks, networks"
                )
            between = array[:, ~self._diagonal]
            if not (np.abs(between) <= 1 + SAME).all():  # NaN fails this too
                layer, i, j = next(
                    place for place in np.argwhere(~(np.abs(array) <= 1 + SAME))
                    if place[1] != place[2]
                )  # fmt: skip
                raise ValueError(
                    f"{part} of {measure} is {array[layer, i, j]:.3g} in {self.layers[layer]} for "
                    f"{self.names[i]} and {self.names[j]}; use numbers from -1 to 1 for all pairs"
                )
        object.__setattr__(self, part, arrays)

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(self.value)

    @property
    def symmetric(self) -> bool:
        """Whether a pair is the same pair the other way round, by every measure."""
        parts = (self.value, self.low, self.high, self.null_low, self.null_high)
        off = ~self._diagonal
        return all(
            np.allclose(array[:, off], array.swapaxes(1, 2)[:, off], atol=SAME, rtol=0)
            for part in parts for array in part.values()
        )  # fmt: skip

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """All pairs of networks, in both orders if it matters."""
        n = range(len(self.names))
        ordered = itertools.combinations if self.symmetric else itertools.permutations
        return list(ordered(n, 2))

    def pair_name(self, pair: tuple[int, int]) -> str:
        i, j = pair
        return f"{self.names[i]} {'and' if self.symmetric else 'found in'} {self.names[j]}"

    def best_control(
        self, measure: str, layer: int, pair: tuple[int, int]
    ) -> tuple[float, tuple[int, int]] | None:
        """Of the pairs of one of the two with a control the largest value, and which it is.

        None if one of the two is a control itself, or there is none.
        """
        controls = {self.names.index(name) for name in self.controls}
        known = [
            (float(self.value[measure][layer, i, j]), (i, j))
            for i, j in self.pairs
            if {i, j} & set(pair) and {i, j} & controls
        ]
        return None if controls & set(pair) else max(known, default=None)

    def verdict(self, measure: str, layer: int, pair: tuple[int, int]) -> str:
        """Where a value is from its null: a key of VERDICTS.

        "above" when the whole interval is, "unclear" when only the value is.
        """
        at = (layer, *pair)
        value, low = self.value[measure][at], self.low[measure][at]
        if value > self.null_high[measure][at]:
            return "above" if low > self.null_high[measure][at] else "unclear"
        return "below" if value < self.null_low[measure][at] else "within"


def universality_drawing(table: NetworkSimilarities) -> dict[str, Any]:
    """What of the picture never changes: networks, layers, and the axis of the values."""
    off = ~np.eye(len(table.names), dtype=bool)
    parts = (table.value, table.low, table.null_low)
    lowest = min(float(array[:, off].min()) for part in parts for array in part.values())
    start = min(0.0, math.floor(lowest * 10 + SAME) / 10)
    return {
        "names": list(table.names),
        "layers": list(table.layers),
        "axis": {"from": start, "to": 1.0,
                 "ticks": [{"value": t, "text": f"{t:g}"} for t in _ticks(start)]},
        "symmetric": table.symmetric,
        "null_name": f"null: {table.null_name}",
        "control_name": "highest of their pairs with a control" * bool(table.controls),
        "titles": [_title(table, m, k) for m in table.measures for k in range(len(table.layers))],
        "colors": {"value": PALETTE[0], "control": PALETTE[4]},
    }  # fmt: skip


def universality_state(
    table: NetworkSimilarities, measure: str, layer: int, pair: tuple[int, int]
) -> dict[str, Any]:
    """One moment: the matrix of one layer, one pair beside its null in all layers, and words.

    Args:
        layer: its position, from 0; and so the networks of the pair.
    """
    matrix = table.value[measure][layer]
    name = table.pair_name(pair)
    rows = [_row(table, measure, k, pair) for k in range(len(table.layers))]
    now = rows[layer]
    summary = (
        f"{measure} in {table.layers[layer]}: {name} {now['text']}, {now['verdict']} "
        f"({table.null_name}: {now['null_text']})."
    )
    if best := table.best_control(measure, layer, pair):
        summary += (f" The highest of their pairs with a control: "
                    f"{table.pair_name(best[1])} {number(best[0])}.")  # fmt: skip
    each = ", ".join(f"{table.pair_name((i, j))} {number(matrix[i, j])}" for i, j in table.pairs)
    return {
        "title": _title(table, measure, layer),
        "pair_title": name,
        "measure": measure,
        "cells": [[_cell(value) for value in values] for values in matrix.tolist()],
        "pair": list(pair),
        "layer": layer,
        "rows": rows,
        "summary": summary,
        "matrix_words": f"{_title(table, measure, layer)}, of each pair: {each}.",
        "words": f"{name}, {measure}. " + " ".join(
            f"{of}: {row['text']}, null {row['null_text']}, {row['verdict']}."
            for of, row in zip(table.layers, rows)
        ),
    }  # fmt: skip


def _title(table: NetworkSimilarities, measure: str, layer: int) -> str:
    return f"{measure} in {table.layers[layer]}"


def _row(
    table: NetworkSimilarities, measure: str, layer: int, pair: tuple[int, int]
) -> dict[str, Any]:
    parts = (table.value, table.low, table.high, table.null_low, table.null_high)
    value, low, high, *null = (float(part[measure][(layer, *pair)]) for part in parts)
    best = table.best_control(measure, layer, pair)
    return {
        "value": value,
        "low": low,
        "high": high,
        "null": null,
        "control": best[0] if best else None,
        "text": f"{number(value)} ({number(low)} to {number(high)})",
        "null_text": f"{number(null[0])} to {number(null[1])}",
        "verdict": VERDICTS[table.verdict(measure, layer, pair)],
    }


def _cell(value: float) -> dict[str, str]:
    """A colour that the theme's text can be read on, and the number."""
    if not math.isfinite(value):
        return {"text": "", "fill": "none"}
    share = OPACITY * min(abs(value), 1)
    return {
        "text": number(value),
        "fill": f"rgba({NEGATIVE if value < 0 else POSITIVE},{share:.3f})",
    }


def _ticks(start: float) -> list[float]:
    step = 0.25 if start > -0.5 else 0.5
    return [k * step for k in range(math.ceil(start / step), int(1 / step) + 1)]
