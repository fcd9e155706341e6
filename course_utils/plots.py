"""Arrays in, plotly figures out, all in one visual language. Nothing here trains or shows.

Feature i has the same colour and the same label, "xi", in every figure. Every figure carries
one sentence in words, computed from its data: `alt_text(figure)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

# Colours after Okabe and Ito, darkened or lightened until each has a contrast of at least 3 on
# white and on JupyterLab's dark grey. Colour is never the only code: labels say the same.
PALETTE = ("#0f7fc4", "#d55e00", "#009b72", "#c265a0", "#a67c00", "#7a6fd0", "#d1495b", "#777777")
# In JupyterLab `widgets.STYLE` gives all text the theme's own colour. This grey is for elsewhere:
# the best that one colour can do on both backgrounds, 4.3 to 1.
TEXT = "#777777"
GRID = "rgba(128,128,128,0.25)"
LINE = "rgba(128,128,128,0.8)"
# Transparent in the middle, and never so strong that the theme's text is hard to read on it.
DIVERGING = [
    [0.0, "rgba(213,94,0,0.65)"],
    [0.5, "rgba(128,128,128,0)"],
    [1.0, "rgba(15,127,196,0.65)"],
]
SEQUENTIAL = [[0.0, "rgba(15,127,196,0)"], [1.0, "rgba(15,127,196,0.9)"]]

TEMPLATE = go.layout.Template(
    layout=go.Layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": TEXT, "size": 13, "family": "system-ui, sans-serif"},
        colorway=PALETTE,
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
        hovermode="closest",
        xaxis={"gridcolor": GRID, "zerolinecolor": LINE, "linecolor": LINE, "ticks": "outside"},
        yaxis={"gridcolor": GRID, "zerolinecolor": LINE, "linecolor": LINE, "ticks": "outside"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
)


def alt_text(figure: Any) -> str:
    """The figure in words."""
    return figure.layout.meta["alt"]


def feature_color(i: int) -> str:
    """The colour of feature i, the same in every figure; from feature 8 on they repeat."""
    return PALETTE[i % len(PALETTE)]


def _array(values: Any) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=float)


def _names(n: int) -> list[str]:
    return [f"x{i}" for i in range(n)]


def _colors(n: int) -> list[str]:
    return [feature_color(i) for i in range(n)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def _figure(traces: Sequence[Any], alt: str, height: int = 360, **layout: Any) -> go.Figure:
    figure = go.Figure(list(traces))
    return figure.update_layout(template=TEMPLATE, height=height, meta={"alt": alt}, **layout)


# The central panel: arrows, WᵀW with b, and lengths. Each part is one trace, so that moving a
# slider changes three traces and makes none.


def _arrows(W: np.ndarray) -> dict[str, Any]:
    """One line from the origin to every column of W (2, n), with a labelled end."""
    n = W.shape[1]
    x, y = ([value for end in row.tolist() for value in (0, end, None)] for row in W)
    ends = [None if k % 3 != 1 else k // 3 for k in range(3 * n)]
    label = [("" if i is None or np.hypot(*W[:, i]) < 0.15 else f"x{i}") for i in ends]
    return {
        "x": x,
        "y": y,
        "text": label,
        "textposition": [_outwards(W[:, i or 0]) for i in ends],
        "marker.color": [LINE if i is None else feature_color(i) for i in ends],
        "marker.size": [0 if i is None else 11 for i in ends],
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
    written = [["" if v is None else f"{v:.2f}" for v in row] for row in values]
    return {"z": values, "text": written}


def _lengths(W: np.ndarray) -> dict[str, Any]:
    norms = np.linalg.norm(W, axis=0)
    return {"y": norms, "text": [f"{v:.2f}" for v in norms]}


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Update keys such as "marker.color" as the nested keywords of a new trace."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        outer, _, inner = key.partition(".")
        if inner:
            nested.setdefault(outer, {})[inner] = value
        else:
            nested[outer] = value
    return nested


def _arrow_trace(W: np.ndarray) -> go.Scatter:
    trace = _nested(_arrows(W))
    trace["marker"] |= {"opacity": 1, "line": {"width": 0}}
    return go.Scatter(
        **trace, mode="lines+markers+text", line={"color": LINE, "width": 2.5}, hoverinfo="skip"
    )


def _circle_trace() -> go.Scatter:
    angle = np.linspace(0, 2 * np.pi, 61)
    return go.Scatter(
        x=np.cos(angle), y=np.sin(angle), mode="lines", hoverinfo="skip",
        line={"color": GRID, "width": 1.5, "dash": "dot"},
    )  # fmt: skip


def _gram_trace(W: np.ndarray, b: np.ndarray) -> go.Heatmap:
    names = _names(len(b))
    return go.Heatmap(
        **_gram(W, b), x=[*names, " ", "b"], y=names, texttemplate="%{text}",
        colorscale=DIVERGING, zmin=-1.3, zmax=1.3, showscale=False, xgap=1, ygap=1,
        hovertemplate="row %{y}, column %{x}: %{z:.2f}<extra></extra>",
    )  # fmt: skip


def _length_trace(W: np.ndarray) -> go.Bar:
    n = W.shape[1]
    return go.Bar(
        **_lengths(W), x=_names(n), marker={"color": _colors(n)}, textposition="outside",
        cliponaxis=False, hovertemplate="%{x}: length %{y:.3f}<extra></extra>",
    )  # fmt: skip


ARROW_AXIS = {"range": [-1.55, 1.55], "zeroline": True, "dtick": 1, "constrain": "domain"}


def _superposition_alt(W: np.ndarray, b: np.ndarray) -> str:
    norms = np.linalg.norm(W, axis=0)
    shown = [f"x{i}" for i in np.flatnonzero(norms > 0.5)]
    gram = W.T @ W
    pairs = [f"x{i} and x{j}" for i in range(len(b)) for j in range(i) if gram[i, j] < -0.5]
    return (
        f"{len(shown)} of {len(b)} features are represented in {W.shape[0]} dimensions "
        f"({_listed(shown)}). Lengths: {', '.join(f'{v:.2f}' for v in norms)}. "
        f"Pairs that point away from each other: {_listed(pairs)}. "
        f"Biases: {', '.join(f'{v:.2f}' for v in b)}."
    )


def superposition_figure(W: Any, b: Any) -> go.Figure:
    """Arrows, WᵀW with b, and arrow lengths of one model. W: (2, n_features), b: (n_features,).

    Raises ValueError when d_hidden is not 2: arrows need a plane.
    """
    W, b = _array(W), _array(b)
    if W.shape[0] != 2:
        raise ValueError(f"W has d_hidden = {W.shape[0]}; arrows in a plane need 2.")
    figure = make_subplots(
        rows=1, cols=3, column_widths=[0.3, 0.42, 0.28], horizontal_spacing=0.08,
        subplot_titles=("columns of W", "WᵀW and bias b", "lengths ‖W_i‖"),
    )  # fmt: skip
    figure.add_trace(_arrow_trace(W), row=1, col=1)
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
        title={"text": "feature coming out", "standoff": 4},
        col=2,
    )
    figure.update_xaxes(ticks="", title="feature", col=3)
    figure.update_yaxes(range=[0, 1.5], dtick=0.5, col=3)
    figure.update_layout(
        template=TEMPLATE, height=340, showlegend=False, meta={"alt": _superposition_alt(W, b)},
        margin={"l": 55, "r": 15, "t": 35, "b": 50},
    )  # fmt: skip
    return figure


def superposition_update(W: Any, b: Any) -> tuple[list[dict[str, Any]], str]:
    """What changes in a superposition figure: the first three traces' new values, and the words."""
    W, b = _array(W), _array(b)
    return [_arrows(W), _gram(W, b), _lengths(W)], _superposition_alt(W, b)


