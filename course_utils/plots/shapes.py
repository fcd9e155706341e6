"""The geometry of superposition in pictures: shapes in a plane, and where D_i lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from course_utils.plots.theme import (
    GRID,
    LINE,
    SYMBOLS,
    TEMPLATE,
    as_array,
    feature_color,
    feature_colors,
    finished,
    listed,
)

REACH = 1.5  # what a picture of arrows shows, from the origin


def shapes_in_plane(shapes: Mapping[str, Any]) -> go.Figure:
    """Arrows of several W, each (2, n), side by side, with the circle of radius 1.

    Raises ValueError when one of them is not (2, n).
    """
    arrays = {name: as_array(W) for name, W in shapes.items()}
    for name, W in arrays.items():
        if W.ndim != 2 or len(W) != 2:
            raise ValueError(f"{name} has shape {W.shape}; arrows in a plane need (2, n_features)")
    figure = make_subplots(rows=1, cols=len(arrays), subplot_titles=list(arrays))
    turn = np.linspace(0, 2 * np.pi, 61)
    for k, W in enumerate(arrays.values(), start=1):
        circle = go.Scatter(
            x=np.cos(turn), y=np.sin(turn), mode="lines", hoverinfo="skip",
            line={"color": GRID, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
        x, y = ([v for end in row for v in (0, end, None)] for row in W.tolist())
        shafts = go.Scatter(
            x=x, y=y, mode="lines", hoverinfo="skip", line={"color": LINE, "width": 2.5}
        )
        colors = feature_colors(W.shape[1])
        ends = go.Scatter(
            x=W[0], y=W[1], mode="markers", marker={"color": colors, "size": 10},
            hovertemplate="(%{x:.2f}, %{y:.2f})<extra></extra>",
        )  # fmt: skip
        names = _names_beyond(W)
        labels = go.Scatter(
            x=[at[0] for at in names.values()], y=[at[1] for at in names.values()],
            text=list(names), mode="text", textfont={"size": 12}, hoverinfo="skip",
        )  # fmt: skip
        for trace in (circle, shafts, ends, labels):
            figure.add_trace(trace, row=1, col=k)
        figure.update_yaxes(scaleanchor=f"x{k if k > 1 else ''}", row=1, col=k)
    hidden = {
        "range": [-REACH, REACH], "visible": False, "constrain": "domain", "fixedrange": True
    }  # fmt: skip
    figure.update_xaxes(hidden).update_yaxes(hidden)
    said = "; ".join(f"{name}: {_angles(W)}" for name, W in arrays.items())
    return figure.update_layout(
        template=TEMPLATE, height=250, showlegend=False, margin={"l": 5, "r": 5, "t": 35, "b": 5},
        meta={"alt": f"Arrows from the origin, by their angles in degrees. {said}."},
    )  # fmt: skip


def _names_beyond(W: np.ndarray) -> dict[str, np.ndarray]:
    """Where the name of each visible arrow stands: beyond its end. Neighbours share one place."""
    lengths = np.linalg.norm(W, axis=0)
    places: list[tuple[np.ndarray, list[str]]] = []
    for i in np.flatnonzero(lengths > 0.15):
        at = W[:, i] * (1 + 0.26 / lengths[i])
        for place, names in places:
            if np.abs(place - at).max() < 0.36:
                names.append(f"x{i}")
                break
        else:
            places.append((at, [f"x{i}"]))
    return {" ".join(names): at for at, names in places}


def _angles(W: np.ndarray) -> str:
    degrees = np.rad2deg(np.arctan2(W[1], W[0])) % 360
    long = np.linalg.norm(W, axis=0) > 0.15
    return listed([f"x{i} {degrees[i]:.0f}" for i in np.flatnonzero(long)])


def dimensionality_levels(
    x: Any,
    D: Any,
    levels: Mapping[str, float],
    *,
    x_title: str,
    names: Sequence[str] | None = None,
    log_x: bool = False,
) -> go.Figure:
    """D_i, (len(x), n), over x, with a line at each named level.

    With `names`, each column is a line in the colour of its feature; without, all are grey dots.
    """
    x, D = as_array(x), as_array(D)
    traces: list[Any] = []
    for i, name in enumerate(names or ()):
        traces.append(
            go.Scatter(
                x=x, y=D[:, i], name=name, mode="lines+markers" if len(x) < 30 else "lines",
                line={"color": feature_color(i), "width": 2},
                marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 8},
            )
        )  # fmt: skip
    if names is None:
        traces.append(
            go.Scatter(
                x=np.repeat(x, D.shape[1]), y=D.ravel(), mode="markers", hoverinfo="skip",
                marker={"color": feature_color(0), "size": 5, "opacity": 0.45}, showlegend=False,
            )
        )  # fmt: skip
    near = {
        name: (np.abs(D - level) < 0.02).sum() / max(1, (D > 0.02).sum())
        for name, level in levels.items()
    }
    said = ", ".join(f"{share:.0%} within .02 of {name}" for name, share in near.items())
    figure = finished(traces, f"Dimensionality over {x_title}. Of all D above .02: {said}.")
    for name, level in levels.items():
        figure.add_shape(
            type="line", xref="paper", x0=0, x1=1, y0=level, y1=level,
            line={"color": LINE, "width": 1, "dash": "dot"},
        )  # fmt: skip
        figure.add_annotation(
            text=name, xref="paper", x=1.0, xanchor="left", y=level, yanchor="middle",
            showarrow=False,
        )  # fmt: skip
    figure.update_layout(margin={"r": 45})
    figure.update_xaxes(title=x_title, type="log" if log_x else "linear")
    if log_x:
        figure.update_xaxes(tickvals=[1, 2, 5, 10, 20, 50, 100])
    return figure.update_yaxes(title="dimensionality D<sub>i</sub>", rangemode="tozero")


def leverage_scatter(points: Mapping[str, tuple[Any, Any]]) -> go.Figure:
    """(leverage score, D) of many features in groups, with the diagonal that they cannot pass."""
    traces: list[Any] = [
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="D = ℓ", hoverinfo="skip",
            line={"color": LINE, "width": 1.5, "dash": "dash"},
        )
    ]  # fmt: skip
    said = []
    for k, (name, (leverage, D)) in enumerate(points.items()):
        leverage, D = as_array(leverage), as_array(D)
        traces.append(
            go.Scatter(
                x=leverage, y=D, mode="markers", name=name, hoverinfo="skip",
                marker={"symbol": SYMBOLS[k], "size": 5 if len(D) > 100 else 9,
                        "color": feature_color(k), "opacity": 0.6 if len(D) > 100 else 1},
            )
        )  # fmt: skip
        said.append(f"{name}: D below the leverage score by {(leverage - D).mean():.2f} on average")
    figure = finished(traces, f"D against leverage. {'; '.join(said)}.", height=420)
    figure.update_xaxes(title="leverage score ℓ<sub>i</sub>", range=[-0.03, 1.05])
    return figure.update_yaxes(title="dimensionality D<sub>i</sub>", range=[-0.03, 1.05])
