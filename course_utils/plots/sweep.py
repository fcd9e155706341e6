"""The expansion sweep: what a larger dictionary finds of a known one, and what it wastes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course_utils.plots.sweep_figures import KINDS, SAME, SweepFigures, latent_kinds, times
from course_utils.plots.theme import PALETTE, number

__all__ = ["SweepFigures", "latent_kinds", "sweep_drawing", "sweep_state", "times"]

CURVES = {"explained": "variance explained", "recovered": "features recovered",
          "dead": "latents dead"}  # fmt: skip
COLORS = {"recovered": PALETTE[0], "dead": PALETTE[1], "explained": PALETTE[2]}
KIND_COLORS = (PALETTE[0], PALETTE[4], PALETTE[3], PALETTE[1])  # as the curves, where there is one
MEANT = (10.0, 15.0)  # how many times a layer is expanded, as people say
GOOD, FEW = 0.9, 0.1  # of the variance explained, of the features recovered


def sweep_drawing(figures: SweepFigures) -> dict[str, Any]:
    """What of the picture never changes."""
    threshold = figures.threshold
    lowest = min(0.0, math.floor(figures.cosines.min() * 2 + SAME) / 2)
    steps = [k / 2 for k in range(round(lowest * 2), 3)]
    return {
        "expansions": [{"value": e, "text": times(e)} for e in figures.expansions],
        "ticks": [{"value": k / 4, "text": f"{25 * k} %"} for k in range(5)],
        "axis": "expansion: latents per dimension",
        "meant": {"from": MEANT[0], "to": MEANT[1], "text": "“10 to 15 times”"},
        "curves": [{"name": name, "color": COLORS[name]} for name in CURVES],
        "cosine": {
            "from": lowest,
            # The threshold has a number of its own, and no room for another one close to it.
            "ticks": [{"value": t, "text": f"{t:g}"} for t in steps if abs(t - threshold) > 0.08],
            "threshold": {"value": threshold, "text": f"{threshold:g}"},
            "axis": "true features, the best found first",
        },
        "n_features": figures.n_features,
        "features": f"{figures.n_features} features",
        "most": figures.latents(len(figures.expansions) - 1),
        "kinds": [{"name": name, "color": color} for name, color in zip(KINDS, KIND_COLORS)],
        "colors": {"found": COLORS["recovered"]},
    }


def sweep_state(figures: SweepFigures, series: int, expansion: int) -> dict[str, Any]:
    """One moment: the curves of one series, the features and latents of one run, and words.

    Args:
        series, expansion: their positions, from 0.
    """
    at, name = (series, expansion), figures.names[series]
    n, found, counts = figures.latents(expansion), figures.found(*at), figures.counts(*at)
    where = times(figures.expansions[expansion])
    of_seed = f", seed {figures.seed}" * (figures.n_seeds > 1)
    curves = [_curve(figures, part, series, expansion) for part in CURVES]
    above = f"{found} of {figures.n_features} above {figures.threshold:g}"
    bar = [_kind(figures, kind, count, n) for kind, count in counts.items()]
    cosines = figures.cosines[at]
    each = [
        f"{words}: " + ", ".join(
            f"{times(e)} {percent(mean)}" for e, mean in zip(figures.expansions, curve["mean"])
        )
        for words, curve in zip(CURVES.values(), curves)
    ]  # fmt: skip
    return {
        "title": name,
        "at": expansion,
        "curves": curves,
        "cosine_title": f"Best cosine of each feature ({where}{of_seed})",
        "cosines": cosines.round(3).tolist(),
        "found": found,
        "found_text": above,
        "bar_title": f"{n} latents",
        "counts": list(counts.values()),
        "texts": [kind["text"] for kind in bar],
        "summary": _summary(figures, series, expansion),
        "words": f"{name}, by expansion{_of_seeds(figures, ', mean of {} seeds')}. "
        + ". ".join(each)
        + ".",
        "latent_words": (
            f"{name} at {where}{of_seed}. Best cosines of the features: {above}, highest "
            f"{number(cosines[0])}, median {number(np.median(cosines))}, lowest "
            f"{number(cosines[-1])}. {n} latents: " + ", ".join(kind["words"] for kind in bar) + "."
        ),
    }


def _summary(figures: SweepFigures, series: int, expansion: int) -> str:
    def mean(part: str) -> float:
        return figures.mean(part, series, expansion)

    n, features = figures.latents(expansion), figures.n_features
    dead, twice = round(mean("dead") * n), round(mean("duplicated") * n)
    cost = mean("cost") / figures.mean("cost", series, 0)
    first = times(figures.expansions[0])
    paid = (
        f"{cost:.1f} times that at {first}" if expansion else "1, what the others are compared to"
    )
    sentences = [
        f"{figures.names[series]}, {times(figures.expansions[expansion])}: {n} latents.",
        f"{_of_seeds(figures, 'Mean of {} seeds: ')}{round(mean('recovered') * features)} of "
        f"{features} features recovered, {dead} latents dead, {twice} duplicates; "
        f"L0 {mean('l0'):.1f} of true {figures.true_l0:.1f}; {percent(mean('explained'))} of the "
        "variance explained.",
        f"Cost of {figures.cost_of}: {paid}.",
    ]
    if mean("explained") >= GOOD and mean("recovered") <= FEW:
        sentences.append("The error is low, and yet almost none of the features were found.")
    elif n < features:
        sentences.append(f"{n} latents cannot stand for {features} features one by one.")
    elif dead + twice > n / 2:
        sentences.append("More than half of the latents add nothing.")
    return " ".join(sentences)


def _curve(figures: SweepFigures, part: str, series: int, expansion: int) -> dict[str, Any]:
    runs = getattr(figures, part)[series]
    low, high, mean = runs.min(-1), runs.max(-1), runs.mean(-1)
    text = percent(mean[expansion])
    seeds = f" (seeds {percent(low[expansion])} to {percent(high[expansion])})"
    return {
        "mean": mean.round(4).tolist(),
        "low": low.round(4).tolist(),
        "high": high.round(4).tolist(),
        "text": text,
        "legend": f"{CURVES[part]}: {text}" + seeds * (figures.n_seeds > 1),
    }


def _kind(figures: SweepFigures, kind: str, count: int, n: int) -> dict[str, str]:
    above = f"above {figures.threshold:g}"
    name, meaning = {
        "matched": ("matched", f"a feature's best, {above}"),
        "duplicate": ("duplicates", f"{above}, not the best"),
        "other": ("others", "fire, but are near no feature"),
        "dead": ("dead", "never fire"),
    }[kind]
    return {
        "text": f"{name}: {count} ({percent(count / n)}), {meaning}",
        "words": f"{count} {name}",
    }


def _of_seeds(figures: SweepFigures, words: str) -> str:
    return words.format(figures.n_seeds) if figures.n_seeds > 1 else ""


def percent(share: float) -> str:
    """Never 0 or 100 % of what is not none or all."""
    points = 100 * share
    if 1 <= points <= 99 or min(points, 100 - points) < 100 * SAME:
        return f"{points:.0f} %"
    return f"{min(max(points, 0.1), 99.9):.1f} %"
