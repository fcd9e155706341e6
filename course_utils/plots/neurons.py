"""The dashboard: what is drawn of one neuron or latent, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from course_utils.plots.theme import OPACITY, PALETTE, POSITIVE, as_array

COLOR, BAND = PALETTE[0], "rgba(128,128,128,0.35)"
# How a reader sees characters that leave no mark on the page.
VISIBLE = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍"})
TITLES = {
    "strongest": "Texts in which it is most active",
    "active": "Random tokens from the upper half of its activity",
    "random": "Random tokens, active or not",
}
Scores = Sequence[tuple[str, float]]


def neuron_state(
    look: Any,
    up: Scores = (),
    down: Scores = (),
    *,
    noun: str = "neuron",
    number: int | None = None,
) -> dict[str, Any]:
    """One neuron, as numbers, bars, a histogram and texts.

    Args:
        look: as `neurons.Survey.look` gives it.
        up, down: tokens that the neuron makes likelier, and less likely, with what it adds to their
            logits when its activation is 1.
        noun: what it is called: "neuron" or "latent".
        number: which one it is; None takes that of `look`.
    """
    number = look.neuron if number is None else number
    means, band = as_array(look.means), as_array(look.band)
    share = 1 - look.histogram.zeros
    return {
        "number": number,
        "title": f"{noun} {number}",
        "facts": _facts(look, share),
        "bars": _bars(look.names, means, band),
        "histogram": _histogram(look.histogram),
        "contexts": [
            {"title": title, "rows": [_context(c, look.largest) for c in getattr(look, kind)]}
            for kind, title in TITLES.items()
        ],
        "effects": [_effects("Makes likelier", up), _effects("Makes less likely", down)],
        "summary": _summary(f"{noun.capitalize()} {number}", look, means, share),
    }


def percent(share: float) -> str:
    """One digit more where there is less; never 0 % of something, nor all of nearly all."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.{0 if 0.095 <= share <= 0.905 or share in (0, 1) else 1}f} %"


def score(value: float) -> str:
    """Two decimals, with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def _facts(look: Any, share: float) -> list[dict[str, str]]:
    if not look.effective:
        return [{"name": "active at", "text": "no token"}]
    low, high = look.null
    return [
        {"name": "effective classes", "text": f"{look.effective:.1f} of {len(look.names)}"},
        {"name": "other texts, 95 %", "text": f"{look.low:.1f} to {look.high:.1f}"},
        {"name": "labels shuffled, 95 %", "text": f"{low:.1f} to {high:.1f}"},
        {"name": "active at", "text": f"{percent(share)} of tokens"},
    ]


def _bars(names: Sequence[str], means: np.ndarray, band: np.ndarray) -> dict[str, Any]:
    """Lengths as shares of the longest thing that is drawn; two digits of the longest."""
    top = max(float(means.max()), float(band.max()), 1e-12)
    digits = min(8, max(0, 1 - math.floor(math.log10(top))))
    rows = [
        {
            "name": name, "text": f"{mean:.{digits}f}", "length": float(mean / top),
            "low": float(low / top), "high": float(high / top), "outside": bool(mean > high),
        }
        for name, mean, low, high in zip(names, means, *band)
    ]  # fmt: skip
    listed = ", ".join(f"{row['name']} {row['text']}" for row in rows)
    return {
        "color": COLOR, "band": BAND, "rows": rows,
        "words": f"Mean activation by class: {listed}.",
    }  # fmt: skip


def _histogram(found: Any) -> dict[str, Any]:
    """Heights go with the logarithm of the counts: a few strong activations are to be seen."""
    edges, counts = as_array(found.edges), as_array(found.counts)
    powers = [10**k for k in range(1, math.ceil(math.log10(max(counts.max(), 2))) + 1)]
    top = math.log10(powers[-1] + 1)
    heights = [math.log10(c + 1) / top for c in counts]
    x = [edges[0], (edges[0] + edges[-1]) / 2, edges[-1]]
    if not counts.sum():
        x = [0.0]
    return {
        "color": COLOR,
        "heights": heights,
        "x": [{"at": k / 2, "text": f"{value:.2g}"} for k, value in enumerate(x)],
        "y": [{"at": math.log10(p + 1) / top, "text": f"{p:,}"} for p in powers],
        "zeros": f"exactly 0 at {percent(found.zeros)} of tokens",
        "words": f"Histogram of the activations above 0, {int(counts.sum()):,} tokens, the largest "
        f"{edges[-1]:.2g}; exactly 0 at {percent(found.zeros)} of tokens.",
    }


def _context(context: Any, largest: float) -> dict[str, Any]:
    scale = largest or 1.0
    return {
        "name": context.name,
        "value": f"{context.values[context.at]:.2f}",
        "at": context.at,
        "pieces": [
            [visible(piece), round(max(value, 0.0) / scale, 2)]
            for piece, value in zip(context.pieces, context.values)
        ],
    }


def visible(text: str) -> str:
    """A piece of text in which the ends of lines, and what is no character, can be seen."""
    shown = text.translate(VISIBLE)
    return "".join(c if c.isprintable() else "␣" if c.isspace() else "�" for c in shown)


def _effects(title: str, scores: Scores) -> dict[str, Any]:
    return {
        "title": title,
        "rows": [{"token": visible(token), "text": score(value)} for token, value in scores],
    }


def _summary(name: str, look: Any, means: np.ndarray, share: float) -> str:
    if not look.effective:
        return f"{name} is active at none of these tokens."
    q = means / means.sum()
    most = [f"{look.names[c]} {percent(q[c])}" for c in np.argsort(-q, kind="stable")[:3]]
    return (
        f"{name}: active at {percent(share)} of tokens, in {look.effective:.1f} "
        f"effective classes of {len(look.names)} ({look.low:.1f} to {look.high:.1f} with other "
        f"texts, {look.null[0]:.1f} to {look.null[1]:.1f} with shuffled labels). Its activation is "
        f"in {', '.join(most)}."
    )


def neuron_drawing(last: int, noun: str = "neuron") -> dict[str, Any]:
    """What stays the same: the largest number, what they are called, and the colour of a token."""
    return {"last": last, "noun": noun, "token": POSITIVE, "opacity": OPACITY}