# Single figures


def gram_heatmap(W: Any, b: Any) -> go.Figure:
    """WᵀW and b with all numbers. W: (d_hidden, n_features), b: (n_features,)."""
    W, b = _array(W), _array(b)
    gram, n = W.T @ W, len(b)
    cells = [f"x{i} with x{j}: {gram[i, j]:.2f}" for i in range(n) for j in range(i)
             if abs(gram[i, j]) > 0.05]  # fmt: skip
    diagonal = ", ".join(f"{v:.2f}" for v in np.diag(gram))
    alt = (
        f"WᵀW of {n} features. Diagonal: {diagonal}. Off the diagonal, not zero: {_listed(cells)}."
    )
    figure = _figure([_gram_trace(W, b)], alt, height=110 + 42 * n, width=170 + 62 * n)
    figure.update_xaxes(showgrid=False, ticks="", title="feature going in")
    figure.update_yaxes(showgrid=False, ticks="", autorange="reversed", title="feature coming out")
    return figure


def activity_grids(batches: Mapping[str, Any]) -> go.Figure:
    """Batches of features side by side: one row an input, one column a feature, (batch, n) each."""
    arrays = {name: _array(x) for name, x in batches.items()}
    figure = make_subplots(rows=1, cols=len(arrays), subplot_titles=list(arrays))
    for k, x in enumerate(arrays.values(), start=1):
        trace = go.Heatmap(
            z=x, x=_names(x.shape[1]), colorscale=SEQUENTIAL, zmin=0, zmax=1, xgap=2, ygap=2,
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


DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")


def loss_lines(
    x: Any, lines: Mapping[str, Any], *, x_title: str, y_title: str, log_x: bool = False
) -> go.Figure:
    """One line for each entry of `lines`, all over the same x, told apart by dash and colour."""
    x, arrays = _array(x), {name: _array(y) for name, y in lines.items()}
    traces = [
        go.Scatter(
            x=x, y=y, name=name, mode="lines+markers" if len(x) < 20 else "lines",
            line={"dash": DASHES[k % len(DASHES)], "width": 2.5, "color": feature_color(k)},
            marker={"symbol": SYMBOLS[k % len(SYMBOLS)], "size": 8},
        )
        for k, (name, y) in enumerate(arrays.items())
    ]  # fmt: skip
    said = "; ".join(f"{name} goes from {y[0]:.2f} to {y[-1]:.2f}" for name, y in arrays.items())
    figure = _figure(traces, f"{y_title} over {x_title}. {said}.")
    figure.update_xaxes(title=x_title, type="log" if log_x else "linear")
    if log_x:
        figure.update_xaxes(tickvals=[1, 2, 5, 10, 20, 50, 100])
    return figure.update_yaxes(title=y_title, rangemode="tozero")


def norms_vs_sparsity(probabilities: Any, norms: Any) -> go.Figure:
    """The arrow length of every feature, (n_models, n_features), over 1/p = 1/(1 − S)."""
    p, norms = _array(probabilities), _array(norms)
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
    figure = _figure(traces, f"Lengths grow as features get rarer. Longer than one half: {said}.")
    figure.update_xaxes(title="1/p = 1/(1 − S), sparser to the right", type="log",
                        tickvals=[1, 2, 5, 10, 20, 50, 100])  # fmt: skip
    return figure.update_yaxes(title="length ‖W_i‖", rangemode="tozero")


def phase_diagram(
    p: Any, r: Any, outcome: Any, *, names: Sequence[str], boundaries: Mapping[str, tuple[Any, Any]]
) -> go.Figure:
    """What a model does (`outcome`, (len(r), len(p)), an index into names) for each p and r.

    `boundaries` are lines (p values, r values) drawn on top.
    """
    p, r, outcome = _array(p), _array(r), _array(outcome)
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
                x=_array(x), y=_array(y), mode="lines", name=name, hoverinfo="skip",
                line={"color": LINE, "width": 2.5, "dash": DASHES[k]},
            )
        )  # fmt: skip
    said = ", ".join(f"{name} in {share:.0%}" for name, share in zip(names, shares))
    figure = _figure(traces, f"Trained models over p and r: {said} of the cells.", height=460)
    figure.update_xaxes(title="feature probability p, denser to the right", range=[0, 1.03])
    return figure.update_yaxes(
        title="importance r of the second feature", type="log",
        tickvals=[0.1, 0.2, 0.5, 1, 2, 5, 10],
    )  # fmt: skip


def cosine_strip(cosines: Mapping[str, Any]) -> go.Figure:
    """One dot for each cosine, in a column for each group, spread sideways to be seen."""
    traces, said = [], []
    for k, (name, values) in enumerate(cosines.items()):
        values = _array(values)
        offset = np.linspace(-0.3, 0.3, len(values))
        traces.append(
            go.Scatter(
                x=k + offset, y=values, mode="markers", name=name,
                marker={"symbol": SYMBOLS[k], "size": 8, "color": feature_color(k)},
            )
        )  # fmt: skip
        said.append(
            f"{name}: from {values.min():.2f} to {values.max():.2f}, mean {values.mean():.2f}"
        )
    figure = _figure(traces, f"Cosine between the two features of a pair. {'; '.join(said)}.")
    figure.update_xaxes(
        tickvals=list(range(len(cosines))), ticktext=list(cosines), title="kind of pair"
    )
    return figure.update_yaxes(
        title="cosine (−1 opposite, 0 right angles)", range=[-1.15, 1.15], dtick=0.5
    )
