"""The semicolon panel: one sign in two classes of texts, by layer, and neurons of one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.plots.theme import PALETTE, as_array, number

PARTS = ("value", "low", "high", "null_low", "null_high", "one_low")
SAME = 1e-6  # two values closer than that are the same
VERDICTS = {
    "one": "as alike as if it were one sign",
    "some": "something in common, but not one sign",
    "none": "no more in common than random tokens have",
    "opposite": "opposite, more than random tokens are",
}


@dataclass(frozen=True)
class Bar:
    """One neuron: how much higher it is at the sign than elsewhere, in both classes."""

    neuron: int
    first: float
    second: float


@dataclass(frozen=True)
class LayerNeurons:
    """The clearest neurons of one layer, and how many there are, beside chance."""

    both: Sequence[Bar] = ()
    apart: Sequence[Bar] = ()
    n_both: int = 0
    expected: float = 0.0
    most: int = 0  # 95 in 100 chance picks have at most as many
    n_apart: int = 0


@dataclass(frozen=True)
class SignFigures:
    """All that the panel shows, computed beforehand.

    Args:
        pairs: two names each, such as ("JavaScript", "English").
        layers: their numbers.
        value: the cosine, (n_pairs, n_layers), from -1 to 1.
        low, high: its interval, likewise, and so the others.
        null_low, null_high: the null of no sign at all.
        one_low: what is below is not one sign.
        neurons: (pair, layer), by their positions -> the neurons. May lack some.
        sign: what it is called.

    Raises:
        ValueError: these do not belong together; the sentence says what to change.
    """

    pairs: Sequence[Sequence[str]]
    layers: Sequence[int]
    value: Any
    low: Any
    high: Any
    null_low: Any
    null_high: Any
    one_low: Any
    neurons: Mapping[tuple[int, int], LayerNeurons] = field(default_factory=dict)
    sign: str = "semicolon"

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", tuple(map(tuple, self.pairs)))
        object.__setattr__(self, "layers", tuple(self.layers))
        shape = (len(self.pairs), len(self.layers))
        if 0 in shape or any(len(pair) != 2 for pair in self.pairs):
            raise ValueError("give at least one pair of two names, and one layer")
        for part in PARTS:
            array = as_array(getattr(self, part))
            if array.shape != shape:
                raise ValueError(f"{part} has shape {array.shape}; use {shape}: pairs, layers")
            if not (np.abs(array) <= 1 + SAME).all():  # NaN fails this too
                raise ValueError(f"{part} has a value that is not from -1 to 1")
            object.__setattr__(self, part, array)
        for low, high in (("low", "high"), ("null_low", "null_high")):
            if (getattr(self, low) > getattr(self, high) + SAME).any():
                raise ValueError(f"some {low} is above {high}; swap the two")

    def pair_name(self, pair: int) -> str:
        return " and ".join(self.pairs[pair])

    def verdict(self, pair: int, layer: int) -> str:
        """Where the interval is between the two nulls: a key of VERDICTS."""
        at = (pair, layer)
        if self.high[at] < self.null_low[at]:
            return "opposite"
        if self.low[at] <= self.null_high[at]:
            return "none"
        return "one" if self.high[at] >= self.one_low[at] else "some"


def sign_drawing(figures: SignFigures) -> dict[str, Any]:
    """What of the picture never changes."""
    return {
        "layers": list(figures.layers),
        "ticks": [{"value": t, "text": number(t)} for t in (-1.0, -0.5, 0.0, 0.5, 1.0)],
        "colors": {"value": PALETTE[0], "first": PALETTE[0], "second": PALETTE[4],
                   "one": PALETTE[2]},
        "legend": {"value": "the pair, with its 95 % interval", "null": "null: random tokens",
                   "one": "null: one sign (its lower end)"},
    }  # fmt: skip


def sign_state(figures: SignFigures, pair: int, layer: int) -> dict[str, Any]:
    """One moment: the cosine of one pair in all layers, neurons of one of them, and words.

    Args:
        pair, layer: their positions, from 0.
    """
    at, name = (pair, layer), figures.pair_name(pair)
    series = {part: getattr(figures, part)[pair].round(4).tolist() for part in PARTS}
    neurons = figures.neurons.get(at, LayerNeurons())
    text = f"{number(figures.value[at])} ({number(figures.low[at])} to {number(figures.high[at])})"
    null = f"{number(figures.null_low[at])} to {number(figures.null_high[at])}"
    one = number(figures.one_low[at])
    where = f"Layer {figures.layers[layer]}"
    summary = (
        f"{where}, {figures.sign} in {name}: cosine {text}. {VERDICTS[figures.verdict(*at)]} "
        f"(random tokens: {null}; one sign: {one} or more)."
    ).replace(". " + VERDICTS[figures.verdict(*at)][0],
              ". " + VERDICTS[figures.verdict(*at)][0].upper(), 1)  # fmt: skip
    groups = [
        _group("Fire for both", neurons.both,
               f"{neurons.n_both} neurons; by chance {neurons.expected:.0f}, "
               f"at most {neurons.most}"),
        _group("Tell them apart", neurons.apart,
               f"{neurons.n_apart} neurons; by chance 0"),
    ]  # fmt: skip
    said = [
        f"{group['title']}: {group['count']}"
        + "".join(f", {bar['name']} {bar['texts'][0]} and {bar['texts'][1]}"
                  for bar in group["bars"])
        for group in groups
    ]  # fmt: skip
    return {
        "title": f"Cosine of the {figures.sign} in {name}",
        "layer": layer,
        **series,
        "text": text,
        "where": where,
        "names": list(figures.pairs[pair]),
        "groups": groups,
        "summary": summary,
        "words": f"{name}, cosine by layer: "
        + ", ".join(f"{k} {number(v)}" for k, v in zip(figures.layers, figures.value[pair]))
        + ".",
        "neuron_words": f"{where}, neurons at the sign in {name}, more than elsewhere. "
        + ". ".join(said)
        + ".",
    }


def _group(title: str, bars: Sequence[Bar], count: str) -> dict[str, Any]:
    """Bars as shares of the longest of the group."""
    longest = max((abs(x) for bar in bars for x in (bar.first, bar.second)), default=1) or 1
    return {
        "title": title,
        "count": count,
        "bars": [
            {
                "name": f"neuron {bar.neuron}",
                "shares": [bar.first / longest, bar.second / longest],
                "texts": [number(bar.first), number(bar.second)],
            }
            for bar in bars
        ],
    }
