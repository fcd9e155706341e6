"""One toy model in pictures: its arrows, its WᵀW with b, and the lengths of its arrows."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from course_utils.plots.theme import (
    DIVERGING,
    GRID,
    LINE,
    STRONGEST,
    TEMPLATE,
    as_array,
    diverging,
    feature_colors,
    feature_names,
    finished,
    listed,
    number,
)


def _shafts(W: np.ndarray) -> dict[str, Any]:
    """One line from the origin to every column of W (2, n); None lifts the pen."""
    x, y = ([value for end in row for value in (0, end, None)] for row in W.tolist())
    return {"x": x, "y": y}


def _ends(W: np.ndarray) -> dict[str, Any]:
    """The labelled end of every arrow. A label is never empty: plotly.js would lose others."""
    long = np.linalg.norm(W, axis=0) > 0.15
    return {
        "x": W[0].tolist(),
        "y": W[1].tolist(),
        "text": [f"x{i}" if shown else " " for i, shown in enumerate(long)],
        "textposition": [_outwards(v) for v in W.T],
    }


def _outwards(v: np.ndarray) -> str:
    vertical = "top" if v[1] > 0.3 else "bottom" if v[1] < -0.3 else "middle"
    horizontal = "right" if v[0] > 0.3 else "left" if v[0] < -0.3 else "center"
    return (
        "top center"
        if (vertical, horizontal) == ("middle", "center")
        else f"{vertical} {horizontal}"
    )


def _gram(W: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """WᵀW, an empty column, and b as the last column, with every number written out."""
    values = [[*row, None, bias] for row, bias in zip((W.T @ W).tolist(), b.tolist())]
    written = [["" if v is None else number(v) for v in row] for row in values]
    return {"z": values, "text": written}


def _lengths(W: np.ndarray) -> dict[str, Any]:
    norms = np.linalg.norm(W, axis=0)
    return {"y": norms, "text": [number(v) for v in norms]}


def _shaft_trace(W: np.ndarray) -> go.Scatter:
    return go.Scatter(
        **_shafts(W), mode="lines", line={"color": LINE, "width": 2.5}, hoverinfo="skip"
    )


def _end_trace(W: np.ndarray) -> go.Scatter:
    return go.Scatter(
        **_ends(W),
        mode="markers+text",
        marker={"color": feature_colors(W.shape[1]), "size": 11},
        cliponaxis=False,
        hovertemplate="(%{x:.2f}, %{y:.2f})<extra></extra>",
    )


def _circle_trace() -> go.Scatter:
    angle = np.linspace(0, 2 * np.pi, 61)
    return go.Scatter(
        x=np.cos(angle), y=np.sin(angle), mode="lines", hoverinfo="skip",
        line={"color": GRID, "width": 1.5, "dash": "dot"},
    )  # fmt: skip


def _gram_trace(W: np.ndarray, b: np.ndarray) -> go.Heatmap:
    names = feature_names(len(b))
    return go.Heatmap(
        **_gram(W, b), x=[*names, " ", "b"], y=names, texttemplate="%{text}",
        textfont={"size": 10.5},  # else plotly shrinks it to fit
        colorscale=DIVERGING, zmin=-STRONGEST, zmax=STRONGEST, showscale=False, xgap=1, ygap=1,
        hovertemplate="row %{y}, column %{x}: %{z:.2f}<extra></extra>",
    )  # fmt: skip


def _length_trace(W: np.ndarray) -> go.Bar:
    n = W.shape[1]
    return go.Bar(
        **_lengths(W), x=feature_names(n), marker={"color": feature_colors(n)},
        textposition="outside", cliponaxis=False,
        textfont={"size": 11}, constraintext="none",
        hovertemplate="%{x}: length %{y:.3f}<extra></extra>",
    )  # fmt: skip


ARROW_AXIS = {"range": [-1.55, 1.55], "zeroline": True, "dtick": 1, "constrain": "domain"}


def _summary(W: np.ndarray) -> str:
    shown = [f"x{i}" for i in np.flatnonzero(np.linalg.norm(W, axis=0) > 0.5)]
    gram, n = W.T @ W, W.shape[1]
    pairs = [f"x{j} and x{i}" for i in range(n) for j in range(i) if gram[i, j] < -0.5]
    return (
        f"{len(shown)} of {n} features are represented in {W.shape[0]} dimensions: "
        f"{listed(shown)}. Pairs that point away from each other: {listed(pairs)}."
    )


def _superposition_alt(W: np.ndarray, b: np.ndarray) -> str:
    lengths, biases = (", ".join(map(number, values)) for values in (np.linalg.norm(W, axis=0), b))
    return f"{_summary(W)} Lengths: {lengths}. Biases: {biases}."


def _plane(W: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    W, b = as_array(W), as_array(b)
    if W.ndim != 2 or W.shape[0] != 2:
        raise ValueError(f"W has shape {W.shape}; arrows in a plane need (2, n_features)")
    if b.shape != W.shape[1:]:
        raise ValueError(f"b has shape {b.shape}, but W has {W.shape[1]} columns")
    if not (np.isfinite(W).all() and np.isfinite(b).all()):
        raise ValueError("W or b is not finite: training diverged")
    return W, b


def superposition_figure(W: Any, b: Any) -> go.Figure:
    """Arrows, WᵀW with b, and arrow lengths of one model. W: (2, n_features), b: (n_features,).

    Raises ValueError when d_hidden is not 2 (arrows need a plane), when the shapes of W and b do
    not belong together, or when a number is not finite.
    """
    W, b = _plane(W, b)
    figure = make_subplots(
        rows=1, cols=3, column_widths=[0.27, 0.48, 0.25], horizontal_spacing=0.09,
        subplot_titles=("columns of W", "WᵀW and bias b", "lengths ‖W<sub>i</sub>‖"),
    )  # fmt: skip
    figure.add_trace(_shaft_trace(W), row=1, col=1)
    figure.add_trace(_end_trace(W), row=1, col=1)
    figure.add_trace(_gram_trace(W, b), row=1, col=2)
    figure.add_trace(_length_trace(W), row=1, col=3)
    figure.add_trace(_circle_trace(), row=1, col=1)
    figure.update_xaxes(ARROW_AXIS | {"title": {"text": "hidden number 0", "standoff": 4}}, col=1)
    figure.update_yaxes(
        ARROW_AXIS | {"title": {"text": "hidden number 1", "standoff": 0}, "scaleanchor": "x"},
        col=1,
    )
    figure.update_xaxes(showgrid=False, ticks="", title="feature going in", col=2)
    figure.update_yaxes(
        showgrid=False,
        ticks="",
        autorange="reversed",
        title={"text": "feature coming out", "standoff": 6},
        col=2,
    )
    figure.update_xaxes(ticks="", title="feature", col=3)
    figure.update_yaxes(range=[0, 1.5], dtick=0.5, col=3)
    figure.update_layout(
        template=TEMPLATE, height=340, showlegend=False, meta={"alt": _superposition_alt(W, b)},
        margin={"l": 55, "r": 15, "t": 35, "b": 50},
    )  # fmt: skip
    return figure


def superposition_state(W: Any, b: Any) -> dict[str, Any]:
    """The same picture as numbers and colours, for a view that draws it itself and at once.

    Raises as `superposition_figure` does.
    """
    W, b = _plane(W, b)
    gram = _gram(W, b)
    rows = [zip(values, texts) for values, texts in zip(gram["z"], gram["text"])]
    lengths = _lengths(W)
    return {
        "names": feature_names(len(b)),
        "colors": feature_colors(len(b)),
        "arrows": W.T.tolist(),
        "cells": [
            {"fill": diverging(value), "text": text}
            for row in rows
            for value, text in row
            if value is not None
        ],
        "lengths": [
            {"value": value, "text": text}
            for value, text in zip(lengths["y"].tolist(), lengths["text"])
        ],
        "summary": _summary(W),
        "words": _superposition_alt(W, b),
    }


def gram_heatmap(W: Any, b: Any) -> go.Figure:
    """WᵀW and b with all numbers. W: (d_hidden, n_features), b: (n_features,)."""
    W, b = as_array(W), as_array(b)
    gram, n = W.T @ W, len(b)
    cells = [f"x{i} with x{j}: {gram[i, j]:.2f}" for i in range(n) for j in range(i)
             if abs(gram[i, j]) > 0.05]  # fmt: skip
    diagonal = ", ".join(f"{v:.2f}" for v in np.diag(gram))
    alt = f"WᵀW of {n} features. Diagonal: {diagonal}. Off the diagonal, not zero: {listed(cells)}."
    figure = finished([_gram_trace(W, b)], alt, height=110 + 42 * n, width=170 + 62 * n)
    figure.update_xaxes(showgrid=False, ticks="", title="feature going in")
    figure.update_yaxes(showgrid=False, ticks="", autorange="reversed", title="feature coming out")
    return figure
