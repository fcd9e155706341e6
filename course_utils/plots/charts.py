"""Batches of features, and what many models do: lines, maps and dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from course_utils.plots.theme import (
    DASHES,
    LINE,
    SEQUENTIAL,
    SYMBOLS,
    TEMPLATE,
    as_array,
    feature_color,
    feature_names,
    finished,
)


def activity_grids(batches: Mapping[str, Any]) -> go.Figure:
    """Batches of features side by side: one row an input, one column a feature, (batch, n) each."""
    arrays = {name: as_array(x) for name, x in batches.items()}
    figure = make_subplots(rows=1, cols=len(arrays), subplot_titles=list(arrays))
    for k, x in enumerate(arrays.values(), start=1):
        trace = go.Heatmap(
            z=x, x=feature_names(x.shape[1]), colorscale=SEQUENTIAL, zmin=0, zmax=1, xgap=2, ygap=2,
            showscale=k == len(arrays), colorbar={"title": "value", "thickness": 12},
            hovertemplate="input %{y}, %{x}: %{z:.2f}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(trace, row=1, col=k)
    said = "; ".join(f"{name}: {(x != 0).mean():.0%} of the cells" for name, x in arrays.items())
    figure.update_xaxes(showgrid=False, ticks="", title="feature", zeroline=False)
    figure.update_yaxes(showgrid=False, ticks="", showticklabels=False, zeroline=False)
    figure.update_yaxes(title="24 inputs" if len(x) == 24 else f"{len(x)} inputs", col=1)
    alt = f"How many features are present in a batch of {len(x)} inputs. {said}."
    return figure.update_layout(template=TEMPLATE, height=380, meta={"alt": alt})


def line_chart(
    x: Any, lines: Mapping[str, Any], *, x_title: str, y_title: str, log_x: bool = False
) -> go.Figure:
    """One line for each entry of `lines`, all over the same x, told apart by dash and colour."""
    x, arrays = as_array(x), {name: as_array(y) for name, y in lines.items()}
    traces = [
        go.Scatter(
            x=x, y=y, name=name, mode="lines+markers" if len(x) < 20 else "lines",
            line={"dash": DASHES[k % len(DASHES)], "width": 2.5, "color": feature_color(k)},
            marker={"symbol": SYMBOLS[k % len(SYMBOLS)], "size": 8},
        )
        for k, (name, y) in enumerate(arrays.items())
    ]  # fmt: skip
    said = "; ".join(
        f"{name} goes from {y[0]:.2f} to {y[-1]:.2f}, lowest {y.min():.2f} at {x[y.argmin()]:g}, "
        f"highest {y.max():.2f} at {x[y.argmax()]:g}"
        for name, y in arrays.items()
    )
    figure = finished(traces, f"{y_title} over {x_title}. {said}.")
    figure.update_xaxes(title=x_title, type="log" if log_x else "linear")
    if "degrees" in x_title:
        figure.update_xaxes(dtick=45)
    if log_x:
        figure.update_xaxes(tickvals=[1, 2, 5, 10, 20, 50, 100])
    return figure.update_yaxes(title=y_title, rangemode="tozero")


def norms_vs_sparsity(probabilities: Any, norms: Any) -> go.Figure:
    """The arrow length of every feature, (n_models, n_features), over 1/p = 1/(1 − S)."""
    p, norms = as_array(probabilities), as_array(norms)
    x, n = 1 / p, norms.shape[1]
    traces = [
        go.Scatter(
            x=x, y=norms[:, i], name=f"x{i}", mode="lines+markers",
            line={"color": feature_color(i), "width": 2},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 9},
        )
        for i in range(n)
    ]  # fmt: skip
    first = [
        x[np.argmax(norms[:, i] > 0.5)] if (norms[:, i] > 0.5).any() else None for i in range(n)
    ]
    said = ", ".join(
        f"x{i} from 1/p = {v:.1f}" if v else f"x{i} never" for i, v in enumerate(first)
    )
    figure = finished(traces, f"Lengths grow as features get rarer. Longer than one half: {said}.")
    figure.update_xaxes(title="1/p = 1/(1 − S), sparser to the right", type="log",
                        tickvals=[1, 2, 5, 10, 20, 50, 100])  # fmt: skip
    return figure.update_yaxes(title="length ‖W<sub>i</sub>‖", rangemode="tozero")


def phase_diagram(
    p: Any, r: Any, outcome: Any, *, names: Sequence[str], boundaries: Mapping[str, tuple[Any, Any]]
) -> go.Figure:
    """What a model does (`outcome`, (len(r), len(p)), an index into names) for each p and r.

    `boundaries` are lines (p values, r values) drawn on top.
    """
    p, r, outcome = as_array(p), as_array(r), as_array(outcome)
    shares = [(outcome == k).mean() for k in range(len(names))]
    traces: list[Any] = []
    for k, name in enumerate(names):
        rows, columns = np.nonzero(outcome == k)
        traces.append(
            go.Scatter(
                x=p[columns], y=r[rows], mode="markers", name=name,
                marker={"symbol": SYMBOLS[k], "size": 11, "color": feature_color(k)},
                hovertemplate="p = %{x:.2f}, r = %{y:.2f}<extra>" + name + "</extra>",
            )
        )  # fmt: skip
    for k, (name, (x, y)) in enumerate(boundaries.items()):
        traces.append(
            go.Scatter(
                x=as_array(x), y=as_array(y), mode="lines", name=name, hoverinfo="skip",
                line={"color": LINE, "width": 2.5, "dash": DASHES[k]},
            )
        )  # fmt: skip
    said = ", ".join(f"{name} in {share:.0%}" for name, share in zip(names, shares))
    figure = finished(traces, f"Trained models over p and r: {said} of the cells.", height=460)
    figure.update_xaxes(title="feature probability p, denser to the right", range=[0, 1.03])
    return figure.update_yaxes(
        title="importance r of the second feature", type="log",
        tickvals=[0.1, 0.2, 0.5, 1, 2, 5, 10],
    )  # fmt: skip


def cosine_strip(cosines: Mapping[str, Any]) -> go.Figure:
    """One dot for each cosine, in a column for each group, spread sideways to be seen."""
    traces, said = [], []
    for k, (name, values) in enumerate(cosines.items()):
        values = as_array(values)
        offset = np.linspace(-0.3, 0.3, len(values))
        traces.append(
            go.Scatter(
                x=k + offset, y=values, mode="markers", name=name,
                marker={"symbol": SYMBOLS[k], "size": 8 if len(values) <= 60 else 5,
                        "color": feature_color(k)},
            )
        )  # fmt: skip
        said.append(
            f"{name}: from {values.min():.2f} to {values.max():.2f}, mean {values.mean():.2f}"
        )
    figure = finished(traces, f"Cosine between the two features of a pair. {'; '.join(said)}.")
    figure.update_xaxes(
        tickvals=list(range(len(cosines))), ticktext=list(cosines), title="kind of pair"
    )
    return figure.update_yaxes(
        title="cosine (−1 opposite, 0 right angles)", range=[-1.15, 1.15], dtick=0.5
    )


def dot_columns(groups: Mapping[str, Any], *, x_title: str, y_title: str) -> go.Figure:
    """One dot for each value, in a column for each group, and a line at the group's median."""
    traces, said = [], []
    for k, (name, values) in enumerate(groups.items()):
        values = np.sort(as_array(values))
        # Spread evenly (by the golden ratio), so that equal values can be told apart.
        aside = 0.44 * (np.arange(1, len(values) + 1) * 0.618034 % 1 - 0.5)
        traces.append(
            go.Scatter(
                x=k + aside, y=values, mode="markers", name=name, showlegend=False,
                marker={"symbol": SYMBOLS[k], "size": 8, "color": feature_color(k)},
            )
        )  # fmt: skip
        middle = float(np.median(values))
        traces.append(
            go.Scatter(
                x=[k - 0.3, k + 0.3], y=[middle, middle], mode="lines+text", hoverinfo="skip",
                line={"color": LINE, "width": 3}, showlegend=False,
                text=[None, f" {middle:.2f}"], textposition="middle right",
            )
        )  # fmt: skip
        said.append(
            f"{name}: from {values[0]:.2f} to {values[-1]:.2f}, median {middle:.2f}, "
            f"{len(values)} values"
        )
    figure = finished(traces, f"{y_title}. {'; '.join(said)}.")
    figure.update_xaxes(tickvals=list(range(len(groups))), ticktext=list(groups), title=x_title)
    figure.update_xaxes(range=[-0.5, len(groups) - 0.3], zeroline=False, showgrid=False)
    return figure.update_yaxes(title=y_title)
