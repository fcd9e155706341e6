"""A toy model whose arrows can be moved: the numbers, colours and words of one moment."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course_utils.plots.superposition import _plane, superposition_state
from course_utils.plots.theme import as_array, number

NOTHING = 1e-6  # a loss as small as this is none, and nothing can be divided by it


def _loss_words(loss: float) -> str:
    """Digits that count, for the loss shrinks with p."""
    return f"{loss:#.3g}" if loss >= 1e-3 else f"{loss:#.2g}" if loss >= 1e-4 else "< 0.0001"


def _ratio(loss: float, best: float) -> tuple[float | None, str]:
    """loss / best, None for infinity (JSON has none), and in words."""
    if best > NOTHING:
        return loss / best, f"{number(loss / best)} × the best that training found"
    if loss > NOTHING:
        return None, "the best that training found is 0"
    return 1.0, "as good as the best that training found"


def _spoken(v: np.ndarray, dimensionality: float) -> dict[str, Any]:
    """One arrow for a screen reader: its angle in whole degrees, and words."""
    length = math.hypot(*v)
    angle = round(math.degrees(math.atan2(v[1], v[0]))) % 360 if length > 0.005 else 0
    turned = f"angle {angle} degrees, " if length > 0.005 else ""
    text = f"length {number(length)}, {turned}D {number(dimensionality)}"
    return {"angle": angle, "text": text}


def _real(name: str, value: Any) -> float:
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}; a picture needs a finite number")
    return value


def drag_state(W: Any, b: Any, dimensionality: Any, loss: Any, best: Any) -> dict[str, Any]:
    """One moment of the panel `drag_panel`: all that its view draws, and the same in words.

    Args:
        W: (2, n_features), the arrows.
        b: (n_features,), the bias.
        dimensionality: (n_features,), D_i, each from 0 to 1.
        loss: of this model.
        best: the lowest loss known for as many features at the same sparsity.

    Raises:
        ValueError: the shapes do not belong together, or a number is not finite.
    """
    W, b = _plane(W, b)
    D = as_array(dimensionality)
    if D.shape != b.shape:
        raise ValueError(f"dimensionality has shape {D.shape}, but W has {W.shape[1]} columns")
    if not np.isfinite(D).all():
        raise ValueError("a dimensionality is not finite; say 0 for an arrow without length")
    loss, best = _real("the loss", loss), _real("the best loss", best)
    same = superposition_state(W, b)
    total = float(D.sum())
    share, ratio = _ratio(loss, best)
    spoken = [_spoken(v, d) for v, d in zip(W.T, D)]
    summary = f"ΣD is {number(total)} of 2 dimensions. Loss {_loss_words(loss)}: {ratio}."
    gram = W.T @ W
    arrows = "; ".join(f"{name}: {each['text']}" for name, each in zip(same["names"], spoken))
    rows = "; ".join(", ".join(map(number, row)) for row in gram)
    return {
        **{key: same[key] for key in ("names", "colors", "arrows", "cells")},
        "dimensionality": [{"value": float(d), "text": number(d)} for d in D],
        "total": {"value": total, "text": f"Σ Dᵢ = {number(total)}"},
        "loss": {"value": loss, "text": _loss_words(loss), "ratio": share, "words": ratio},
        "best": best,
        "spoken": spoken,
        "summary": summary,
        "words": f"{summary} {arrows}. Rows of WᵀW: {rows}. Biases: {', '.join(map(number, b))}.",
    }
