"""Acting on a latent: what a model says next when it is clamped, and how much changes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from course_utils.plots.neurons import percent, visible
from course_utils.plots.theme import DASHES, PALETTE, as_array, number

SAME = 1e-6  # two values closer than that are the same
LEAST = 1e-3  # nats: what changes less is drawn at the bottom
QUOTED, ENDING = 22, 160  # characters of a token, and of the end of a prompt


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
        control: the series whose bars are shown beside those of the others; "" takes the last.

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
    control: str = ""

    def __post_init__(self) -> None:
        for name in ("prompts", "series", "values"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if not getattr(self, name):
                raise ValueError(f"{name} is empty; give at least one")
        if len(set(self.series)) < len(self.series):
            raise ValueError(f"two series have one name; give each its own: {list(self.series)}")
        object.__setattr__(self, "control", self.control or self.series[-1])
        if self.control not in self.series:
            raise ValueError(f'control is "{self.control}"; use one of {list(self.series)}')
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
            if top < math.inf and (array.sum(-1) > 1 + 1e-3).any():
                raise ValueError(f"{part} add up to more than 1; give each token once")
            object.__setattr__(self, part, array)

    def value_label(self, prompt: int, series: int, value: int, remark: str = "") -> str:
        """What it is clamped to; 0 is an ablation only where there is something to take away."""
        ablated = self.values[value] == 0 and self.actual[prompt, series] > 0
        remarks = "; ".join(filter(None, ("ablated" if ablated else "", remark)))
        return f"{self.values[value]:g}" + (f" ({remarks})" if remarks else "")

    def value_labels(self, prompt: int, series: int) -> list[str]:
        """Of all values; the one that is nearest to what the latent has by itself says so."""
        actual = self.actual[prompt, series]
        away = np.abs(np.array(self.values) - actual)
        said = "as it is" if away.min() < SAME else f"as it is: {_level(actual)}"
        return [
            self.value_label(prompt, series, k, said if k == away.argmin() else "")
            for k in range(len(self.values))
        ]

    def with_prompt(self, one: SteeringFigures) -> SteeringFigures:
        """These, and the one prompt of `one` after them.

        Raises:
            ValueError: it has another number of prompts, other series or values, or more or fewer
                tokens.
        """
        if len(one.prompts) != 1 or (one.series, one.values) != (self.series, self.values):
            raise ValueError("give one prompt, with the same series and values as the others")
        if len(one.tokens[0]) != len(self.tokens[0]):
            raise ValueError(
                f"there are {len(one.tokens[0])} tokens; give {len(self.tokens[0])}, as for the "
                "other prompts"
            )
        parts = ("baseline", "probabilities", "kl", "actual")
        return replace(
            self,
            prompts=self.prompts + one.prompts,
            tokens=self.tokens + one.tokens,
            **{part: np.concatenate([getattr(self, part), getattr(one, part)]) for part in parts},
        )


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
        "axis": "clamped to" if _even(figures.values) else "clamped to (not to scale)",
        "kl_title": "How much changes: KL in nats",
        "kl_ticks": [
            {"at": _height(10.0**k, top), "text": "≤ " * (k == powers[0]) + f"{10.0**k:g}"}
            for k in powers
        ],
        "top": top,
        "series": [
            {"name": name, "color": PALETTE[k % len(PALETTE)], "dash": _dash(k)}
            for k, name in enumerate(figures.series)
        ],
        "legend": {"now": "now", "before": "as it is"},
    }


def steering_state(
    figures: SteeringFigures, prompt: int, series: int, value: int
) -> dict[str, Any]:
    """One moment: the next token as it is and with one change, and the KL of all changes.

    Args:
        prompt, series, value: their positions, from 0.
    """
    top = steering_drawing(figures)["top"]
    control = figures.series.index(figures.control)
    shown = [series] if control == series else [series, control]
    curves = figures.kl[prompt]
    return {
        "title": f"Next token after {ending(figures.prompts[prompt])}",
        "pictures": _pictures(figures, prompt, shown, value),
        "series": series,
        "at": value,
        "curves": [[_height(float(kl), top) for kl in row] for row in curves],
        "numbers": [_nats(float(row[value])) for row in curves],
        "summary": _summary(figures, prompt, series, value),
        "kl_words": "KL in nats by value. "
        + ". ".join(
            f"{other}: "
            + ", ".join(f"{v:g} {_nats(float(kl))}" for v, kl in zip(figures.values, row))
            for other, row in zip(figures.series, curves)
        )
        + ".",
    }


def _pictures(
    figures: SteeringFigures, prompt: int, shown: Sequence[int], value: int
) -> list[dict[str, Any]]:
    """Bars of each series that is shown, all as shares of the longest."""
    before = figures.baseline[prompt]
    probabilities = figures.probabilities[prompt, list(shown), value]
    longest = max(float(before.max()), float(probabilities.max()), SAME)
    tokens = [_quoted(token) for token in figures.tokens[prompt]]
    made = []
    for k, now in zip(shown, probabilities):
        bars = [
            {
                "token": token, "now": float(b / longest), "before": float(a / longest),
                "text": percent(float(b)), "was": percent(float(a)),
            }
            for token, a, b in zip(tokens, before, now)
        ]  # fmt: skip
        title = f"{figures.series[k]}, clamped to {figures.value_label(prompt, k, value)}"
        said = ", ".join(f"{bar['token']} {bar['text']} (as it is {bar['was']})" for bar in bars)
        words = f"Next token after {ending(figures.prompts[prompt])}, {title}: {said}."
        made.append({"title": title, "series": k, "bars": bars, "words": words})
    return made


def _summary(figures: SteeringFigures, prompt: int, series: int, value: int) -> str:
    before, now = figures.baseline[prompt], figures.probabilities[prompt, series, value]
    most = int(np.abs(now - before).argmax())
    was, is_now = percent(float(before[most])), percent(float(now[most]))
    others = ", ".join(
        f"{name} {_nats(float(figures.kl[prompt, k, value]))}"
        for k, name in enumerate(figures.series)
        if k != series
    )
    name = figures.series[series]
    return (
        f"{name[:1].upper()}{name[1:]}, clamped to {figures.value_label(prompt, series, value)}; "
        f"by itself it is {_level(figures.actual[prompt, series])} there. "
        + (
            "None of the tokens shown changes visibly. "
            if was == is_now
            else f"Most changes {_quoted(figures.tokens[prompt][most])}: from {was} to {is_now}. "
        )
        + f"KL {_nats(float(figures.kl[prompt, series, value]))} nats"
        + (f"; at the same value: {others}." if others else ".")
    )


def ending(prompt: str, most: int = ENDING) -> str:
    """A prompt in quotes: if it is long, its end, where something is changed."""
    shown = visible(prompt)
    return f"“{shown if len(shown) <= most else '…' + shown[1 - most :]}”"


def _quoted(token: str) -> str:
    """A token in quotes, its white space made visible, not too long."""
    shown = visible(token).replace(" ", "␣") if not token.strip() else visible(token)
    # What indents code differs in how many spaces there are.
    shown = re.sub("␣{5,}", lambda run: f"␣×{len(run[0])}", shown)
    return f"“{shown if len(shown) <= QUOTED else shown[: QUOTED - 1] + '…'}”"


def _even(values: Sequence[float]) -> bool:
    return bool(np.ptp(np.diff(values)) < SAME)


def _level(actual: float) -> str:
    return "under 0.1" if 0 < actual < 0.05 else f"{actual:.1f}"


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
