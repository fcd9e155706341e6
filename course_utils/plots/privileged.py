"""Neurons as stacked bars of weights, and who adds what to one output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from course_utils.plots.theme import (
    NEGATIVE,
    OPACITY,
    POSITIVE,
    TEMPLATE,
    as_array,
    feature_color,
    feature_colors,
    feature_names,
    listed,
    number,
)

FAINT = 0.35  # how strongly a weight below the threshold is drawn
SMALLEST_LABEL = 0.3  # a lower part of a bar has no room for a name


def _weights(W: Any, ndim: int) -> np.ndarray:
    W = as_array(W)
    if W.ndim != ndim or not W.size:
        wanted = "(n_neurons, n_features)" if ndim == 2 else "(n_restarts, n_neurons, n_features)"
        raise ValueError(f"W has shape {W.shape}; use {wanted}")
    if not np.isfinite(W).all():
        raise ValueError("W is not finite: training diverged")
    return W


def _ordered(W: np.ndarray, threshold: float) -> np.ndarray:
    """Rows in the order of the first feature that each answers to; silent neurons come last."""
    answers = np.abs(W) > threshold
    first = np.where(answers.any(1), answers.argmax(1), W.shape[1])
    return W[np.lexsort((answers.sum(1), first))]


def _verdict(count: int) -> str:
    return "silent" if count == 0 else f"{count} feature{'' if count == 1 else 's'}"


def _name(i: int, weight: float) -> str:
    return f"{'−' if weight < 0 else ''}x{i}"


def _shares(W: np.ndarray, threshold: float) -> np.ndarray:
    """Of the neurons that answer to a feature, the share that answers to more; for each model."""
    counts = (np.abs(W) > threshold).sum(-1)
    return (counts > 1).sum(-1) / np.maximum((counts > 0).sum(-1), 1)


def neuron_bars(layers: Mapping[str, Any], threshold: float = 0.5) -> go.Figure:
    """Layers side by side: one bar a neuron, |W_ji| stacked by feature, the first at the bottom.

    Each W is (n_neurons, n_features). A part has a name where the neuron answers to the feature,
    |W_ji| > threshold, with a minus sign for a negative weight; the other parts are faint. Above
    each bar stands how many features that makes. Neurons are sorted, for their order means nothing.

    Raises:
        ValueError: a W has another shape, or is not finite.
    """
    arrays = {name: _ordered(_weights(W, 2), threshold) for name, W in layers.items()}
    highest = max(1.0, *(float(np.abs(W).sum(1).max()) for W in arrays.values()))
    figure = make_subplots(
        rows=1, cols=len(arrays), subplot_titles=list(arrays), shared_yaxes=True,
        horizontal_spacing=0.05,
    )  # fmt: skip
    said = []
    for column, (name, W) in enumerate(arrays.items(), start=1):
        neurons, counts = np.arange(len(W)), (np.abs(W) > threshold).sum(1)
        for i in range(W.shape[1]):
            sizes = np.abs(W[:, i])
            figure.add_bar(
                x=neurons, y=sizes.round(4), row=1, col=column, name=f"x{i}", hoverinfo="skip",
                marker={"color": feature_color(i), "line": {"width": 0},
                        "opacity": np.where(sizes > threshold, 0.85, FAINT).tolist()},
                text=[_name(i, w) if abs(w) > threshold else "" for w in W[:, i]],
                textposition="inside", insidetextanchor="middle", textangle=0,
                textfont={"size": 12}, constraintext="none",
            )  # fmt: skip
        for j, (count, total) in enumerate(zip(counts.tolist(), np.abs(W).sum(1).tolist())):
            figure.add_annotation(
                x=j, y=total, text=str(count), yshift=11, showarrow=False, row=1, col=column
            )
        alive = int((counts > 0).sum())
        said.append(f"{name}: {int((counts > 1).sum())} of {alive} answer to several features")
        figure.update_xaxes(
            title="neuron", dtick=1, range=[-0.6, len(W) - 0.4], showgrid=False, zeroline=False,
            ticks="", row=1, col=column,
        )  # fmt: skip
    figure.update_yaxes(range=[0, 1.15 * highest])
    figure.update_yaxes(title="|weight|, by feature", col=1)
    alt = f"Weights of neurons, stacked by feature. {'; '.join(said)}."
    return figure.update_layout(
        template=TEMPLATE, height=360, barmode="stack", showlegend=False, meta={"alt": alt}
    )


def privileged_state(W: Any, losses: Any, threshold: float = 0.5) -> dict[str, Any]:
    """The best of several models, neuron by neuron, and the share of polysemantic neurons of all.

    For a view that draws it at once. W is (n_restarts, n_neurons, n_features), losses is
    (n_restarts,).

    Raises:
        ValueError: the shapes do not belong together, or a number of the best model is not finite.
    """
    W, losses = np.nan_to_num(as_array(W), nan=np.inf), as_array(losses)
    if losses.shape != W.shape[:1]:
        raise ValueError(f"losses have shape {losses.shape} for {len(W)} models; use one for each")
    losses = np.nan_to_num(losses, nan=np.inf)
    best = int(losses.argmin())
    shares = _shares(_weights(np.where(np.isfinite(W), W, 0.0), 3), threshold)
    chosen = _ordered(_weights(W[best], 2), threshold)
    counts = (np.abs(chosen) > threshold).sum(1)
    n, alive, several = chosen.shape[1], int((counts > 0).sum()), int((counts > 1).sum())
    summary = (
        f"Best of {len(W)} starts: {several} of {alive} neurons "
        f"{'is' if several == 1 else 'are'} polysemantic ({shares[best]:.0%}). "
        f"All starts: {shares.mean():.0%} of the neurons."
    )
    neurons = [_neuron(row, threshold) for row in chosen]
    return {
        "names": feature_names(n),
        "colors": feature_colors(n),
        "neurons": neurons,
        "top": 2 * float(np.ceil(max(1.0, np.abs(chosen).sum(1).max() / 2))),  # even, to be divided
        "shares": [
            {"value": float(share), "best": k == best} for k, share in enumerate(shares.tolist())
        ],
        "mean": {"value": float(shares.mean()), "text": f"{shares.mean():.0%}"},
        "summary": summary,
        "words": summary
        + " "
        + " ".join(f"Neuron {j}: {neuron['said']}." for j, neuron in enumerate(neurons)),
    }


def _neuron(row: np.ndarray, threshold: float) -> dict[str, Any]:
    answers = np.abs(row) > threshold
    count = int(answers.sum())
    parts = [
        {
            "size": float(size),
            "text": _name(i, row[i]) if answers[i] and size >= SMALLEST_LABEL else "",
            "opacity": 1.0 if answers[i] else FAINT,
        }
        for i, size in enumerate(np.abs(row).tolist())
    ]
    names = [f"{_name(i, row[i])} {number(abs(row[i]))}" for i in np.flatnonzero(answers).tolist()]
    return {
        "parts": parts,
        "verdict": _verdict(count),
        "polysemantic": count > 1,
        "said": f"{_verdict(count)}: {listed(names)}" if count else "silent",
    }


def contribution_bars(
    panels: Mapping[str, Mapping[str, float]], *, x_title: str, y_title: str
) -> go.Figure:
    """What adds up to one number: a bar for each part and one for the sum, panels side by side."""
    figure = make_subplots(
        rows=1, cols=len(panels), subplot_titles=list(panels), shared_yaxes=True,
        horizontal_spacing=0.06,
    )  # fmt: skip
    said, most = [], max(abs(float(v)) for parts in panels.values() for v in parts.values())
    for column, (name, parts) in enumerate(panels.items(), start=1):
        values = [float(v) for v in parts.values()]
        names, heights = [*parts, "sum"], [*values, sum(values)]
        colors = [f"rgba({NEGATIVE if v < 0 else POSITIVE},{OPACITY})" for v in heights]
        lines = [0] * len(values) + [2.5]
        figure.add_bar(
            x=names, y=heights, marker={"color": colors, "line": {"width": lines}},
            text=[number(v).replace("-", "−") for v in heights], textposition="outside",
            cliponaxis=False, hoverinfo="skip", row=1, col=column,
        )  # fmt: skip
        said.append(f"{name}: {', '.join(f'{n} {number(v)}' for n, v in zip(names, heights))}")
        figure.update_xaxes(
            title=x_title, ticks="", showgrid=False, type="category", row=1, col=column
        )
    figure.update_yaxes(range=[-1.25 * most, 1.25 * most])
    figure.update_yaxes(title=y_title, col=1)
    alt = f"{y_title}. {'; '.join(said)}."
    return figure.update_layout(template=TEMPLATE, height=360, showlegend=False, meta={"alt": alt})
