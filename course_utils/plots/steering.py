"""Acting on a latent: what a model says next when it is clamped, and how much changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.plots.neurons import percent, visible
from course_utils.plots.theme import DASHES, PALETTE, as_array, number

SAME = 1e-6  # two values closer than that are the same
LEAST = 1e-3  # nats: what changes less is drawn at the bottom
QUOTED = 24  # characters of a token


@dataclass(frozen=True)
class SteeringFigures:
    """All that the panel shows, computed beforehand.

    Args:
        prompts: the texts; what is changed is at their last tokens.
        series: what is changed, a name each, such as "latent 812" and "random latent 7 (control)".
        values: what the latent is clamped to, rising, 0 (ablated) or more.
        tokens: for each prompt the tokens whose probabilities are shown, as many for each.
        baseline: their probabilities with nothing changed, (n_prompts, n_tokens), 0 to 1.
        probabilities: with the change, (n_prompts, n_series, n_values, n_tokens).
        kl: KL(as it is || changed) over the whole vocabulary, in nats, 0 or more,
            (n_prompts, n_series, n_values).
        actual: what the latent has there by itself, (n_prompts, n_series).

    Raises:
        ValueError: these do not belong together; the sentence says what to change.
    """

    prompts: Sequence[str]
    series: Sequence[str]
    values: Sequence[float]
    tokens: Sequence[Sequence[str]]
    baseline: Any
    probabilities: Any
    kl: Any
    actual: Any

    def __post_init__(self) -> None:
        for name in ("prompts", "series", "values"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if not getattr(self, name):
                raise ValueError(f"{name} is empty; give at least one")
        object.__setattr__(self, "tokens", tuple(map(tuple, self.tokens)))
        if len(self.values) < 2 or not (np.diff(self.values) > 0).all() or self.values[0] < 0:
            raise ValueError(f"values are {self.values}; give at least two, rising, 0 or more")
        n_tokens = len(self.tokens[0]) if self.tokens else 0
        if [len(some) for some in self.tokens] != [n_tokens or 1] * len(self.prompts):
            raise ValueError("tokens must have one list a prompt, all equally long and not empty")
        p, s, v, t = len(self.prompts), len(self.series), len(self.values), n_tokens
        for part, shape in (
            ("baseline", (p, t)), ("probabilities", (p, s, v, t)), ("kl", (p, s, v)),
            ("actual", (p, s)),
        ):  # fmt: skip
            array = as_array(getattr(self, part))
            if array.shape != shape:
                raise ValueError(f"{part} has shape {array.shape}; use {shape}")
            top = 1 + SAME if part in ("baseline", "probabilities") else math.inf
            if not ((array >= -SAME) & (array <= top) & np.isfinite(array)).all():
                between = "from 0 to 1" if top < math.inf else "0 or more"
                raise ValueError(f"{part} has a value that is not {between}")
            object.__setattr__(self, part, array)

    def value_label(self, k: int) -> str:
        return "0 (ablated)" if self.values[k] == 0 else f"{self.values[k]:g}"


def steering_drawing(figures: SteeringFigures) -> dict[str, Any]:
    """What of the picture never changes."""
    top = max(10 ** math.ceil(math.log10(max(figures.kl.max(), LEAST * 10))), 1.0)
    powers = range(round(math.log10(LEAST)), round(math.log10(top)) + 1)
    return {
        "values": [
            {"at": k / (len(figures.values) - 1), "text": f"{value:g}"}
            for k, value in enumerate(figures.values)
        ],
        "n_tokens": len(figures.tokens[0]),
        "axis": "clamped to",
        "kl_title": "How much changes: KL in nats",
        "kl_ticks": [{"at": _height(10.0**k, top), "text": f"{10.0**k:g}"} for k in powers],
        "top": top,
        "series": [
            {"name": name, "color": PALETTE[k % len(PALETTE)], "dash": _dash(k)}
            for k, name in enumerate(figures.series)
        ],
        "legend": {"now": "with the change", "before": "as it is"},
    }


def steering_state(
    figures: SteeringFigures, prompt: int, series: int, value: int
) -> dict[str, Any]:
    """One moment: the next token as it is and with one change, and the KL of all changes.

    Args:
        prompt, series, value: their positions, from 0.
    """
    before, now = figures.baseline[prompt], figures.probabilities[prompt, series, value]
    longest = max(float(before.max()), float(now.max()), SAME)
    tokens = [_quoted(token) for token in figures.tokens[prompt]]
    bars = [
        {
            "token": token, "now": float(b / longest), "before": float(a / longest),
            "text": percent(float(b)), "was": percent(float(a)),
        }
        for token, a, b in zip(tokens, before, now)
    ]  # fmt: skip
    top = steering_drawing(figures)["top"]
    name, label = figures.series[series], figures.value_label(value)
    said = ", ".join(f"{bar['token']} {bar['text']} (as it is {bar['was']})" for bar in bars)
    curves = figures.kl[prompt]
    return {
        "title": f"After {visible(figures.prompts[prompt])!r}",
        "bars": bars,
        "series": series,
        "at": value,
        "curves": [[_height(float(kl), top) for kl in row] for row in curves],
        "numbers": [_nats(float(row[value])) for row in curves],
        "summary": _summary(figures, prompt, series, value, tokens),
        "words": (
            f"Next token after {figures.prompts[prompt]!r}, {name} clamped to {label}: {said}."
        ),
        "kl_words": "KL in nats by value. "
        + ". ".join(
            f"{other}: "
            + ", ".join(f"{v:g} {_nats(float(kl))}" for v, kl in zip(figures.values, row))
            for other, row in zip(figures.series, curves)
        )
        + ".",
    }


def _summary(
    figures: SteeringFigures, prompt: int, series: int, value: int, tokens: Sequence[str]
) -> str:
    before, now = figures.baseline[prompt], figures.probabilities[prompt, series, value]
    most = int(np.abs(now - before).argmax())
    others = ", ".join(
        f"{name} {_nats(float(figures.kl[prompt, k, value]))}"
        for k, name in enumerate(figures.series)
        if k != series
    )
    name = figures.series[series]
    return (
        f"{name[:1].upper()}{name[1:]}, clamped to {figures.value_label(value)}; by itself it is "
        f"{figures.actual[prompt, series]:.1f} there. Most changes {tokens[most]}: from "
        f"{percent(float(before[most]))} to {percent(float(now[most]))}. KL "
        f"{_nats(float(figures.kl[prompt, series, value]))} nats"
        + (f"; at the same value: {others}." if others else ".")
    )


def _quoted(token: str) -> str:
    """A token in quotes, its white space made visible, not too long."""
    shown = visible(token).replace(" ", "␣") if not token.strip() else visible(token)
    return f"“{shown if len(shown) <= QUOTED else shown[: QUOTED - 1] + '…'}”"


def _height(kl: float, top: float) -> float:
    """0 to 1, by the logarithm: most changes are small, and a few are not."""
    low = math.log10(LEAST)
    return max(0.0, (math.log10(max(kl, LEAST)) - low) / (math.log10(top) - low))


def _nats(kl: float) -> str:
    return "under 0.01" if kl < 0.005 else number(kl)


def _dash(k: int) -> str:
    return {"solid": "", "dash": "8 5", "dot": "2 4", "dashdot": "9 4 2 4", "longdash": "14 5"}[
        DASHES[k % len(DASHES)]
    ]
